import { assert } from "../base/assert.ts";
import type { RaftLog } from "./port.ts";
import type { Entry, LogIndex, Snapshot, Term } from "./types.ts";

/**
 * The end of the log that is not known to be durable, with an optional
 * checkpoint before it.
 *
 * 1. `entries` continue at `offset`, which may lie at or below the stable last
 *    index: the next write then truncates the stable log.
 * 2. Entries in [offset, offsetInProgress) were handed out to be written.
 * 3. Arrays handed out are copies: none changes later.
 */
export class Unstable {
  snapshot: Snapshot | null = null;
  snapshotInProgress = false;
  offset: LogIndex;
  offsetInProgress: LogIndex;
  #entries: Entry[] = [];
  readonly #log: RaftLog | null;

  constructor(offset: LogIndex, log: RaftLog | null) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.#log = log;
  }

  /** Entries held. */
  get length(): number {
    return this.#entries.length;
  }

  /** First index of the log after the pending checkpoint; 0 without one. */
  firstIndex(): LogIndex {
    return this.snapshot === null ? 0 : this.snapshot.metadata.index + 1;
  }

  /** Last index known here; 0 when all is stable. */
  lastIndex(): LogIndex {
    const { length } = this.#entries;
    if (length > 0) return this.offset + length - 1;
    return this.snapshot === null ? 0 : this.snapshot.metadata.index;
  }

  /** Term at `index` if it is known here, else -1. */
  term(index: LogIndex): Term {
    if (index < this.offset) {
      const metadata = this.snapshot?.metadata;
      return metadata?.index === index ? metadata.term : -1;
    }
    return this.#entries[index - this.offset]?.term ?? -1;
  }

  /** Entries of [from, until), which must lie within. */
  slice(from: LogIndex, until: LogIndex): readonly Entry[] {
    assert(
      from >= this.offset && from <= until &&
        until <= this.offset + this.#entries.length,
      "an unstable range lies within the unstable entries",
    );
    return this.#entries.slice(from - this.offset, until - this.offset);
  }

  hasNextEntries(): boolean {
    return this.offset + this.#entries.length > this.offsetInProgress;
  }

  /** Entries not yet handed out to be written. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.offsetInProgress - this.offset);
  }

  /** The checkpoint, if not yet handed out to be installed. */
  nextSnapshot(): Snapshot | null {
    return this.snapshotInProgress ? null : this.snapshot;
  }

  /** Marks all that is held as handed out. */
  acceptInProgress(): void {
    const { length } = this.#entries;
    if (length > 0) this.offsetInProgress = this.offset + length;
    if (this.snapshot !== null) this.snapshotInProgress = true;
  }

  /**
   * Forgets entries up to `index`, which are durable now.
   *
   * Does nothing unless exactly (index, term) is held: a late answer may be
   * about entries that were replaced since.
   */
  stableTo(index: LogIndex, term: Term): void {
    const held = this.term(index);
    if (held < 0) {
      this.#log?.info?.(
        `entry at index ${index} missing from unstable log; ignoring`,
      );
      return;
    }
    if (index < this.offset) {
      this.#log?.info?.(
        `entry at index ${index} matched unstable snapshot; ignoring`,
      );
      return;
    }
    if (held !== term) {
      this.#log?.info?.(
        `entry at (index,term)=(${index},${term}) mismatched with entry at ` +
          `(${index},${held}) in unstable log; ignoring`,
      );
      return;
    }
    const count = index + 1 - this.offset;
    if (count === this.#entries.length) this.#entries = [];
    else this.#entries.splice(0, count);
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
  }

  /** Forgets the checkpoint at `index`, which is installed now. */
  stableSnapshotTo(index: LogIndex): void {
    if (this.snapshot?.metadata.index !== index) return;
    this.snapshot = null;
    this.snapshotInProgress = false;
  }

  /** Replaces everything by `snapshot`. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.metadata.index + 1;
    this.offsetInProgress = this.offset;
    this.#entries = [];
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Appends `entries`, replacing what is held at and above their first. */
  append(entries: readonly Entry[]): void {
    const first = entries[0]?.index ?? 0;
    const end = this.offset + this.#entries.length;
    assert(first > 0 && first <= end, "entries continue or replace the log");
    if (first === end) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (first <= this.offset) {
      this.#log?.info?.(`replace the unstable entries from index ${first}`);
      this.#entries = entries.slice();
      this.offset = first;
      this.offsetInProgress = first;
    } else {
      this.#log?.info?.(
        `truncate the unstable entries before index ${first}`,
      );
      this.#entries.length = first - this.offset;
      for (const entry of entries) this.#entries.push(entry);
      this.offsetInProgress = Math.min(this.offsetInProgress, first);
    }
  }
}
