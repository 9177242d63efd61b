import type { ErrorCode } from "../base/error_code.ts";

/** What the process ends with. Scripts rely on these: operate.md lists them. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  blocked: 3,
  unconfirmed: 4,
  noAnswer: 5,
  stale: 6,
  unfinished: 7,
  notDone: 8,
  bug: 70,
  disk: 74,
  config: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of every error; a new error does not compile until it has one. */
export const EXIT_OF: Readonly<Record<ErrorCode, ExitCode>> = {
  ADMIN_ADDRESS_INVALID: EXIT.usage,
  ADMIN_CALL_REFUSED: EXIT.unexpected,
  ADMIN_TOKEN_REJECTED: EXIT.config,
  ADMIN_UNREACHABLE: EXIT.noAnswer,
  APP_CLUSTER_UNSUPPORTED: EXIT.config,
  APP_CONFIG_FILE_INVALID: EXIT.config,
  APP_CONFIG_INVALID: EXIT.config,
  APP_DATA_DIR_LOCKED: EXIT.config,
  APP_DATA_HOME_UNKNOWN: EXIT.config,
  APP_LISTENER_CLEARTEXT: EXIT.config,
  APP_TOKEN_INVALID: EXIT.config,
  APP_TOKEN_MISSING: EXIT.config,
  BASE_BYTES_MALFORMED: EXIT.unexpected,
  CLI_CHECK_FAILED: EXIT.notDone,
  CLI_DATABASE_REFUSED: EXIT.unexpected,
  CLI_IMPORT_LINE_INVALID: EXIT.usage,
  CLI_INPUT_INVALID: EXIT.usage,
  CLI_KEY_NOT_FOUND: EXIT.notDone,
  CLI_NO_ANSWER: EXIT.noAnswer,
  CLI_TOKEN_REFUSED: EXIT.config,
  CLI_USAGE: EXIT.usage,
  CLI_VALUE_UNSUPPORTED: EXIT.unexpected,
  IO_CONNECTION_LOST: EXIT.noAnswer,
  IO_CONNECT_FAILED: EXIT.noAnswer,
  IO_EXEC_FAILED: EXIT.config,
  IO_FILE_FAILED: EXIT.disk,
  IO_LISTEN_FAILED: EXIT.config,
};
