import type { Bytes } from "../../base/bytes.ts";
import type { KeyId, KeyPurpose } from "../../base/data_key.ts";
import { streamKeyId } from "../../store/checkpoint/header.ts";
import { NO_KEY } from "../../base/data_key.ts";
import type { CheckpointState } from "../../store/meta.ts";

/** A data key of a backup, and what opens it. */
export interface BackupKey {
  readonly id: KeyId;
  readonly purpose: KeyPurpose;
  /** Ids of KEKs: any one is enough. */
  readonly keks: readonly string[];
}

/** What is known of a backup. */
export interface BackupFacts {
  readonly path: string;
  readonly bytes: number;
  readonly isSealed: boolean;
  /** `header`: its chunks are all there, and nobody could open them. */
  readonly verified: "all" | "header";
  /** `null` before cluster-init. */
  readonly clusterId: Bytes | null;
  readonly clusterName: string;
  /** Of the last log entry whose effects are in it. */
  readonly index: number;
  readonly term: number;
  /** Replicated clock of that moment, Unix ms. */
  readonly clockMs: number;
  readonly members: readonly string[];
  /** Besides the default one. */
  readonly databases: number;
  /** `null`: they could not be counted. */
  readonly records: number | null;
  readonly keys: readonly BackupKey[];
}

/** What the state of a backup says, and what reading it found. */
export function backupFacts(
  state: CheckpointState,
  found: Pick<
    BackupFacts,
    "path" | "bytes" | "verified" | "records" | "databases"
  >,
): BackupFacts {
  const { applied, fsm } = state;
  const { clusterId, clusterName, clockMs, encryption } = fsm;
  return {
    ...found,
    ...applied,
    ...{ clusterId, clusterName, clockMs },
    isSealed: streamKeyId(state) !== NO_KEY,
    members: [...fsm.members.values()].map(({ name }) => name),
    keys: [...encryption.keys.values()].map(({ id, purpose, wraps }) => ({
      ...{ id, purpose },
      keks: wraps.map(({ kek }) => kek),
    })),
  };
}
