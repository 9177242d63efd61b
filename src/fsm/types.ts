import type { Bytes } from "../base/bytes.ts";

/** How a value's bytes are to be read (KV Connect ValueEncoding). */
export const ENCODING_V8 = 1;
export const ENCODING_LE64 = 2;
export const ENCODING_BYTES = 3;

export type ValueEncoding =
  | typeof ENCODING_V8
  | typeof ENCODING_LE64
  | typeof ENCODING_BYTES;

/** A value as clients write it; LE64 data has exactly 8 bytes. */
export interface KvValue {
  readonly data: Uint8Array;
  readonly encoding: ValueEncoding;
}

/** 10 bytes: entry index u64 ‖ position in the batch u16, big-endian. */
export type Versionstamp = Uint8Array;
export const VERSIONSTAMP_BYTES = 10;

/** Holds when the key's versionstamp equals; `null`: when there is no key. */
export interface Check {
  readonly key: Uint8Array;
  readonly versionstamp: Versionstamp | null;
}

/** What a client asks to change; `expireAtMs` is Unix ms, 0 for never. */
export type Change =
  | {
    /** `suffix` appends this commit's versionstamp to `key` as a string part. */
    readonly kind: "set" | "set-suffix";
    readonly key: Uint8Array;
    readonly value: KvValue;
    readonly expireAtMs: number;
  }
  | { readonly kind: "delete"; readonly key: Uint8Array }
  | {
    readonly kind: "sum";
    readonly key: Uint8Array;
    readonly value: KvValue;
    /** V8 bytes of the bounds; empty for none. */
    readonly min: Uint8Array;
    readonly max: Uint8Array;
    readonly clamp: boolean;
  }
  | {
    readonly kind: "min" | "max";
    readonly key: Uint8Array;
    readonly value: KvValue;
  };

/** FSM input: one client's atomic write. `database` "" is the default one. */
export interface AtomicWrite {
  readonly database: string;
  readonly checks: readonly Check[];
  readonly changes: readonly Change[];
}

/** Committed answer to one atomic write, the same on every member. */
export type WriteReply =
  | { readonly kind: "committed"; readonly versionstamp: Versionstamp }
  /** Zero-based, ascending. */
  | { readonly kind: "check-failed"; readonly failedChecks: readonly number[] }
  /** The write itself is at fault; `reason` is the text users see. */
  | { readonly kind: "rejected"; readonly reason: string };

/** The applied state of one key. */
export interface StoredRecord {
  readonly value: KvValue;
  readonly versionstamp: Versionstamp;
  /** Unix ms, 0 for never. Expired when ≤ the replicated clock. */
  readonly expireAtMs: number;
}

/** Number of a database, from 1 (the default) in order of first write. */
export type DatabaseNumber = number;
export const DEFAULT_DATABASE: DatabaseNumber = 1;
export const DATABASES_MAX = 10_000;

export interface RecordKey {
  readonly database: DatabaseNumber;
  /** KV Connect key: opaque ordered bytes. */
  readonly key: Uint8Array;
}

/** FSM output: the new state of one key; `record` null deletes it. */
export interface Mutation extends RecordKey {
  readonly record: StoredRecord | null;
}

/** Raft id of a member: a safe integer above 0, never reused. */
export type MemberId = number;
/** Members of a cluster, learners included: their row has to fit an atomic. */
export const MEMBERS_MAX = 32;
export const MEMBER_NAME_BYTES_MAX = 63;
/** Longest name of a host is 253 bytes; brackets and the port come to it. */
export const MEMBER_ADDRESS_BYTES_MAX = 300;
export const DISK_ID_BYTES = 16;

/** A member as the cluster knows it. Addresses are HOST:PORT. */
export interface Member {
  readonly id: MemberId;
  readonly name: string;
  /** What other members dial. */
  readonly peerAddress: string;
  /** What clients and operators dial; "" until the member announced itself. */
  readonly clientAddress: string;
  readonly adminAddress: string;
  /** 16 bytes, drawn with its data dir; `null` until it announced itself. */
  readonly diskId: Bytes | null;
  /** Highest version of entries that it can apply; 0 until it announced itself. */
  readonly protocolVersion: number;
  /** Whether the leader makes this learner a voter when it has caught up. */
  readonly promoteWhenCaughtUp: boolean;
}

/** Everything the FSM knows besides records. Replaced, never changed. */
export interface FsmState {
  /** Replicated clock, Unix ms; never goes back. */
  readonly clockMs: number;
  /** 16 bytes; `null` before cluster-init. */
  readonly clusterId: Bytes | null;
  readonly clusterName: string;
  /** Name → number, the default database left out. */
  readonly databases: ReadonlyMap<string, DatabaseNumber>;
  /**
   * By raft id, ascending; no name twice. Empty before cluster-init, and in a
   * cluster of the version that knew no members.
   */
  readonly members: ReadonlyMap<MemberId, Member>;
}
