/**
 * Every code a NodeError can carry, sorted, `<FOLDER>_<CONDITION>`.
 *
 * A code is for ever: scripts, alerts and `docs/errors.md` name it. Shape:
 * `[A-Z][A-Z0-9_]+[A-Z0-9]`, at most 63 characters (google.rpc.ErrorInfo).
 */
export const ERROR_CODES = [
  "BASE_BYTES_MALFORMED",
  "IO_CONNECTION_LOST",
  "IO_CONNECT_FAILED",
  "IO_EXEC_FAILED",
  "IO_LISTEN_FAILED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
