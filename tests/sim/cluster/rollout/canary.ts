import { Buffer } from "node:buffer";
import { utf8 } from "../../../../src/base/bytes.ts";

/*
 * Every text that a client of the simulation writes carries a mark that nothing
 * else has: whoever finds it in a file has found a value in cleartext.
 */

const BEGIN = "canary~5f2a~";
const END = ";";
const BEGIN_BYTES = Buffer.from(BEGIN);
const END_BYTE = END.charCodeAt(0);
/** Longer ids are cut: they are only for people to read. */
const ID_BYTES_MAX = 64;

/** The bytes of a value with `text` in it. */
export function canaryBytes(text: string): Uint8Array<ArrayBuffer> {
  return utf8(`${BEGIN}${text}${END}`);
}

/** What `canaryBytes` was made of; anything else as it is. */
export function canaryText(text: string): string {
  return text.startsWith(BEGIN) && text.endsWith(END)
    ? text.slice(BEGIN.length, -END.length)
    : text;
}

/** Texts of all values that `bytes` hold in cleartext. */
export function findCanaries(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  for (
    let at = buffer.indexOf(BEGIN_BYTES);
    at >= 0;
    at = buffer.indexOf(BEGIN_BYTES, at + BEGIN_BYTES.length)
  ) {
    const from = at + BEGIN_BYTES.length;
    const until = buffer.indexOf(END_BYTE, from);
    const last = until < 0 ? from + ID_BYTES_MAX : until;
    found.push(buffer.toString("latin1", from, last));
  }
  return found;
}
