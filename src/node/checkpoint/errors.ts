import { NodeError } from "../../base/error.ts";

/** A checkpoint's way to a member ended early; what arrived is kept. */
export class CheckpointInterruptedError extends NodeError {
  override readonly name = "CheckpointInterruptedError";
  override readonly code = "NODE_CHECKPOINT_INTERRUPTED";
  override readonly remedy =
    "Wait: the leader goes on from where it stopped; if it never ends, check the network between the two members and `sealkv status`";

  constructor(readonly reason: string) {
    super(`Cannot go on with a checkpoint's transfer: ${reason}`);
  }
}

/** A checkpoint in cleartext, for a member that seals its records. */
export class CheckpointUnsealedError extends NodeError {
  override readonly name = "CheckpointUnsealedError";
  override readonly code = "NODE_CHECKPOINT_UNSEALED";
  override readonly remedy =
    "Nothing was changed. A leader sends a sealed one by itself; if another comes in cleartext, find out with `sealkv status` and `sealkv encryption status` which member sends it";

  /** `cutover` is the index from which on this member seals. */
  constructor(readonly index: number, readonly cutover: number) {
    super(
      `Cannot install the checkpoint of ${index} as it must be sealed from the storage cutover on: current value is cleartext, and the cutover was at ${cutover}`,
    );
  }
}

/** What an event about a transfer says of `error`. */
export function reasonOf(error: NodeError): string {
  return error instanceof CheckpointInterruptedError
    ? error.reason
    : error.code;
}
