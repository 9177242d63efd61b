import { toHex } from "../base/bytes.ts";

/** 16 bytes as a UUID; "" for none. */
export function uuidOf(id: Uint8Array | null): string {
  return id === null ? "" : toHex(id).replace(
    /^(.{8})(.{4})(.{4})(.{4})(.{12})$/,
    "$1-$2-$3-$4-$5",
  );
}
