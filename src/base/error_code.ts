/**
 * Every code a NodeError can carry, sorted, `<FOLDER>_<CONDITION>`.
 *
 * A code is for ever: scripts, alerts and `docs/errors.md` name it. Shape:
 * `[A-Z][A-Z0-9_]+[A-Z0-9]`, at most 63 characters (google.rpc.ErrorInfo).
 */
export const ERROR_CODES = [
  "BASE_BYTES_MALFORMED",
  "IO_ALREADY_EXISTS",
  "IO_FAILED",
  "IO_NOT_FOUND",
  "IO_NO_SPACE",
  "IO_PERMISSION_DENIED",
  "WAL_ALREADY_EXISTS",
  "WAL_CLOSED",
  "WAL_DAMAGED",
  "WAL_FOREIGN",
  "WAL_FORMAT_UNSUPPORTED",
  "WAL_INCONSISTENT",
  "WAL_LOCKED",
  "WAL_MISSING",
  "WAL_RANGE_COMPACTED",
  "WAL_SEGMENT_MISSING",
  "WAL_WRITE_FAILED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
