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

export interface MemberStatus {
  readonly name: string;
  readonly role: MemberRole;
  readonly up: boolean;
  /** Serves its clients. */
  readonly ready: boolean;
  /** Entries behind the leader's commit index. */
  readonly lag: number;
  readonly applied: number;
  readonly phase: 0 | 1 | 2;
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
  readonly members: readonly MemberStatus[];
}
