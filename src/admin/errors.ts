import { ERROR_CODES, type ErrorCode } from "../base/error_code.ts";
import { NodeError } from "../base/error.ts";

/** The caller showed no admin token, or not this cluster's. */
export class AdminTokenRejectedError extends NodeError {
  override readonly name = "AdminTokenRejectedError";
  override readonly code = "ADMIN_TOKEN_REJECTED";
  override readonly remedy =
    "Give the node's admin token in SEALKV_ADMIN_TOKEN or with " +
    "--admin-token-file";

  constructor() {
    super("Cannot answer as the admin token is missing or wrong");
  }
}

/** An address of `--admin` cannot be dialled. */
export class AdminAddressInvalidError extends NodeError {
  override readonly name = "AdminAddressInvalidError";
  override readonly code = "ADMIN_ADDRESS_INVALID";
  override readonly remedy =
    "Write HOST:PORT or https://HOST:PORT, several separated by commas";

  constructor(readonly address: string) {
    super(
      `Cannot dial the admin address as HOST:PORT: ` +
        `current value is ${JSON.stringify(address)}`,
    );
  }
}

/** No member answered. */
export class AdminUnreachableError extends NodeError {
  override readonly name = "AdminUnreachableError";
  override readonly code = "ADMIN_UNREACHABLE";
  override readonly remedy =
    "Check that a node runs and that --admin names its --admin-listen address";

  constructor(readonly addresses: readonly string[], options?: ErrorOptions) {
    super(
      `Cannot reach the cluster as no member answers: ` +
        `current value is "${addresses.join(",")}"`,
      options,
    );
  }
}

/** A member answered with an error that this version has no name for. */
export class AdminCallRefusedError extends NodeError {
  override readonly name = "AdminCallRefusedError";
  override readonly code = "ADMIN_CALL_REFUSED";
  override readonly remedy =
    "Compare `sealkv version` here and on the node, and read the node's event log";

  constructor(readonly reason: string, options?: ErrorOptions) {
    super(
      `Cannot carry out the call as the node refuses it: ${reason}`,
      options,
    );
  }
}

/** An error of a node, as it reached its caller: same code, same remedy. */
export class RemoteError extends NodeError {
  override readonly name = "RemoteError";

  constructor(
    override readonly code: ErrorCode,
    message: string,
    override readonly remedy: string,
  ) {
    super(message);
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return ERROR_CODES.some((code) => code === text);
}
