import type { Bytes } from "../base/bytes.ts";
import type {
  AtomicWrite,
  KvValue,
  Versionstamp,
  WriteReply,
} from "../fsm/types.ts";

/** All that the edges (kvconnect, admin) see of a node. */
export interface NodePort {
  /** `null` until cluster-init is applied here. */
  clusterId(): Bytes | null;
  /**
   * Resolves when committed and applied here.
   *
   * @throws {NodeError} NODE_OVERLOADED, NODE_NOT_READY (nothing happened), or
   * NODE_OUTCOME_UNKNOWN (it may still commit).
   */
  write(write: AtomicWrite): Promise<WriteReply>;
  /**
   * Reads all ranges from one state; expired records are absent. `strong` waits
   * for a read index first.
   *
   * @throws {NodeError} As `write`; store faults.
   */
  read(request: ReadRequest): Promise<readonly (readonly ReadEntry[])[]>;
  /**
   * Calls `onChange` after any commit or expiry that touched one of `keys`,
   * from registration on, possibly more often than there were changes.
   */
  watch(
    database: string,
    keys: readonly Uint8Array[],
    onChange: () => void,
  ): { cancel(): void };
  status(): NodeStatus;
  /** Calls `onStop` when watches must end (shutdown, leadership lost). */
  onStop(onStop: () => void): { cancel(): void };
}

export interface ReadRequest {
  readonly database: string;
  readonly ranges: readonly ReadRange[];
  readonly strong: boolean;
}

/** Half-open [start, end) in unsigned byte order; empty when end ≤ start. */
export interface ReadRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  /** ≥ 1. Fewer entries come back only when there are no more. */
  readonly limit: number;
  readonly reverse: boolean;
}

export interface ReadEntry {
  readonly key: Uint8Array;
  readonly value: KvValue;
  readonly versionstamp: Versionstamp;
}

export type MemberRole = "leader" | "follower" | "candidate" | "learner";

/** How the leader feeds a member; "unknown" on other members. */
export type ReplicationState = "probe" | "replicate" | "snapshot" | "unknown";

export interface MemberStatus {
  /** Raft id. */
  readonly id: number;
  readonly name: string;
  readonly role: MemberRole;
  readonly isVoter: boolean;
  readonly up: boolean;
  /** Serves its clients. */
  readonly ready: boolean;
  /** Entries behind the commit index known here. */
  readonly lag: number;
  readonly applied: number;
  readonly phase: 0 | 1 | 2;
  readonly replication: ReplicationState;
  /** HOST:PORT; "" until the member announced itself. */
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly adminAddress: string;
  /** It has taken part before: its disk is known to the cluster. */
  readonly hasStarted: boolean;
}

export interface NodeStatus {
  /** Cluster name; "" before cluster-init. */
  readonly cluster: string;
  readonly clusterId: Bytes | null;
  readonly node: string;
  /** Name of the leader; "" when unknown. */
  readonly leader: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly phase: 0 | 1 | 2;
  readonly ready: boolean;
  /** By raft id. */
  readonly members: readonly MemberStatus[];
}

/** A change of the members that an operator asks for. */
export type MemberRequest =
  /** Always a learner first; `promote` makes it a voter when caught up. */
  | {
    readonly kind: "add";
    readonly name: string;
    /** HOST:PORT that other members dial. */
    readonly peerAddress: string;
    readonly promote: boolean;
  }
  | { readonly kind: "promote"; readonly name: string }
  /** One-way: wants `confirm`. */
  | { readonly kind: "remove"; readonly name: string }
  /** `name` "": the voter that is furthest. */
  | { readonly kind: "transfer-leader"; readonly name: string };

/** What every change of the cluster takes besides its own fields. */
export interface ChangeTerms {
  /** Plan only. */
  readonly dryRun: boolean;
  /** Hash of the plan that was looked at; "" for any. */
  readonly planHash: string;
  /** Name of the cluster, for one-way steps. */
  readonly confirm: string;
  /** Risks taken, one word each (admin/change_request.ts). */
  readonly accept: readonly string[];
  /** Who asks, for the history; nobody in particular unless given. */
  readonly actor?: string;
}

/** What a change does, made of the state it was asked in. */
export interface ChangePlan {
  /** 16 hex digits over leader, term, members and the request. */
  readonly hash: string;
  /** One line each, for people. */
  readonly steps: readonly string[];
}

export interface ChangeResult {
  readonly plan: ChangePlan;
  /** False for a dry run, and when all was as asked already. */
  readonly isChanged: boolean;
  /** Raft id of the member it is about. */
  readonly memberId: number;
}

/** What operators do through a node. */
export interface OperatorPort {
  /**
   * Plans the change, and carries it out unless it is a dry run; resolves when
   * it is committed and applied here. Only the leader does.
   *
   * @throws {NodeError} NODE_NOT_LEADER, NODE_MEMBER_*, NODE_QUORUM_AT_RISK,
   * NODE_CONFIRMATION_WRONG, NODE_PLAN_STALE, NODE_TRANSFER_FAILED,
   * NODE_NOT_READY. Nothing was changed then, but for NODE_OUTCOME_UNKNOWN.
   */
  changeMembers(
    request: MemberRequest,
    terms: ChangeTerms,
  ): Promise<ChangeResult>;
  /** Calls `onChange` when `status()` may have changed, at most 20 times a second. */
  watchStatus(onChange: () => void): { cancel(): void };
  /**
   * A consistent copy of the store as a stream (formats.md), made now, of all
   * that was answered before; waits as a strong read does.
   */
  backup(): AsyncIterable<Bytes>;
}
