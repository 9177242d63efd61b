import { NodeError } from "../base/error.ts";

const REMEDY_DAMAGED =
  "Stop the node, keep a copy of its data directory, and check the disk; in a cluster let the others rebuild this member: `sealkv member rebuild`; alone, restore the directory from a copy made before the damage";

/** Ways in which a stored record can contradict itself. */
export type RecordFault =
  | "too short"
  | "unknown format"
  | "reserved state bits"
  | "unknown encoding"
  | "wrong checksum"
  | "wrong place"
  | "missing overflow part";

/** Bytes of a record changed after they were stored. Never served. */
export class StoreRecordDamagedError extends NodeError {
  override readonly name = "StoreRecordDamagedError";
  override readonly code = "STORE_RECORD_DAMAGED";
  override readonly remedy = REMEDY_DAMAGED;

  /** `keyName` is what `keyName()` gives: never the key. */
  constructor(
    readonly fault: RecordFault,
    readonly database: number,
    readonly keyName: string,
  ) {
    super(
      `Cannot serve record ${keyName} of database ${database} as its stored bytes must be intact: current value has "${fault}"`,
    );
  }
}

/** Records are sealed, or must be, and the store was opened without keys. */
export class StoreRecordSealedError extends NodeError {
  override readonly name = "StoreRecordSealedError";
  override readonly code = "STORE_RECORD_SEALED";
  override readonly remedy =
    "Start the node with its keys; `sealkv doctor --data-dir D` says what is missing";

  constructor(readonly database: number, readonly keyName: string) {
    super(
      `Cannot use record ${keyName} of database ${database} as records of this store are sealed: current value is a store opened without keys`,
    );
  }
}

/** Why a record's envelope, or the lack of one, is not believed. */
export type IntegrityFault =
  | "tag-mismatch"
  | "envelope-malformed"
  | "session-unknown"
  | "key-unknown"
  | "cleartext-after-cutover"
  | "cleartext-after-lock";

/** What a refused record is called: `null` where that cannot be told. */
export interface RefusedRecord {
  /** 20 hex digits, as stored. */
  readonly versionstamp: string;
  /** Keyed hash of its place: never the key. */
  readonly name: string | null;
}

/** A record that this node did not seal as it is now. Never served. */
export class StoreRecordIntegrityError extends NodeError {
  override readonly name = "StoreRecordIntegrityError";
  override readonly code = "STORE_RECORD_INTEGRITY";
  override readonly remedy =
    "Keep a copy of the data directory and find out who can write to it, then let the others rebuild this member: `sealkv member rebuild NAME --data-dir D --admin ADDR`; if it leads while another one joins, hand its leadership on first: `sealkv member transfer-leader`; alone, restore a backup";

  constructor(
    readonly fault: IntegrityFault,
    readonly record: RefusedRecord,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot serve the record of versionstamp ${record.versionstamp}${
        record.name === null ? "" : ` (name ${record.name})`
      } as ${INTEGRITY_RULE[fault]}: current value has "${fault}"`,
      options,
    );
  }
}

const INTEGRITY_RULE: Readonly<Record<IntegrityFault, string>> = {
  "tag-mismatch": "its bytes, key and place must be those that were sealed",
  "envelope-malformed": "it must be an envelope of this node",
  "session-unknown": "this store must have the session that sealed it",
  "key-unknown": "this node must hold the key that sealed it",
  "cleartext-after-cutover": "it was written when records were sealed",
  "cleartext-after-lock": "no cleartext is left in this cluster",
};

/** An internal row does not decode. */
export class StoreRowDamagedError extends NodeError {
  override readonly name = "StoreRowDamagedError";
  override readonly code = "STORE_ROW_DAMAGED";
  override readonly remedy = REMEDY_DAMAGED;

  constructor(
    readonly row: string,
    readonly fault: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot use the store as its ${row} row must be intact: current value has "${fault}"`,
      options,
    );
  }
}

/**
 * The encryption state of the store has been changed: its MAC is not the one
 * that this node's state key gives.
 */
export class StateTamperedError extends NodeError {
  override readonly name = "StateTamperedError";
  override readonly code = "STORE_STATE_TAMPERED";
  override readonly remedy =
    "Keep a copy of the data directory and find out who can write to it, then let the others rebuild this member: `sealkv member rebuild NAME --data-dir D --admin ADDR`";

  /** `stateIndex` is what the changed state says of itself. */
  constructor(readonly stateIndex: number) {
    super(
      `Cannot use the store as its encryption state must be as this node wrote it: current value has been changed, and says it is of index ${stateIndex}`,
    );
  }
}

/** Written by a later program. */
export class StoreVersionUnsupportedError extends NodeError {
  override readonly name = "StoreVersionUnsupportedError";
  override readonly code = "STORE_VERSION_UNSUPPORTED";
  override readonly remedy =
    "Start the version of sealkv that wrote this data directory";

  constructor(readonly version: number, readonly known: number) {
    super(
      `Cannot open the store as this program knows its formats up to ${known}: current value is ${version}`,
    );
  }
}

/** The backing Deno KV refused; whether a commit took place is unknown. */
export class StoreBackingFailedError extends NodeError {
  override readonly name = "StoreBackingFailedError";
  override readonly code = "STORE_BACKING_FAILED";
  override readonly remedy =
    "Check free space, permissions and health of the disk that holds the data directory, then start the node again; if it fails again, put the directory back from a copy, or let the others rebuild this member: `sealkv member rebuild`";

  constructor(readonly operation: string, options?: ErrorOptions) {
    super(`Cannot ${operation} as the backing store failed`, options);
  }
}

/** The store was closed while or before the call ran. */
export class StoreClosedError extends NodeError {
  override readonly name = "StoreClosedError";
  override readonly code = "STORE_CLOSED";
  override readonly remedy = "Start the node again";

  constructor() {
    super("Cannot use the store as it must be open: current value is closed");
  }
}

/** Bytes of a checkpoint or backup file that nobody wrote so. Never used. */
export class CheckpointDamagedError extends NodeError {
  override readonly name = "CheckpointDamagedError";
  override readonly code = "STORE_CHECKPOINT_DAMAGED";
  override readonly remedy =
    "Check the disk that holds the file and use another copy of it; a member gets a new checkpoint from its leader by itself";

  constructor(
    readonly file: string,
    readonly fault: string,
    /** Of the header or chunk that is damaged. */
    readonly offset: number,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot use the checkpoint "${file}" as its bytes must be intact: at offset ${offset} the current value has "${fault}"`,
      options,
    );
  }
}

/** A checkpoint or backup file of a later program. */
export class CheckpointUnsupportedError extends NodeError {
  override readonly name = "CheckpointUnsupportedError";
  override readonly code = "STORE_CHECKPOINT_UNSUPPORTED";
  override readonly remedy =
    "Use the version of sealkv that wrote the file, or a newer one";

  constructor(readonly file: string, readonly feature: string) {
    super(
      `Cannot use the checkpoint "${file}" as this program must know all of it: current value has "${feature}"`,
    );
  }
}
