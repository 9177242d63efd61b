import type { NodeError } from "../base/error.ts";

/** How one member does, counted since its process began. */
export interface Vitals {
  readonly node: string;
  readonly uptimeMs: bigint;
  /** Replies of the data plane, watches left out. */
  readonly requests: bigint;
  /** Requests by the time to their reply: cumulative, bounds ascending. */
  readonly latency: readonly {
    /** Seconds; Infinity for the last. */
    readonly bound: number;
    readonly count: bigint;
  }[];
  readonly proposals: bigint;
  readonly elections: bigint;
  readonly walSyncs: bigint;
  readonly walBytes: bigint;
  readonly residentBytes: bigint;
  /** Of the file system of the data dir; 0 when the platform hides it. */
  readonly diskFreeBytes: bigint;
  readonly diskTotalBytes: bigint;
  /** Envelopes sealed by this process, by key id ascending. */
  readonly seals: readonly {
    readonly keyId: number;
    readonly count: bigint;
  }[];
}

/** What one member says of itself, or why it does not. */
export type MemberVitals =
  & { readonly member: string }
  & (
    | { readonly vitals: Vitals; readonly failure: null }
    | { readonly vitals: null; readonly failure: NodeError }
  );
