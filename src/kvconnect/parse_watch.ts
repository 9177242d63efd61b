import { decodeWatch } from "./decode_request.ts";
import { RequestInvalidError } from "./errors.ts";
import { WATCH_KEY_BYTES_MAX } from "./limits.ts";

/**
 * Reads the body of a watch: 1 to WATCH_KEYS_MAX keys.
 *
 * @throws {RequestInvalidError} Malformed, or against a limit.
 */
export function parseWatch(body: Uint8Array): readonly Uint8Array[] {
  const keys = decodeWatch(body);
  if (keys.length === 0) {
    throw new RequestInvalidError("Invalid watch: it names no key");
  }
  for (const key of keys) {
    if (key.length > WATCH_KEY_BYTES_MAX) {
      throw new RequestInvalidError(
        `Key too large for watch (max ${WATCH_KEY_BYTES_MAX} bytes)`,
      );
    }
  }
  return keys;
}
