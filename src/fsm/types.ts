import type { Bytes } from "../base/bytes.ts";
import {
  type KeyId,
  NO_KEY,
  type SealingPurpose,
  type WrappedKey,
} from "../base/data_key.ts";

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

/** A data key as the cluster knows it. */
export interface KeyEntry extends WrappedKey {
  /** Of the entry that brought it. */
  readonly createdIndex: number;
  /** Of the entry that made another key of its purpose active; 0 for none. */
  readonly deactivatedIndex: number;
}

/** What one node may have sealed with one key. */
export interface WriterRow {
  readonly keyId: KeyId;
  /** Low 16 bits of `fullNodeId`: two nodes of a row must not share them. */
  readonly node16: number;
  readonly fullNodeId: bigint;
  readonly firstEpoch: number;
  /** 0 for a node that was admitted and has sealed nothing. */
  readonly lastEpoch: number;
}

/** `<key id>/<node16>`, both decimal. */
export type WriterId = string;

export function writerId(keyId: KeyId, node16: number): WriterId {
  return `${keyId}/${node16}`;
}

/** Everything about encryption that all members agree on. */
export interface EncryptionState {
  /**
   * Of the last entry that changed keys, active ids, cutovers or the lock; 0
   * for none. Registrations do not count.
   */
  readonly stateIndex: number;
  /** By id, ascending; the state key included, retired ones not. */
  readonly keys: ReadonlyMap<KeyId, KeyEntry>;
  /** Ids that were keys once and are refused for ever. */
  readonly retired: ReadonlySet<KeyId>;
  /** NO_KEY before bootstrap. */
  readonly active: Readonly<Record<SealingPurpose, KeyId>>;
  /** NO_KEY before bootstrap. */
  readonly stateKey: KeyId;
  /** 0 for not yet, each. */
  readonly storageCutoverIndex: number;
  readonly raftCutoverIndex: number;
  readonly cleartextLockIndex: number;
  /** By `writerId`, ascending by key id, then node16. */
  readonly writers: ReadonlyMap<WriterId, WriterRow>;
}

/** The state before bootstrap. */
export const NO_ENCRYPTION: EncryptionState = {
  stateIndex: 0,
  keys: new Map(),
  retired: new Set(),
  active: { storage: NO_KEY, raft: NO_KEY },
  stateKey: NO_KEY,
  storageCutoverIndex: 0,
  raftCutoverIndex: 0,
  cleartextLockIndex: 0,
  writers: new Map(),
};

/** A session that a node wants to be known by. */
export interface WriterClaim {
  readonly keyId: KeyId;
  readonly epoch: number;
}

/** What an encryption entry asks for: tags 0x03, 0x04 and 0x05. */
export type EncryptionChange =
  /** All claims are of one node; all are taken or none is. */
  | {
    readonly kind: "registration";
    readonly fullNodeId: bigint;
    readonly claims: readonly WriterClaim[];
  }
  /** The three first keys, one of each purpose. */
  | { readonly kind: "bootstrap"; readonly keys: readonly WrappedKey[] }
  | {
    readonly kind: "rotate-dek";
    /** Purpose is its own. */
    readonly key: WrappedKey;
    /** The key that was active when the change was planned. */
    readonly replaces: KeyId;
  }
  /** New wraps for every key there is. */
  | {
    readonly kind: "rewrap-deks";
    readonly wraps: ReadonlyMap<KeyId, WrappedKey["wraps"]>;
  }
  | { readonly kind: "retire-dek"; readonly keyId: KeyId }
  | { readonly kind: "enable-storage-envelope" }
  | { readonly kind: "enable-raft-envelope" }
  | { readonly kind: "seal-cleartext" };

/** Re-sealing, as all members carry it out. */
export interface RewriteJob {
  /** Index of the entry that started it: names the job. */
  readonly id: number;
  /** Of values, on each member; 0 for no bound. */
  readonly bytesPerSecond: number;
  readonly isPaused: boolean;
}

/** What became of a step that an operator asked for. */
export const ROLLOUT_RESULTS = [
  "done",
  "unchanged",
  "refused",
  "unknown",
] as const;
export type RolloutResult = (typeof ROLLOUT_RESULTS)[number];

/** One line of the cluster's history. */
export interface RolloutEvent {
  /** Of the entry that recorded it. */
  readonly index: number;
  /** Unix ms, by the clock of the leader that recorded it. */
  readonly atMs: number;
  /** Who asked; at most ROLLOUT_ACTOR_BYTES_MAX. */
  readonly actor: string;
  /** The step as its command is called; at most ROLLOUT_ACTION_BYTES_MAX. */
  readonly action: string;
  /** 16 hex digits. */
  readonly planHash: string;
  readonly result: RolloutResult;
  /** Of the entry that did it; 0 for none. */
  readonly entry: number;
  /** Code of a refusal, or what was asked for; at most ROLLOUT_DETAIL_BYTES_MAX. */
  readonly detail: string;
}

/** The rollout as every member and every front end shows it. */
export interface RolloutState {
  readonly rewrite: RewriteJob | null;
  /** Unix ms until which later one-way steps wait; 0 for not. */
  readonly dwellUntilMs: number;
  /** Oldest first, at most ROLLOUT_EVENTS_MAX: older ones are forgotten. */
  readonly events: readonly RolloutEvent[];
}

export const NO_ROLLOUT: RolloutState = {
  rewrite: null,
  dwellUntilMs: 0,
  events: [],
};

/** What an entry of tag 0x07 asks for. */
export type RolloutChange =
  | {
    readonly kind: "event";
    readonly event: Omit<RolloutEvent, "index">;
  }
  | { readonly kind: "start-rewrite"; readonly bytesPerSecond: number }
  | { readonly kind: "pause-rewrite" }
  /** `bytesPerSecond` is `null` for the same rate as before. */
  | {
    readonly kind: "resume-rewrite";
    readonly bytesPerSecond: number | null;
  }
  | { readonly kind: "dwell"; readonly untilMs: number };

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
  readonly encryption: EncryptionState;
  readonly rollout: RolloutState;
}
