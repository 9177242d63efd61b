import { NodeError } from "../base/error.ts";
import type { LogIndex } from "../raft/types.ts";

const REBUILD =
  "Keep a copy of the data directory; in a cluster let the others rebuild this member: `sealkv member rebuild`; alone, restore it from a backup";

/** A log is there where a new one was to be made. */
export class WalExistsError extends NodeError {
  override readonly name = "WalExistsError";
  override readonly code = "WAL_ALREADY_EXISTS";
  override readonly remedy =
    "Start the node with an empty data directory, or without founding again";

  constructor(readonly dir: string) {
    super(`Cannot create a log in "${dir}" as it holds one already`);
  }
}

/** The log was used after `close`. */
export class WalClosedError extends NodeError {
  override readonly name = "WalClosedError";
  override readonly code = "WAL_CLOSED";
  override readonly remedy = "Start the node again: `sealkv serve`";

  constructor(readonly dir: string) {
    super(`Cannot use the log in "${dir}" as it is closed`);
  }
}

/** Where damage was found. `offset` in bytes from the start of `segment`. */
export interface DamagePlace {
  readonly segment: string;
  readonly offset: number;
  /** The frame that should be there; `null` when no frame before it is good. */
  readonly expectedSeq: number | null;
}

/** Bytes that were durable once do not read back as they were written. */
export class WalDamagedError extends NodeError {
  override readonly name = "WalDamagedError";
  override readonly code = "WAL_DAMAGED";
  override readonly remedy = REBUILD;

  constructor(
    readonly place: DamagePlace,
    readonly finding: string,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot read the log at offset ${place.offset} of "${place.segment}"` +
        ` as frame ${place.expectedSeq ?? "unknown"}: ${finding}`,
      options,
    );
  }
}

/** The files are of another node, cluster or log. */
export class WalForeignError extends NodeError {
  override readonly name = "WalForeignError";
  override readonly code = "WAL_FOREIGN";
  override readonly remedy =
    "Start the node under its own name with its own data directory";

  constructor(
    readonly file: string,
    readonly field: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `Cannot use "${file}" as a part of this log: its ${field} is` +
        ` "${found}" instead of "${expected}"`,
    );
  }
}

/** A newer program wrote these files. */
export class WalFormatUnsupportedError extends NodeError {
  override readonly name = "WalFormatUnsupportedError";
  override readonly code = "WAL_FORMAT_UNSUPPORTED";
  override readonly remedy =
    "Run a version of sealkv that is at least as new as the one that wrote it";

  constructor(readonly segment: string, readonly format: number) {
    super(
      `Cannot read "${segment}" as a segment of a known format:` +
        ` current value is ${format}`,
    );
  }
}

/** Every frame is whole, but together they break a rule of the log. */
export class WalInconsistentError extends NodeError {
  override readonly name = "WalInconsistentError";
  override readonly code = "WAL_INCONSISTENT";
  override readonly remedy = REBUILD;

  constructor(readonly place: DamagePlace, readonly rule: string) {
    super(
      `Cannot accept the log at offset ${place.offset} of` +
        ` "${place.segment}" as consistent: ${rule}`,
    );
  }
}

/** Another process has this log open. */
export class WalLockedError extends NodeError {
  override readonly name = "WalLockedError";
  override readonly code = "WAL_LOCKED";
  override readonly remedy =
    "Stop the other node that runs on this data directory";

  constructor(readonly path: string) {
    super(`Cannot lock "${path}" as another process holds it`);
  }
}

/** There is no log where one was to be opened. */
export class WalMissingError extends NodeError {
  override readonly name = "WalMissingError";
  override readonly code = "WAL_MISSING";
  override readonly remedy =
    "Restore the data directory from a backup, or start with an empty one";

  constructor(readonly dir: string) {
    super(`Cannot open a log in "${dir}" as it holds none`);
  }
}

/** The entries asked for were purged. */
export class WalCompactedError extends NodeError {
  override readonly name = "WalCompactedError";
  override readonly code = "WAL_RANGE_COMPACTED";
  override readonly remedy = "Ask for entries from `firstIndex` on";

  constructor(readonly from: LogIndex, readonly firstIndex: LogIndex) {
    super(
      `Cannot fetch entries from ${from} as the log starts at ${firstIndex}`,
    );
  }
}

/** A segment between others, or the newest one, is gone. */
export class WalSegmentMissingError extends NodeError {
  override readonly name = "WalSegmentMissingError";
  override readonly code = "WAL_SEGMENT_MISSING";
  override readonly remedy = REBUILD;

  constructor(readonly dir: string, readonly sequence: number) {
    super(`Cannot read the log in "${dir}" as segment ${sequence} is missing`);
  }
}

/**
 * A write or sync failed: what is durable is unknown, and no retry can tell.
 * The log takes nothing more.
 *
 * Source: Rebello et al., "Can Applications Recover from fsync Failures?",
 * ATC 2020.
 */
export class WalWriteFailedError extends NodeError {
  override readonly name = "WalWriteFailedError";
  override readonly code = "WAL_WRITE_FAILED";
  override readonly remedy =
    "Check the disk and its free space, then start the node again: `sealkv serve`";

  constructor(readonly dir: string, options?: ErrorOptions) {
    super(`Cannot append to the log in "${dir}" as a write failed`, options);
  }
}
