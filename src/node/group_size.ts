import type { Payload } from "../fsm/payload.ts";
import { sizeOfWrite, type WriteSize } from "./proposals.ts";

export const NO_SIZE: WriteSize = { changes: 0, keyBytes: 0, bytes: 0 };

/** The size of a group that `payload` comes to. */
export function addSize(size: WriteSize, payload: Payload | null): WriteSize {
  if (payload?.kind !== "batch") return size;
  let { changes, keyBytes, bytes } = size;
  for (const write of payload.writes) {
    const more = sizeOfWrite(write);
    changes += more.changes;
    keyBytes += more.keyBytes;
    bytes += more.bytes;
  }
  return { changes, keyBytes, bytes };
}
