import type { Bytes } from "../base/bytes.ts";
import type { Member } from "../fsm/types.ts";
import type { CompactionOptions } from "./compaction.ts";

/** HOST:PORT each; "" for what is not known yet. */
export interface Addresses {
  readonly client: string;
  readonly admin: string;
}

export interface NodeOptions extends CompactionOptions {
  readonly name: string;
  /** Committed with the cluster id at the first election. */
  readonly clusterName: string;
  readonly heartbeatMs: number;
  /** Lower bound; timeouts are drawn from [electionMs, 2 × electionMs). */
  readonly electionMs: number;
  /** Answers strong reads by a lease instead of asking a quorum. */
  readonly readLease?: boolean;
  /** Does not wait for the other voters when a crash tore the log's end. */
  readonly trustTail?: boolean;
  /** Replaces every active key once, if this process comes to lead. */
  readonly rotateOnStart?: boolean;
  /** What clients and operators dial; may be told later by `setAddresses`. */
  readonly addresses?: Addresses;
  /** The node has stopped for good and the process should end. */
  readonly onFatal: (error: Error) => void;
}

/** Who is there before the cluster's own list is. */
export interface Beginnings {
  readonly members: readonly Member[];
  /** The cluster's id for a node that joins one. */
  readonly clusterId: Bytes | null;
}
