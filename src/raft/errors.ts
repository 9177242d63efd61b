import { NodeError } from "../base/error.ts";
import type { LogIndex } from "./types.ts";

const REBUILD_REMEDY =
  "Stop this member for good, keep its files for the investigation, and let " +
  "a new member with a new id take its place";

/**
 * The leader counts on entries that this member once had and no longer has:
 * its disk was wiped or replaced, or lost acknowledged writes.
 */
export class RaftLogLostError extends NodeError {
  override readonly name = "RaftLogLostError";
  override readonly code = "RAFT_LOG_LOST";
  override readonly remedy = REBUILD_REMEDY;

  constructor(readonly commit: LogIndex, readonly lastIndex: LogIndex) {
    super(
      `Cannot commit up to index "${commit}" as the log must reach it: ` +
        `current value is "${lastIndex}"`,
    );
  }
}

/** A leader sent an entry that contradicts one which is committed here. */
export class RaftLogConflictError extends NodeError {
  override readonly name = "RaftLogConflictError";
  override readonly code = "RAFT_LOG_CONFLICT";
  override readonly remedy = REBUILD_REMEDY;

  constructor(readonly index: LogIndex, readonly commit: LogIndex) {
    super(
      `Cannot replace the entry at index "${index}" as committed entries ` +
        `never change: current value is commit "${commit}"`,
    );
  }
}

/** What the disk holds does not fit together, so this member must not start. */
export class RaftStateMalformedError extends NodeError {
  override readonly name = "RaftStateMalformedError";
  override readonly code = "RAFT_STATE_MALFORMED";
  override readonly remedy =
    "Restore this member's data directory from before the damage, or let a " +
    "new member with a new id take its place";

  constructor(readonly field: string, rule: string, value: string | number) {
    super(
      `Cannot start from the stored ${field} as ${rule}: ` +
        `current value is "${value}"`,
    );
  }
}

/** The data of a configuration entry is not what this program writes. */
export class ConfChangeMalformedError extends NodeError {
  override readonly name = "ConfChangeMalformedError";
  override readonly code = "RAFT_CONF_CHANGE_MALFORMED";
  override readonly remedy =
    "Check that all members run the same release, and restore this member " +
    "from a copy if they do";

  constructor(readonly rule: string, readonly value: string) {
    super(
      `Cannot read a membership change as it must be ${rule}: ` +
        `current value is "${value}"`,
    );
  }
}
