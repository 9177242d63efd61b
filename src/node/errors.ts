import { NodeError } from "../base/error.ts";

/** Too much is waiting already; this request changed nothing. */
export class OverloadedError extends NodeError {
  override readonly name = "OverloadedError";
  override readonly code = "NODE_OVERLOADED";
  override readonly remedy =
    "Send again in a moment, with fewer requests in flight";

  constructor(readonly waiting: string, readonly countMax: number) {
    super(`Cannot accept more ${waiting}: ${countMax} are waiting`);
  }
}

/** This node cannot serve clients at this moment; nothing was changed. */
export class NotReadyError extends NodeError {
  override readonly name = "NotReadyError";
  override readonly code = "NODE_NOT_READY";
  override readonly remedy =
    "Send again in a moment; `sealkv status` shows who leads";

  constructor(readonly reason: string) {
    super(`Cannot serve clients yet: ${reason}`);
  }
}

/** A write or a change was accepted, and its outcome did not become known. */
export class OutcomeUnknownError extends NodeError {
  override readonly name = "OutcomeUnknownError";
  override readonly code = "NODE_OUTCOME_UNKNOWN";
  override readonly remedy: string;

  /** `command` shows whether a change took place; `null` for a write. */
  constructor(command: "member list" | "encryption status" | null = null) {
    super(
      command === null
        ? "Cannot tell whether the write took place: the node is stopping"
        : "Cannot tell whether the change took place: it was not applied in time, or the leader lost its place",
    );
    this.remedy = command === null
      ? "Read the keys back to learn whether the write took place"
      : `Look with \`sealkv ${command}\` whether it took place, and give the same command again when it did not`;
  }
}

/** A committed entry that this member cannot apply; it stops before it. */
export class ApplyHaltedError extends NodeError {
  override readonly name = "ApplyHaltedError";
  override readonly code = "NODE_APPLY_HALTED";
  override readonly remedy =
    "Keep the data dir, start this node with the newest sealkv release, and report the cause if it halts again";

  constructor(readonly index: number, options?: ErrorOptions) {
    super(`Cannot apply the committed entry ${index}`, options);
  }
}

/** Log and store do not meet: one of the two was put back or removed. */
export class LogBehindStoreError extends NodeError {
  override readonly name = "LogBehindStoreError";
  override readonly code = "NODE_LOG_BEHIND_STORE";
  override readonly remedy =
    "Put back the log and the store of one and the same moment; both stay as they are";

  constructor(
    readonly indexes: { first: number; last: number; applied: number },
  ) {
    const { first, last, applied } = indexes;
    super(
      `Cannot start with a log that does not meet the store: the log holds ${first} to ${last}, the store has applied ${applied}`,
    );
  }
}

/** One part of a data dir, and the cluster that it says it is of. */
export interface ClusterClaim {
  /** As "the log". */
  readonly part: string;
  /** Hex; "none" for a part without one. */
  readonly clusterId: string;
}

/** Parts of a data dir are of two clusters: one of them was put there. */
export class WrongClusterError extends NodeError {
  override readonly name = "WrongClusterError";
  override readonly code = "NODE_WRONG_CLUSTER";
  override readonly remedy =
    "Put back the parts that belong together, of one and the same moment; all stay as they are";

  constructor(readonly claims: readonly ClusterClaim[]) {
    const said = claims.map(({ part, clusterId }) =>
      `${part} is of "${clusterId}"`
    );
    super(
      `Cannot start with a data dir of different clusters: ${said.join(", ")}`,
    );
  }
}

/** A store with records and no log beside it. */
export class LogMissingError extends NodeError {
  override readonly name = "LogMissingError";
  override readonly code = "NODE_LOG_MISSING";
  override readonly remedy =
    "Put back the log directory that belongs to this store; the store stays as it is";

  constructor(readonly path: string, readonly applied: number) {
    super(
      `Cannot start without the log "${path}": the store has applied ${applied}`,
    );
  }
}

/** Two processes on one data dir would destroy it. */
export class DataDirLockedError extends NodeError {
  override readonly name = "DataDirLockedError";
  override readonly code = "NODE_DATA_DIR_LOCKED";
  override readonly remedy =
    "Stop the other `sealkv serve`, or give this one its own --data-dir";

  constructor(readonly path: string) {
    super(`Cannot use the data dir "${path}": another process holds it`);
  }
}

/** The file that says who the node is does not say it. */
export class IdentityDamagedError extends NodeError {
  override readonly name = "IdentityDamagedError";
  override readonly code = "NODE_IDENTITY_DAMAGED";
  override readonly remedy =
    "Put the file back from a copy, or make the node a new member: `sealkv member rebuild`";

  constructor(readonly path: string) {
    super(`Cannot read who this node is as "${path}" is damaged`);
  }
}
