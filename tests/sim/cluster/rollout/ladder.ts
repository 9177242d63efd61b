import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import type { FsmState } from "../../../../src/fsm/types.ts";

/** The step of the ladder that comes next for a cluster in that state. */
export function nextStep({ encryption, rollout }: FsmState): EncryptionRequest {
  if (encryption.storageCutoverIndex === 0) {
    return { kind: "enable-storage-envelope" };
  }
  if (rollout.rewrite === null && encryption.cleartextLockIndex === 0) {
    return { kind: "start-rewrite", bytesPerSecond: 0 };
  }
  if (encryption.cleartextLockIndex === 0) return { kind: "seal-cleartext" };
  if (encryption.raftCutoverIndex === 0) {
    return { kind: "enable-raft-envelope" };
  }
  return { kind: "scrub", members: [] };
}
