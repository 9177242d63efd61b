import type { Bytes } from "../../base/bytes.ts";
import type { KeyId } from "../../base/data_key.ts";
import type { NodeError } from "../../base/error.ts";
import type { EncryptionState } from "../../fsm/types.ts";
import type { SharedKeys } from "../../keys/port.ts";
import type { LogHead } from "../log_head.ts";

/** One part of a data dir, as far as it could be read. */
export type Reading<Value> =
  | { readonly kind: "known"; readonly value: Value }
  | { readonly kind: "failed"; readonly error: NodeError }
  /** Not looked at: another part is in the way, or nothing asks for it. */
  | { readonly kind: "unread" };

/** A sidecar as it parses; nothing vouches for it yet. */
export interface SidecarFacts {
  readonly clusterId: Bytes;
  readonly node: string;
  readonly shared: SharedKeys;
  /** Epoch of every key. */
  readonly epochs: ReadonlyMap<KeyId, number>;
}

/** What the store says without its records. */
export interface StoreFacts {
  readonly appliedIndex: number;
  readonly clusterId: Bytes | null;
  readonly encryption: EncryptionState;
  /** Names of the members. */
  readonly members: readonly string[];
  /** Highest epoch that has a session row, by key. */
  readonly sessionEpochs: ReadonlyMap<KeyId, number>;
}

/** What a checkpoint's header says. */
export interface CheckpointFacts {
  readonly path: string;
  readonly index: number;
  readonly encryption: EncryptionState;
}

/** All that startup guards know of a data dir and of how it is started. */
export interface GuardFacts {
  readonly dataDir: string;
  /** Name that the node is started under. */
  readonly node: string;
  /** Members of the cluster that a new data dir begins with; may be none. */
  readonly founders: readonly string[];
  readonly isEnabled: boolean;
  /** KEKs that are configured. */
  readonly kekCount: number;
  /** Another process holds the data dir; nothing is read then. */
  readonly isLocked: boolean;
  /** Name in the identity file; `null` without one. */
  readonly identity: Reading<string | null>;
  readonly log: Reading<LogHead | null>;
  readonly sidecar: Reading<SidecarFacts | null>;
  /** Their ids, once all of them are loaded. */
  readonly keks: Reading<readonly string[]>;
  /** Whether the sidecar's directory keeps what is written to it. */
  readonly filesystem: Reading<"fit" | "not needed">;
  /** `null`: no store yet. */
  readonly store: Reading<StoreFacts | null>;
  /** Whether the sidecar's keys open and its MAC holds. */
  readonly custody: Reading<"opened">;
  /** Whether the MAC of the store's encryption state holds. */
  readonly storeMac: Reading<"holds">;
  /** The newest one in the data dir; `null` for none. */
  readonly checkpoint: Reading<CheckpointFacts | null>;
}
