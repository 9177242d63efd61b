import type { EncryptionMetricsSource } from "../../../src/app/encryption_metrics.ts";
import type { KeyPurpose } from "../../../src/base/data_key.ts";
import type { KeyEntry } from "../../../src/fsm/types.ts";

function keyOf(id: number, purpose: KeyPurpose): [number, KeyEntry] {
  return [id, {
    id,
    purpose,
    commitment: new Uint8Array(32),
    createdMs: 0,
    wraps: [],
    createdIndex: 1,
    deactivatedIndex: 0,
  }];
}

export const BOOTSTRAPPED: EncryptionMetricsSource = {
  state: () => ({
    active: { storage: 11, raft: 22 },
    keys: new Map([
      keyOf(9, "storage"),
      keyOf(11, "storage"),
      keyOf(22, "raft"),
      keyOf(33, "state"),
    ]),
    storageCutoverIndex: 184_201,
    raftCutoverIndex: 0,
    cleartextLockIndex: 0,
  }),
  epochs: () => new Map([[9, 4], [11, 7], [33, 7]]),
  seals: () => new Map([[11, 5]]),
  openFailures: () => new Map([["rejected", 2]]),
  records: () => ({ cleartext: 3, sealed: new Map([[9, 40], [11, 50]]) }),
  rewriteRemaining: () => 43,
};
