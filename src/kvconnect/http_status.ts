import type { ErrorCode } from "../base/error_code.ts";

/**
 * HTTP status of each error on the data plane.
 *
 * Clients repeat a 5xx for ever and at once, so 503 stands for conditions that
 * pass and nothing else; 401 and 403 make Deno fetch metadata and repeat once;
 * all others are final (kvconnect.md §1.8).
 */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  BASE_BYTES_MALFORMED: 400,
  KVCONNECT_BODY_TOO_LARGE: 413,
  KVCONNECT_DATABASE_MISMATCH: 403,
  KVCONNECT_NOT_READY: 503,
  KVCONNECT_PATH_UNKNOWN: 404,
  KVCONNECT_REPLY_MALFORMED: 400,
  KVCONNECT_REQUEST_INVALID: 400,
  KVCONNECT_SERVER_REFUSED: 400,
  KVCONNECT_SERVER_UNREACHABLE: 503,
  KVCONNECT_TOKEN_REFUSED: 401,
  KVCONNECT_WATCHES_EXHAUSTED: 429,
};
