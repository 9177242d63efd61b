/**
 * Every code a NodeError can carry, sorted, `<FOLDER>_<CONDITION>`.
 *
 * A code is for ever: scripts, alerts and `docs/errors.md` name it. Shape:
 * `[A-Z][A-Z0-9_]+[A-Z0-9]`, at most 63 characters (google.rpc.ErrorInfo).
 */
export const ERROR_CODES = [
  "KVCONNECT_BODY_TOO_LARGE",
  "KVCONNECT_DATABASE_MISMATCH",
  "KVCONNECT_NOT_READY",
  "KVCONNECT_PATH_UNKNOWN",
  "KVCONNECT_REPLY_MALFORMED",
  "KVCONNECT_REQUEST_INVALID",
  "KVCONNECT_SERVER_REFUSED",
  "KVCONNECT_SERVER_UNREACHABLE",
  "KVCONNECT_TOKEN_REFUSED",
  "KVCONNECT_WATCHES_EXHAUSTED",
  "STORE_BACKING_FAILED",
  "STORE_CLOSED",
  "STORE_RECORD_DAMAGED",
  "STORE_RECORD_SEALED",
  "STORE_ROW_DAMAGED",
  "STORE_VERSION_UNSUPPORTED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
