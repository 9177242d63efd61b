import type { KeyId } from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import type { CheckpointDamagedError } from "../../store/errors.ts";

/** There is a file where a backup was to be made. */
export class BackupExistsError extends NodeError {
  override readonly name = "BackupExistsError";
  override readonly code = "APP_BACKUP_EXISTS";
  override readonly remedy =
    "Give --out another name, or remove the file when it is not needed: `sealkv backup verify FILE` says what it is";

  constructor(readonly path: string) {
    super(`Cannot make the backup "${path}" as a file is there already`);
  }
}

/** Bytes of a backup that nobody wrote so, or that are missing. */
export class BackupDamagedError extends NodeError {
  override readonly name = "BackupDamagedError";
  override readonly code = "APP_BACKUP_DAMAGED";
  override readonly remedy =
    "Use another copy of the backup, or an earlier one; a new one comes from `sealkv backup create --out FILE`";
  readonly fault: string;
  /** Of the header or chunk that is damaged. */
  readonly offset: number;

  constructor(
    readonly path: string,
    damage: Pick<CheckpointDamagedError, "fault" | "offset">,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot use the backup "${path}" as its bytes must be intact: at offset ${damage.offset} the current value has "${damage.fault}"`,
      options,
    );
    this.fault = damage.fault;
    this.offset = damage.offset;
  }
}

/** A backup with data keys, and no KEK that opens them. */
export class BackupKeysMissingError extends NodeError {
  override readonly name = "BackupKeysMissingError";
  override readonly code = "APP_BACKUP_KEYS_MISSING";
  override readonly remedy =
    "Give a KEK that the cluster had when the backup was made, beside any other: `--kek URI`; without one nobody can open it";

  constructor(
    readonly path: string,
    readonly keys: {
      readonly keyId: KeyId;
      /** Ids of the KEKs that wrap it. */
      readonly wrappedUnder: readonly string[];
      /** Ids of the KEKs that were given. */
      readonly given: readonly string[];
    },
    options?: ErrorOptions,
  ) {
    const { keyId, wrappedUnder, given } = keys;
    super(
      `Cannot open the backup "${path}" as its data key ${keyId} is wrapped under ${
        named(wrappedUnder)
      }: current value is ${given.length === 0 ? "no KEK" : named(given)}`,
      options,
    );
  }
}

/** A backup in cleartext, for a node that is to take part in encryption. */
export class BackupCleartextError extends NodeError {
  override readonly name = "BackupCleartextError";
  override readonly code = "APP_BACKUP_CLEARTEXT";
  override readonly remedy =
    "Make sure that the file is yours, for nothing vouches for it, and give --accept-cleartext-backup; its records stay in cleartext until `sealkv encryption enable-storage-envelope`";

  constructor(readonly path: string) {
    super(
      `Cannot restore the backup "${path}" for a node with encryption as it must be sealed: current value is cleartext`,
    );
  }
}

/** Something is where a backup was to be restored to. */
export class RestoreTargetInUseError extends NodeError {
  override readonly name = "RestoreTargetInUseError";
  override readonly code = "APP_RESTORE_TARGET_IN_USE";
  override readonly remedy =
    "Give --data-dir a directory that is new or empty; what an earlier restore left that was cut short is to be removed first";

  constructor(readonly path: string, readonly found: string) {
    super(
      `Cannot restore into "${path}" as nothing must be in it: current value has "${found}"`,
    );
  }
}

function named(ids: readonly string[]): string {
  return ids.map((id) => `"${id}"`).join(", ");
}
