import { type Bytes, fromHex, toHex } from "./bytes.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 16 bytes as a lower-case dashed UUID. Source: RFC 9562 §4. */
export function uuidText(id: Uint8Array): string {
  const hex = toHex(id);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/** Reads what `uuidText` wrote, of any version; `null` for anything else. */
export function parseUuid(text: string): Bytes | null {
  return UUID.test(text) ? fromHex(text.replaceAll("-", "")) : null;
}
