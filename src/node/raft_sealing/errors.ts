import { NodeError } from "../../base/error.ts";
import type { LogIndex } from "../../raft/types.ts";

/** A committed entry whose envelope does not open here; apply stops before it. */
export class RaftUnwrapFailedError extends NodeError {
  override readonly name = "RaftUnwrapFailedError";
  override readonly code = "NODE_RAFT_UNWRAP_FAILED";
  override readonly remedy: string;

  /** `member` is this node's name; `found` says what is wrong, no secret. */
  constructor(
    readonly index: LogIndex,
    member: string,
    found: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot apply the committed entry ${index} as its envelope must open: ${found}`,
      options,
    );
    this.remedy =
      `Rebuild this member from the others: \`sealkv member rebuild ${member} --data-dir D --admin ADDR\`; if all members stop at this entry, keep their data dirs and report it`;
  }
}

/** The raft cutover was given up before its entry was proposed. */
export class CutoverAbortedError extends NodeError {
  override readonly name = "CutoverAbortedError";
  override readonly code = "NODE_CUTOVER_ABORTED";
  override readonly remedy =
    "Nothing was changed and writes go on; give the command again when `sealkv status` shows all members up and without lag";

  constructor(readonly reason: string) {
    super(`Cannot seal the log from here on: ${reason}`);
  }
}
