import { NodeError } from "../base/error.ts";

/** A change of the cluster was asked of a member that does not lead. */
export class NotLeaderError extends NodeError {
  override readonly name = "NotLeaderError";
  override readonly code = "NODE_NOT_LEADER";
  override readonly remedy =
    "Ask the leader, which `sealkv status` names; `sealkv member` finds it by itself";

  constructor(
    /** Name and admin address; "" when unknown. */
    readonly leader: string,
    readonly adminAddress: string,
  ) {
    super(`Cannot change the cluster here: the leader is "${leader}"`);
  }
}

/** No member has the name that was given. */
export class MemberUnknownError extends NodeError {
  override readonly name = "MemberUnknownError";
  override readonly code = "NODE_MEMBER_UNKNOWN";
  override readonly remedy = "Give a name that `sealkv member list` shows";

  constructor(readonly member: string) {
    super(`Cannot find a member as none has this name: "${member}"`);
  }
}

/** The name or the address of a new member is taken. */
export class MemberExistsError extends NodeError {
  override readonly name = "MemberExistsError";
  override readonly code = "NODE_MEMBER_EXISTS";
  override readonly remedy =
    "Give another name and address, or remove the member that has them first: `sealkv member remove`";

  constructor(readonly member: string, readonly taken: string) {
    super(`Cannot add a member as "${taken}" is taken: "${member}" has it`);
  }
}

/** Membership cannot change like that, or not at this moment. */
export class MemberChangeRefusedError extends NodeError {
  override readonly name = "MemberChangeRefusedError";
  override readonly code = "NODE_MEMBER_CHANGE_REFUSED";
  override readonly remedy =
    "Look at `sealkv member list` and do what the message names first; nothing was changed";

  constructor(readonly reason: string) {
    super(`Cannot change the members: ${reason}`);
  }
}

/** The members left could not decide anything: writes would stop. */
export class QuorumAtRiskError extends NodeError {
  override readonly name = "QuorumAtRiskError";
  override readonly code = "NODE_QUORUM_AT_RISK";
  override readonly remedy =
    "Bring the members that are down back first, or accept it: --accept-quorum-loss --confirm CLUSTER";

  constructor(
    readonly change: string,
    readonly counts: { readonly healthy: number; readonly needed: number },
  ) {
    super(
      `Cannot ${change} as ${counts.healthy} healthy voters would be left and ${counts.needed} are needed`,
    );
  }
}

/** A one-way step without the cluster's name, or with another one. */
export class ConfirmationWrongError extends NodeError {
  override readonly name = "ConfirmationWrongError";
  override readonly code = "NODE_CONFIRMATION_WRONG";
  override readonly remedy: string;

  constructor(readonly given: string, readonly cluster: string) {
    super(
      `Cannot take a one-way step as it is not confirmed: current value of --confirm is "${given}"`,
    );
    this.remedy = `Give the cluster's name: --confirm ${cluster}`;
  }
}

/** What the plan was made for is not so any more. */
export class PlanStaleError extends NodeError {
  override readonly name = "PlanStaleError";
  override readonly code = "NODE_PLAN_STALE";
  override readonly remedy =
    "Make the plan again with --dry-run, look at it, and give its hash with --plan";

  constructor(readonly given: string, readonly current: string) {
    super(
      `Cannot carry out plan ${given} as leader, term or members changed: the plan is ${current} now`,
    );
  }
}

/** A learner that is not yet as far as the leader. */
export class MemberBehindError extends NodeError {
  override readonly name = "MemberBehindError";
  override readonly code = "NODE_MEMBER_BEHIND";
  override readonly remedy =
    "Wait until `sealkv status` shows it ready with a small lag, then promote it again";

  constructor(readonly member: string, readonly lag: number) {
    super(`Cannot promote "${member}" as it is ${lag} entries behind`);
  }
}

/** A member that has yet to prove that it can use encryption. */
export class MemberUnprovenError extends NodeError {
  override readonly name = "MemberUnprovenError";
  override readonly code = "NODE_MEMBER_UNPROVEN";
  override readonly remedy: string;

  constructor(
    readonly action: string,
    readonly member: string,
    readonly finding: {
      readonly code: string;
      readonly message: string;
      readonly remedy: string;
    },
  ) {
    super(
      `Cannot ${action} "${member}" as it must prove that it can use encryption: ${finding.message}`,
    );
    this.remedy =
      `${finding.remedy}, then give the command again; nothing was changed`;
  }
}

/** The leadership did not pass on in time; the old leader leads on. */
export class TransferFailedError extends NodeError {
  override readonly name = "TransferFailedError";
  override readonly code = "NODE_TRANSFER_FAILED";
  override readonly remedy =
    "Check with `sealkv status` that the other member is up and has no lag, then try again";

  constructor(readonly member: string) {
    super(`Cannot hand the leadership to "${member}" in time`);
  }
}

/** This member is no longer part of its cluster. */
export class MemberRemovedError extends NodeError {
  override readonly name = "MemberRemovedError";
  override readonly code = "NODE_MEMBER_REMOVED";
  override readonly remedy =
    "Keep or delete the data dir; to come back as a new member: `sealkv member rebuild`";

  constructor(readonly member: string, readonly id: number) {
    super(`Cannot go on as "${member}" (raft id ${id}): it was removed`);
  }
}

/** A member's name with another disk than the one the cluster knows. */
export class DiskReplacedError extends NodeError {
  override readonly name = "DiskReplacedError";
  override readonly code = "NODE_DISK_REPLACED";
  override readonly remedy =
    "Put the member's own data dir back, or make it a new member: `sealkv member rebuild`";

  constructor(readonly member: string) {
    super(
      `Cannot take part as "${member}": the cluster knows it with another data dir`,
    );
  }
}

/** The data dir belongs to a member of another name. */
export class WrongNodeError extends NodeError {
  override readonly name = "WrongNodeError";
  override readonly code = "NODE_WRONG_NODE";
  override readonly remedy: string;

  /** `part` of the data dir says that it is of `known`. */
  constructor(
    readonly given: string,
    readonly known: string,
    readonly part = "data dir",
  ) {
    super(`Cannot start as "${given}": the ${part} is of "${known}"`);
    this.remedy = part === "data dir"
      ? "Start it with the --node that the message names"
      : `Put back the ${part} of this node; all else stays as it is`;
  }
}

/** The cluster will not let this node join. */
export class JoinRefusedError extends NodeError {
  override readonly name = "JoinRefusedError";
  override readonly code = "NODE_JOIN_REFUSED";
  override readonly remedy =
    "Add the member first: `sealkv member add NAME --peer HOST:PORT`; one whose data dir is lost: `sealkv member rebuild`";

  constructor(readonly member: string, readonly reason: string) {
    super(`Cannot join as "${member}": ${reason}`);
  }
}

/** A data dir with a cluster of its own is told to belong to another one. */
export class AlreadyFoundedError extends NodeError {
  override readonly name = "AlreadyFoundedError";
  override readonly code = "NODE_ALREADY_FOUNDED";
  override readonly remedy =
    "Start it without --initial-cluster and --join and add members to it with `sealkv member add`, or give it an empty --data-dir";

  constructor(readonly member: string) {
    super(
      `Cannot start as a member of another cluster: "${member}" has founded one of its own in this data dir`,
    );
  }
}
