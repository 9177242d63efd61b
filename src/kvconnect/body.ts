import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/bytes.ts";
import { BodyTooLargeError, RequestInvalidError } from "./errors.ts";

/**
 * Reads a whole body of at most `bytesMax`.
 *
 * With a content-length, which the HTTP server enforces, it is read at once;
 * without one it is counted as it comes.
 *
 * @throws {BodyTooLargeError} Announced or counted.
 * @throws {RequestInvalidError} When the body breaks off.
 */
export async function readBody(
  request: Request,
  bytesMax: number,
): Promise<Bytes> {
  const announced = request.headers.get("content-length");
  if (announced === null) return await countBody(request.body, bytesMax);
  if (!(Number(announced) <= bytesMax)) throw new BodyTooLargeError(bytesMax);
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw brokenOff(cause);
  }
}

async function countBody(
  body: ReadableStream<Uint8Array> | null,
  bytesMax: number,
): Promise<Bytes> {
  if (body === null) return EMPTY_BYTES;
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw brokenOff(cause);
    });
    if (done) return concatBytes(...parts);
    bytes += value.length;
    if (bytes > bytesMax) {
      // The rest is refused; whether the peer hears so does not matter.
      reader.cancel().catch(() => {});
      throw new BodyTooLargeError(bytesMax);
    }
    parts.push(value);
  }
}

function brokenOff(cause: unknown): RequestInvalidError {
  return new RequestInvalidError("The body broke off", { cause });
}
