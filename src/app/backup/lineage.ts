import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { KeyId, KeyPurpose, WrappedKey } from "../../base/data_key.ts";
import { checkEncryptionState } from "../../fsm/encryption_invariants.ts";
import {
  type EncryptionState,
  type KeyEntry,
  type Member,
  NO_ENCRYPTION,
  NO_ROLLOUT,
} from "../../fsm/types.ts";
import { FOUNDING_TERM } from "../../node/begin.ts";
import type { CheckpointState } from "../../store/meta.ts";

/**
 * How far a restored cluster starts above its backup: what the old one went on
 * to write after it has no versionstamp that the new one gives again.
 */
const INDEX_GAP = 2 ** 32;

/** One key of each purpose. */
export type FirstKeys = Readonly<Record<KeyPurpose, WrappedKey>>;

/** What a cluster that begins with a backup has of its own. */
export interface Lineage {
  /** 16 bytes, drawn for it. */
  readonly clusterId: Bytes;
  readonly clusterName: string;
  /** Its only member. */
  readonly member: Member;
  /** `null` exactly when the backup has no keys. */
  readonly keys: FirstKeys | null;
}

/** Index that a cluster restored from `state` begins at; `null`: none is left. */
export function firstIndexAfter({ applied }: CheckpointState): number | null {
  const index = applied.index + INDEX_GAP;
  return Number.isSafeInteger(index) ? index : null;
}

/**
 * The state that a new cluster begins with: records, databases and clock of the
 * backup, and nothing else of the cluster that it is of.
 */
export function newLineage(
  old: CheckpointState,
  firstIndex: number,
  { clusterId, clusterName, member, keys }: Lineage,
): CheckpointState {
  const encryption = keys === null
    ? NO_ENCRYPTION
    : newEncryption(old.fsm.encryption, firstIndex, keys);
  const rule = checkEncryptionState(encryption);
  assert(rule === null, rule ?? "a lineage begins with a sound state");
  return {
    applied: { index: firstIndex, term: FOUNDING_TERM },
    confState: {
      voters: [member.id],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
    fsm: {
      ...old.fsm,
      ...{ clusterId, clusterName, encryption },
      members: new Map([[member.id, member]]),
      rollout: NO_ROLLOUT,
    },
  };
}

/** Cutovers and lock are where the old cluster had come to, all at once. */
function newEncryption(
  old: EncryptionState,
  firstIndex: number,
  { storage, raft, state }: FirstKeys,
): EncryptionState {
  const reached = (index: number) => index > 0 ? firstIndex : 0;
  const entries = [storage, raft, state].toSorted((a, b) => a.id - b.id)
    .map((key): [KeyId, KeyEntry] => [
      key.id,
      { ...key, createdIndex: firstIndex, deactivatedIndex: 0 },
    ]);
  return {
    ...NO_ENCRYPTION,
    stateIndex: firstIndex,
    keys: new Map(entries),
    active: { storage: storage.id, raft: raft.id },
    stateKey: state.id,
    storageCutoverIndex: reached(old.storageCutoverIndex),
    raftCutoverIndex: reached(old.raftCutoverIndex),
    cleartextLockIndex: reached(old.cleartextLockIndex),
  };
}
