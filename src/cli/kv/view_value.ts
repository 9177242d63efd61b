import { ValueUnsupportedError } from "../errors.ts";
import { fromBase64, toBase64 } from "../../base/base64.ts";
import type { JsonValue } from "./extended_json.ts";

/** Views over bytes other than Uint8Array, by the name of their class. */
const VIEWS = {
  ArrayBuffer: (buffer: ArrayBuffer) => buffer,
  DataView: (buffer: ArrayBuffer) => new DataView(buffer),
  Int8Array: (buffer: ArrayBuffer) => new Int8Array(buffer),
  Uint8ClampedArray: (buffer: ArrayBuffer) => new Uint8ClampedArray(buffer),
  Int16Array: (buffer: ArrayBuffer) => new Int16Array(buffer),
  Uint16Array: (buffer: ArrayBuffer) => new Uint16Array(buffer),
  Int32Array: (buffer: ArrayBuffer) => new Int32Array(buffer),
  Uint32Array: (buffer: ArrayBuffer) => new Uint32Array(buffer),
  Float32Array: (buffer: ArrayBuffer) => new Float32Array(buffer),
  Float64Array: (buffer: ArrayBuffer) => new Float64Array(buffer),
  BigInt64Array: (buffer: ArrayBuffer) => new BigInt64Array(buffer),
  BigUint64Array: (buffer: ArrayBuffer) => new BigUint64Array(buffer),
} as const;

type ViewName = keyof typeof VIEWS;

/** Bytes as they lie in memory: little-endian on every platform of Deno. */
export function writeView(
  value: ArrayBuffer | ArrayBufferView,
): readonly JsonValue[] {
  const name = value.constructor.name;
  if (!isViewName(name)) throw new ValueUnsupportedError(`a ${name}`);
  const bytes = value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return [name, toBase64(bytes)];
}

/** Reads what `writeView` wrote; `null` for anything else. */
export function readView(
  body: JsonValue,
): ArrayBuffer | ArrayBufferView | null {
  if (!Array.isArray(body) || body.length !== 2) return null;
  const [name, text] = body;
  if (typeof name !== "string" || !isViewName(name)) return null;
  const bytes = typeof text === "string" ? fromBase64(text) : null;
  if (bytes === null) return null;
  try {
    return VIEWS[name](bytes.buffer);
  } catch (cause) {
    // The length is no multiple of the element's size.
    if (cause instanceof RangeError) return null;
    throw cause;
  }
}

function isViewName(name: string): name is ViewName {
  return Object.hasOwn(VIEWS, name);
}
