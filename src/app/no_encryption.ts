import { EMPTY_BYTES } from "../base/bytes.ts";
import { EncryptionNotAvailableError } from "../node/encryption/change_errors.ts";
import type { EncryptionPort } from "../node/encryption_port.ts";
import type { NodePort } from "../node/port.ts";

/** A node that cannot encrypt: it says so, and changes nothing. */
export function noEncryption(
  node: Pick<NodePort, "status" | "clusterId">,
): EncryptionPort {
  return {
    async encryptionStatus() {
      const { node: name, clusterId, applied } = node.status();
      return {
        node: name,
        clusterId,
        applied,
        phase: 0,
        stateIndex: 0,
        storageCutoverIndex: 0,
        raftCutoverIndex: 0,
        cleartextLockIndex: 0,
        keys: [],
        retired: [],
        own: {
          isEnabled: false,
          gaps: [],
          kekIds: [],
          sidecarIndex: 0,
          epochs: [],
        },
      };
    },
    async answerCapability() {
      throw new EncryptionNotAvailableError("answer-capability");
    },
    async askCapabilities() {
      throw new EncryptionNotAvailableError("ask-capabilities");
    },
    async changeEncryption({ kind }) {
      throw new EncryptionNotAvailableError(kind);
    },
    exportEncryptionState: () => ({
      clusterId: node.clusterId(),
      applied: node.status().applied,
      state: EMPTY_BYTES,
    }),
  };
}
