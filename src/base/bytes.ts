import { assert } from "./assert.ts";

/** Bytes on a plain (not shared) buffer, as WebCrypto and Deno KV want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const EMPTY_BYTES: Bytes = new Uint8Array(0);

const encoder = new TextEncoder();
const HEX = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/** Returns the UTF-8 form of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Joins `parts` into fresh bytes. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Orders by unsigned bytes, a prefix before what it starts: <0, 0 or >0. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Tells whether both hold the same bytes. Not constant-time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** Reads what `toHex` wrote; `null` for anything else. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  }
  return bytes;
}

/**
 * Writes `value` as u64 big-endian at `offset`.
 *
 * `value` is a safe integer ≥ 0: indexes, terms and times stay below 2^53.
 */
export function setUint64(view: DataView, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a u64 is a safe integer");
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value % 2 ** 32);
}

/**
 * Reads a u64 big-endian at `offset`.
 *
 * Returns `null` above 2^53 - 1: no index, term or time of ours gets there.
 */
export function getUint64(view: DataView, offset: number): number | null {
  const value = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  return Number.isSafeInteger(value) ? value : null;
}

/** Returns a view over exactly `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
