import { NodeError } from "../../base/error.ts";
import type { KeyId } from "../../base/data_key.ts";

/** A committed change of encryption that this member cannot take over. */
export class EncryptionHaltedError extends NodeError {
  override readonly name = "EncryptionHaltedError";
  override readonly code = "NODE_ENCRYPTION_HALTED";
  /** What helps against the cause; a restart applies the entry then. */
  override readonly remedy: string;

  /** `index` is the entry's, or the checkpoint's. */
  constructor(readonly index: number, cause: NodeError) {
    super(`Cannot apply the change of encryption at ${index}`, { cause });
    this.remedy = cause.remedy;
  }
}

/** Another life of this node has begun later sessions than this one knows. */
export class EpochRollbackError extends NodeError {
  override readonly name = "EpochRollbackError";
  override readonly code = "NODE_EPOCH_ROLLBACK";
  override readonly remedy: string;

  /** `finding` is `null` when another member found it. */
  constructor(
    readonly node: string,
    readonly finding: {
      readonly keyId: KeyId;
      readonly epoch: number;
      readonly registered: number;
    } | null,
  ) {
    super(
      finding === null
        ? `Cannot take part as "${node}" with a data dir that was put back: another member knows of later sessions`
        : `Cannot take part as "${node}" with a data dir that was put back: it begins epoch ${finding.epoch} of key ${finding.keyId}, and the cluster knows of ${finding.registered} already`,
    );
    const rebuild =
      `Rebuild it: \`sealkv member rebuild ${node} --data-dir D --admin ADDR\``;
    // Nobody else knows more than a node alone does.
    this.remedy = finding === null
      ? rebuild
      : `${rebuild}; a node alone: \`sealkv encryption resync-sidecar --data-dir D --kek URI\``;
  }
}

/** Two members would seal under one half of a nonce. */
export class NodeIdCollisionError extends NodeError {
  override readonly name = "NodeIdCollisionError";
  override readonly code = "NODE_ID_COLLISION";
  override readonly remedy =
    "Give this node another name: in --initial-cluster, before there is a cluster; later, remove the member and add it again under one that `sealkv member add` accepts";

  /** `other` is the full node id of the one that was there first. */
  constructor(readonly node: string, readonly other: bigint) {
    super(
      `Cannot register "${node}" as another member has its 16 bits of nonces: its node id is ${
        other.toString(16).padStart(16, "0")
      }`,
    );
  }
}
