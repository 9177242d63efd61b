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

/** What an event about a transfer says of `error`. */
export function reasonOf(error: NodeError): string {
  return error instanceof CheckpointInterruptedError
    ? error.reason
    : error.code;
}
