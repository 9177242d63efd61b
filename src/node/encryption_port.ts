import type { Bytes } from "../base/bytes.ts";
import type {
  KeyId,
  KeyPurpose,
  KeyWrap,
  SealingPurpose,
} from "../base/data_key.ts";
import type { RolloutState } from "../fsm/types.ts";
import type { ChangePlan, ChangeTerms } from "./port.ts";

/** A change of encryption that an operator asks for. Leader only. */
export type EncryptionRequest =
  | { readonly kind: "bootstrap" }
  | { readonly kind: "rotate-dek"; readonly purpose: SealingPurpose }
  /** Ids of KEKs that the leader has; none: its primary one. */
  | { readonly kind: "rewrap-deks"; readonly keks: readonly string[] }
  /** Proposes the registration of this node's current epochs once more. */
  | { readonly kind: "register-writer" }
  | { readonly kind: "enable-storage-envelope" }
  | { readonly kind: "enable-raft-envelope" }
  | { readonly kind: "seal-cleartext" }
  | { readonly kind: "retire-dek"; readonly keyId: KeyId }
  /** 0: no bound. */
  | { readonly kind: "start-rewrite"; readonly bytesPerSecond: number }
  | { readonly kind: "pause-rewrite" }
  /** `null`: at the rate of before. */
  | {
    readonly kind: "resume-rewrite";
    readonly bytesPerSecond: number | null;
  }
  /** On these members (names); none: on all. */
  | { readonly kind: "scrub"; readonly members: readonly string[] }
  /** Unix ms; 0 ends the wait. */
  | { readonly kind: "update-rollout"; readonly dwellUntilMs: number };

/** Records of one member's store, by how they are kept. */
export interface RecordCounts {
  readonly cleartext: number;
  readonly sealed: ReadonlyMap<KeyId, number>;
}

/** How a long task of one member is getting on. */
export interface MemberTask {
  readonly member: string;
  readonly state:
    | "waiting"
    | "running"
    | "paused"
    | "done"
    | "failed"
    | "silent";
  /** In records; `total` is 0 while it is not known. */
  readonly done: number;
  readonly total: number;
  /** Of values. */
  readonly bytes: number;
  /** Since it began here. */
  readonly elapsedMs: number;
  /** A failure in words; "" for none. */
  readonly failure: string;
}

/** A change that members take their time for. */
export interface ChangeUnderWay {
  readonly action: EncryptionRequest["kind"];
  /** One for each member that has a part in it. */
  readonly members: readonly MemberTask[];
}

export interface MemberScan extends MemberTask {
  /** `null` until it is done. */
  readonly counts: RecordCounts | null;
}

export interface EncryptionResult {
  readonly plan: ChangePlan;
  /** False for a dry run, and when all was as asked already. */
  readonly isChanged: boolean;
  /** Of the entry that did it, or had done it before; 0 for none. */
  readonly index: number;
  /** Members that could not be asked and need not be: by name. */
  readonly unreachable: readonly string[];
}

/** One member's answer in a fan-out; `code` "" for a proven one. */
export interface CapabilityFinding {
  readonly member: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** A challenge as it travels (encryption.md, Capability). */
export interface CapabilityAsk {
  readonly clusterId: Bytes;
  readonly term: number;
  /** Full node id of the member that is asked. */
  readonly target: bigint;
  readonly challenges: readonly KeyWrap[];
}

export interface CapabilityAnswer {
  /** What it says of itself; protobuf `CapabilityStatement`. */
  readonly statement: Bytes;
  /** HMAC-SHA-256 of the statement; empty when no challenge opened. */
  readonly proof: Bytes;
}

export interface KeyStatus {
  readonly id: KeyId;
  readonly purpose: KeyPurpose;
  readonly isActive: boolean;
  readonly createdMs: number;
  readonly createdIndex: number;
  readonly deactivatedIndex: number;
  /** Ids of the KEKs that wrap it. */
  readonly keks: readonly string[];
  readonly writers: readonly WriterStatus[];
}

export interface WriterStatus {
  /** Name of the member; "" for a node that is none. */
  readonly member: string;
  readonly fullNodeId: bigint;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
}

/** Encryption as this member has applied it, and its own share. */
export interface EncryptionStatus {
  readonly node: string;
  readonly clusterId: Bytes | null;
  readonly applied: number;
  readonly phase: 0 | 1 | 2;
  readonly stateIndex: number;
  readonly storageCutoverIndex: number;
  readonly raftCutoverIndex: number;
  readonly cleartextLockIndex: number;
  /** By id. */
  readonly keys: readonly KeyStatus[];
  readonly retired: readonly KeyId[];
  readonly own: {
    readonly isEnabled: boolean;
    /** What stands in the way of changes here; one line each. */
    readonly gaps: readonly string[];
    readonly kekIds: readonly string[];
    readonly sidecarIndex: number;
    readonly epochs: readonly {
      readonly keyId: KeyId;
      readonly epoch: number;
    }[];
  };
}

/** What operators do about encryption through a node. */
export interface EncryptionPort {
  encryptionStatus(): Promise<EncryptionStatus>;
  answerCapability(ask: CapabilityAsk): Promise<CapabilityAnswer>;
  /** Asks every member, fresh; only the leader does. */
  askCapabilities(): Promise<readonly CapabilityFinding[]>;
  /**
   * Plans the change and carries it out unless it is a dry run; resolves when
   * it is committed and applied here. Only the leader does.
   *
   * @throws {NodeError} NODE_NOT_LEADER, NODE_ENCRYPTION_*, NODE_CAPABILITY_UNPROVEN,
   * NODE_PLAN_STALE, NODE_CHANGE_UNDER_WAY. Nothing was changed then, but for
   * NODE_OUTCOME_UNKNOWN.
   */
  changeEncryption(
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult>;
  /** The job, the dwell and the history, as this member has applied them. */
  rolloutState(): RolloutState;
  /** The long change that the leader carries out; only it can say. */
  changeUnderWay(): ChangeUnderWay | null;
  /** How far each member is with the rewrite job; only the leader can say. */
  rewriteProgress(): Promise<readonly MemberTask[]>;
  /**
   * Has members count all their records (names; none: all of them), and tells
   * how they get on until all have ended. Only the leader does.
   */
  scanRecords(
    members: readonly string[],
  ): AsyncIterable<readonly MemberScan[]>;
  /**
   * The applied encryption state, encoded (fsm/encryption_codec.ts), for a
   * node that rebuilds its sidecar.
   */
  exportEncryptionState(): {
    readonly clusterId: Bytes | null;
    readonly applied: number;
    readonly state: Bytes;
  };
}
