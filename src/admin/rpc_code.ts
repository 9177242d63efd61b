import { Code } from "@connectrpc/connect";
import type { ErrorCode } from "../base/error_code.ts";

/** The RPC code of every error; a new error does not compile until it has one. */
export const RPC_CODE_OF: Readonly<Record<ErrorCode, Code>> = {
  ADMIN_ADDRESS_INVALID: Code.InvalidArgument,
  ADMIN_CALL_REFUSED: Code.Unknown,
  ADMIN_TOKEN_REJECTED: Code.Unauthenticated,
  ADMIN_UNREACHABLE: Code.Unavailable,
  APP_CLUSTER_UNSUPPORTED: Code.FailedPrecondition,
  APP_CONFIG_FILE_INVALID: Code.FailedPrecondition,
  APP_CONFIG_INVALID: Code.FailedPrecondition,
  APP_DATA_DIR_LOCKED: Code.FailedPrecondition,
  APP_DATA_HOME_UNKNOWN: Code.FailedPrecondition,
  APP_LISTENER_CLEARTEXT: Code.FailedPrecondition,
  APP_TOKEN_INVALID: Code.FailedPrecondition,
  APP_TOKEN_MISSING: Code.FailedPrecondition,
  BASE_BYTES_MALFORMED: Code.InvalidArgument,
  CLI_CHECK_FAILED: Code.Aborted,
  CLI_DATABASE_REFUSED: Code.InvalidArgument,
  CLI_IMPORT_LINE_INVALID: Code.InvalidArgument,
  CLI_INPUT_INVALID: Code.InvalidArgument,
  CLI_KEY_NOT_FOUND: Code.NotFound,
  CLI_NO_ANSWER: Code.Unavailable,
  CLI_TOKEN_REFUSED: Code.Unauthenticated,
  CLI_USAGE: Code.InvalidArgument,
  CLI_VALUE_UNSUPPORTED: Code.InvalidArgument,
  IO_CONNECTION_LOST: Code.Unavailable,
  IO_CONNECT_FAILED: Code.Unavailable,
  IO_EXEC_FAILED: Code.Internal,
  IO_FILE_FAILED: Code.Internal,
  IO_LISTEN_FAILED: Code.Internal,
};
