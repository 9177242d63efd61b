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

/** Members answer, and none of them leads or knows who does. */
export class AdminNoLeaderError extends NodeError {
  override readonly name = "AdminNoLeaderError";
  override readonly code = "ADMIN_NO_LEADER";
  override readonly remedy =
    "Start or reconnect members until more than half of the voters are up; " +
    "`sealkv status` shows them";

  constructor(readonly waitedMs: number, options?: ErrorOptions) {
    super(
      `Cannot change the cluster as no leader was found: ` +
        `current value is ${waitedMs} ms of looking`,
      options,
    );
  }
}

/** A change was sent and no answer came: it may be made or not. */
export class AdminOutcomeUnknownError extends NodeError {
  override readonly name = "AdminOutcomeUnknownError";
  override readonly code = "ADMIN_OUTCOME_UNKNOWN";
  override readonly remedy =
    "Look with `sealkv member list` or `sealkv encryption status` whether it " +
    "took place, and give the same command again when it did not";

  constructor(readonly address: string, options?: ErrorOptions) {
    super(
      `Cannot tell whether the change took place as "${address}" ` +
        `did not answer`,
      options,
    );
  }
}

/** A field of a request cannot be used; nothing was changed. */
export class AdminRequestInvalidError extends NodeError {
  override readonly name = "AdminRequestInvalidError";
  override readonly code = "ADMIN_REQUEST_INVALID";
  override readonly remedy: string;

  constructor(readonly field: string, readonly given: string, rule: string) {
    super(
      `Cannot use the field "${field}" as it is not ${rule}: ` +
        `current value is ${JSON.stringify(given.slice(0, GIVEN_LENGTH_MAX))}`,
    );
    this.remedy = `Give ${rule}`;
  }
}

/** The node stops amid a stream that is not whole then. */
export class AdminStoppingError extends NodeError {
  override readonly name = "AdminStoppingError";
  override readonly code = "ADMIN_STOPPING";
  override readonly remedy =
    "Throw away what came and ask another member, or this one once it is back";

  constructor() {
    super("Cannot go on with the stream: the node is stopping");
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

/** More of a wrong value helps nobody. */
const GIVEN_LENGTH_MAX = 80;

/** An error of a node, as it reached its caller: same code, same remedy. */
export class RemoteError extends NodeError {
  override readonly name = "RemoteError";

  constructor(
    override readonly code: ErrorCode,
    message: string,
    override readonly remedy: string,
    /** What else it knows: leader, leader_admin, nodes, remedy.NAME. */
    readonly details: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return ERROR_CODES.some((code) => code === text);
}
