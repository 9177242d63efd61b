/**
 * Names that errors have in the system whose design encryption descends from:
 * an operator who knows those finds ours by them in docs/errors.md.
 */
export const OLDER_NAMES: Readonly<Record<string, readonly string[]>> = {
  APP_BACKUP_KEYS_MISSING: ["ErrBackupMissingSidecar"],
  CRYPTO_NONCES_EXHAUSTED: ["ErrWriteCountExhausted"],
  KEYS_EPOCH_EXHAUSTED: ["ErrLocalEpochExhausted"],
  KEYS_EPOCH_OUT_OF_RANGE: ["ErrLocalEpochOutOfRange"],
  KEYS_FILESYSTEM_UNSUPPORTED: ["ErrUnsupportedFilesystem"],
  KEYS_KEK_INSECURE: ["ErrInsecureKEKFile"],
  KEYS_KEK_MISMATCH: ["ErrKEKMismatch"],
  KEYS_KEY_CONFLICT: ["ErrKeyConflict"],
  KEYS_KEY_UNKNOWN: ["ErrUnknownKeyID"],
  NODE_CAPABILITY_UNPROVEN: ["ErrCapabilityCheckFailed"],
  NODE_CHANGE_UNDER_WAY: ["ErrEnvelopeCutoverInProgress"],
  NODE_CUTOVER_DIVERGENCE: ["ErrEnvelopeCutoverDivergence"],
  NODE_ENCRYPTION_GATE_CLOSED: ["ErrKEKNotConfigured"],
  NODE_ENCRYPTION_HALTED: ["ErrEncryptionApply"],
  NODE_EPOCH_ROLLBACK: ["ErrLocalEpochRollback"],
  NODE_ID_COLLISION: ["ErrNodeIDCollision"],
  NODE_KEK_REQUIRED: ["ErrKEKRequiredWithFlag"],
  NODE_KEY_IN_USE: ["ErrRaftDEKWALStillReferences"],
  NODE_MEMBER_UNPROVEN: [
    "ErrPeerNotEncryptionCapable",
    "ErrPeerNotEncryptionRegistered",
  ],
  NODE_NOT_BOOTSTRAPPED: ["ErrEncryptionNotBootstrapped"],
  NODE_NOT_READY: ["ErrWriterNotRegistered"],
  NODE_RAFT_UNWRAP_FAILED: ["ErrRaftUnwrapFailed"],
  NODE_SIDECAR_BEHIND: [
    "ErrLogCompactedPastSidecar",
    "ErrSidecarBehindRaftLog",
  ],
  NODE_SIDECAR_WITHOUT_FLAG: ["ErrSidecarPresentWithoutFlag"],
  STORE_RECORD_INTEGRITY: ["ErrEncryptedReadIntegrity"],
};
