/**
 * Every code a NodeError can carry, sorted, `<FOLDER>_<CONDITION>`.
 *
 * A code is for ever: scripts, alerts and `docs/errors.md` name it. Shape:
 * `[A-Z][A-Z0-9_]+[A-Z0-9]`, at most 63 characters (google.rpc.ErrorInfo).
 */
export const ERROR_CODES = [
  "ADMIN_ADDRESS_INVALID",
  "ADMIN_CALL_REFUSED",
  "ADMIN_TOKEN_REJECTED",
  "ADMIN_UNREACHABLE",
  "APP_CLUSTER_UNSUPPORTED",
  "APP_CONFIG_FILE_INVALID",
  "APP_CONFIG_INVALID",
  "APP_DATA_DIR_LOCKED",
  "APP_DATA_HOME_UNKNOWN",
  "APP_LISTENER_CLEARTEXT",
  "APP_TOKEN_INVALID",
  "APP_TOKEN_MISSING",
  "BASE_BYTES_MALFORMED",
  "CLI_CHECK_FAILED",
  "CLI_DATABASE_REFUSED",
  "CLI_IMPORT_LINE_INVALID",
  "CLI_INPUT_INVALID",
  "CLI_KEY_NOT_FOUND",
  "CLI_NO_ANSWER",
  "CLI_TOKEN_REFUSED",
  "CLI_USAGE",
  "CLI_VALUE_UNSUPPORTED",
  "IO_CONNECTION_LOST",
  "IO_CONNECT_FAILED",
  "IO_EXEC_FAILED",
  "IO_FILE_FAILED",
  "IO_LISTEN_FAILED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
