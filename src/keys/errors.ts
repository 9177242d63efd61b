import { EPOCH_MAX, type KeyId, type KeyPurpose } from "../base/data_key.ts";
import { NodeError } from "../base/error.ts";

const RESYNC =
  "Rebuild the sidecar while the node is stopped: `sealkv encryption resync-sidecar --data-dir D --kek URI`";
const REBUILD =
  "Keep a copy of the data directory and let the others rebuild this member: `sealkv member rebuild NAME --data-dir D --admin ADDR`";

/** One id for two data keys: ids are never used again. */
export class KeyConflictError extends NodeError {
  override readonly name = "KeyConflictError";
  override readonly code = "KEYS_KEY_CONFLICT";
  override readonly remedy = REBUILD;

  constructor(
    readonly keyId: KeyId,
    readonly field: "commitment" | "purpose",
  ) {
    super(
      `Cannot take over data key ${keyId} as an id names one key for ever:` +
        ` current value is a key of another ${field}`,
    );
  }
}

/** A data key that this node does not hold. */
export class KeyUnknownError extends NodeError {
  override readonly name = "KeyUnknownError";
  override readonly code = "KEYS_KEY_UNKNOWN";
  override readonly remedy =
    "Compare the keys of this member with the leader's: `sealkv encryption status`; if it lacks one, rebuild it: `sealkv member rebuild NAME --data-dir D --admin ADDR`";

  /** `purpose` is `null` where any would do. */
  constructor(readonly keyId: KeyId, readonly purpose: KeyPurpose | null) {
    const use = purpose === null ? "" : ` for "${purpose}"`;
    super(`Cannot use data key ${keyId}${use} as this node holds no such key`);
  }
}

/** A KEK opened a wrap, but what is in it is another key. */
export class CommitmentMismatchError extends NodeError {
  override readonly name = "CommitmentMismatchError";
  override readonly code = "KEYS_COMMITMENT_MISMATCH";
  override readonly remedy = RESYNC;

  /** `holds` is the key whose wrap it is, where that is known. */
  constructor(readonly keyId: KeyId, readonly holds: KeyId | null = null) {
    super(
      `Cannot open data key ${keyId} as its commitment must match what its` +
        ` wrap holds: current value is ${
          holds === null ? "another key" : `data key ${holds}`
        }`,
    );
  }
}

/** No KEK of this node opens a data key. */
export class KekMismatchError extends NodeError {
  override readonly name = "KekMismatchError";
  override readonly code = "KEYS_KEK_MISMATCH";
  override readonly remedy =
    "Start the node with a KEK that wraps the key, all else as it was: `sealkv serve --encryption-enabled --kek URI`";

  constructor(
    readonly keyId: KeyId,
    /** Ids of the KEKs that its wraps name. */
    readonly wrappedUnder: readonly string[],
    /** Ids of the KEKs that this node has. */
    readonly kekIds: readonly string[],
  ) {
    super(
      kekIds.length === 0
        ? `Cannot open data key ${keyId} as no KEK is configured:` +
          " --encryption-enabled and --kek are not given"
        : `Cannot open data key ${keyId} as it is wrapped under` +
          ` ${quoted(wrappedUnder)}: current value is ${quoted(kekIds)}`,
    );
  }
}

/** A KEK is named that this node does not have. */
export class KekUnknownError extends NodeError {
  override readonly name = "KekUnknownError";
  override readonly code = "KEYS_KEK_UNKNOWN";
  override readonly remedy =
    "Name a KEK that the leader was started with: `sealkv encryption status` lists them";

  /** `kek` is `null` where any would do. */
  constructor(
    readonly kek: string | null,
    readonly kekIds: readonly string[],
  ) {
    const wanted = kek === null ? "a KEK" : `the KEK "${kek}"`;
    super(
      `Cannot wrap under ${wanted} as this node must have it: current value` +
        ` is ${quoted(kekIds)}`,
    );
  }
}

/** The sidecar does not parse, or a field is out of range. */
export class SidecarMalformedError extends NodeError {
  override readonly name = "SidecarMalformedError";
  override readonly code = "KEYS_SIDECAR_MALFORMED";
  override readonly remedy = RESYNC;

  constructor(
    readonly path: string,
    /** `keys.77.purpose`; "" for the file as a whole. */
    readonly field: string,
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    const place = field === "" ? "" : `, field "${field}",`;
    super(`Cannot read the sidecar "${path}"${place} as ${rule}`, options);
  }
}

/** The sidecar is not as this node wrote it. */
export class SidecarTamperedError extends NodeError {
  override readonly name = "SidecarTamperedError";
  override readonly code = "KEYS_SIDECAR_TAMPERED";
  override readonly remedy =
    "Find out who changed the file and keep a copy of it; then rebuild it while the node is stopped: `sealkv encryption resync-sidecar --data-dir D --kek URI`";

  constructor(
    readonly path: string,
    readonly finding: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot trust the sidecar "${path}" as it must be as this node wrote` +
        ` it: ${finding}`,
      options,
    );
  }
}

/** The sidecar could not be made durable; the one before still holds. */
export class SidecarWriteFailedError extends NodeError {
  override readonly name = "SidecarWriteFailedError";
  override readonly code = "KEYS_SIDECAR_WRITE_FAILED";
  override readonly remedy =
    "Correct what the cause says of the disk, then start the node again: `sealkv serve`";

  constructor(readonly path: string, options?: ErrorOptions) {
    super(`Cannot make the sidecar "${path}" durable`, options);
  }
}

/** A node has used all its epochs of a data key. */
export class EpochExhaustedError extends NodeError {
  override readonly name = "EpochExhaustedError";
  override readonly code = "KEYS_EPOCH_EXHAUSTED";
  override readonly remedy =
    "Have the other members make another key active: `sealkv encryption rotate-dek --purpose storage`, or `--purpose raft`; then give this node, stopped, its sidecar: `sealkv encryption resync-sidecar --data-dir D --kek URI --admin ADDR`";

  constructor(readonly keyId: KeyId) {
    super(
      `Cannot begin a session under data key ${keyId} as its epoch is at most` +
        ` ${EPOCH_MAX}: current value is ${EPOCH_MAX}`,
    );
  }
}

/** A sidecar shows an epoch that cannot be one. */
export class EpochOutOfRangeError extends NodeError {
  override readonly name = "EpochOutOfRangeError";
  override readonly code = "KEYS_EPOCH_OUT_OF_RANGE";
  override readonly remedy = RESYNC;

  constructor(readonly keyId: KeyId, readonly epoch: number) {
    super(
      `Cannot use the epoch of data key ${keyId} as it must be 0 to` +
        ` ${EPOCH_MAX}: current value is ${epoch}`,
    );
  }
}

/** A file system that cannot keep a sidecar through a crash. */
export class FilesystemUnsupportedError extends NodeError {
  override readonly name = "FilesystemUnsupportedError";
  override readonly code = "KEYS_FILESYSTEM_UNSUPPORTED";
  override readonly remedy =
    "Put the data directory on a local file system that can rename and sync files and directories, writable for the user that runs the node";

  constructor(readonly dir: string, options?: ErrorOptions) {
    super(
      `Cannot keep a sidecar in "${dir}" as its file system must write,` +
        " rename and sync files and directories",
      options,
    );
  }
}

function quoted(ids: readonly string[]): string {
  return ids.map((id) => `"${id}"`).join(", ") || "none";
}
