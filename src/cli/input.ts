import { concatBytes } from "../base/bytes.ts";
import { InputInvalidError } from "./errors.ts";

/**
 * Reads all of a stream.
 *
 * @throws {InputInvalidError} Beyond `bytesMax`.
 */
export async function readInput(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > bytesMax) throw tooLong("the input", bytesMax);
    parts.push(part);
  }
  return concatBytes(...parts);
}

/**
 * Reads a stream line by line, without the line ends; the last line may lack
 * one.
 *
 * @throws {InputInvalidError} For a line beyond `bytesMax` or not UTF-8.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  bytesMax: number,
): AsyncGenerator<string> {
  let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  for await (const part of stream) {
    const bytes = rest.length === 0 ? part : concatBytes(rest, part);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, from);
      if (end < 0) break;
      yield lineOf(bytes.subarray(from, end), bytesMax);
      from = end + 1;
    }
    rest = bytes.slice(from);
    if (rest.length > bytesMax) throw tooLong("a line", bytesMax);
  }
  if (rest.length > 0) yield lineOf(rest, bytesMax);
}

function lineOf(bytes: Uint8Array, bytesMax: number): string {
  if (bytes.length > bytesMax) throw tooLong("a line", bytesMax);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
      .replace(/\r$/, "");
  } catch (cause) {
    throw new InputInvalidError("a line", "it is not UTF-8", undefined, {
      cause,
    });
  }
}

function tooLong(what: string, bytesMax: number): InputInvalidError {
  return new InputInvalidError(what, `it is longer than ${bytesMax} bytes`);
}
