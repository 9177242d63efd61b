import { assert, InvariantError } from "../base/assert.ts";
import { encodingSize, encodingSizeOf, limitSize } from "./entry_size.ts";
import { RaftLogConflictError, RaftLogLostError } from "./errors.ts";
import { NO_ENTRIES } from "./message.ts";
import type { RaftLog } from "./port.ts";
import type {
  Entry,
  LogIndex,
  LogMiss,
  LogStorage,
  Snapshot,
  Term,
} from "./types.ts";
import { ENTRY_NORMAL } from "./types.ts";
import { Unstable } from "./unstable.ts";

/** Where a follower's and a leader's log may still agree; term 0 = unknown. */
export interface ConflictHint {
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * The raft log as one member sees it: the stable part in storage, then the
 * unstable part, and three cursors.
 *
 * Always `applied` ≤ `applying` ≤ `committed` ≤ last index. `applying` moves
 * when entries are handed out to be applied, `applied` when that is done.
 */
export class EntryLog {
  committed: LogIndex;
  applying: LogIndex;
  applied: LogIndex;
  readonly unstable: Unstable;
  readonly #storage: LogStorage;
  readonly #applyBytesMax: number;
  readonly #log: RaftLog | null;
  #applyingBytes = 0;
  #applyingPaused = false;

  constructor(
    storage: LogStorage,
    applyBytesMax: number,
    log: RaftLog | null,
  ) {
    this.#storage = storage;
    this.#applyBytesMax = applyBytesMax;
    this.#log = log;
    this.unstable = new Unstable(storage.lastIndex() + 1, log);
    this.committed = storage.firstIndex() - 1;
    this.applying = this.committed;
    this.applied = this.committed;
  }

  /** The cursors as text. */
  describe(): string {
    const { offset, offsetInProgress, length } = this.unstable;
    return `committed=${this.committed}, applied=${this.applied}, ` +
      `applying=${this.applying}, unstable.offset=${offset}, ` +
      `unstable.offsetInProgress=${offsetInProgress}, ` +
      `len(unstable.Entries)=${length}`;
  }

  firstIndex(): LogIndex {
    return this.unstable.firstIndex() || this.#storage.firstIndex();
  }

  lastIndex(): LogIndex {
    return this.unstable.lastIndex() || this.#storage.lastIndex();
  }

  lastTerm(): Term {
    const term = this.term(this.lastIndex());
    assert(typeof term === "number", "the term of the last entry is known");
    return term;
  }

  /** Term at `index`, known for [firstIndex - 1, lastIndex]. */
  term(index: LogIndex): Term | LogMiss {
    const unstable = this.unstable.term(index);
    if (unstable >= 0) return unstable;
    if (index + 1 < this.firstIndex()) return "compacted";
    if (index > this.lastIndex()) return "unavailable";
    return this.#storage.term(index);
  }

  /** Term at `index`, 0 where it is not known. */
  termOrZero(index: LogIndex): Term {
    const term = this.term(index);
    return typeof term === "number" ? term : 0;
  }

  matchTerm(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Tells whether a log ending at (index, term) has all that ours may need. */
  isUpToDate(index: LogIndex, term: Term): boolean {
    const lastTerm = this.lastTerm();
    return term > lastTerm || (term === lastTerm && index >= this.lastIndex());
  }

  /** Appends our own or a leader's `entries`; returns the last index. */
  append(entries: readonly Entry[]): LogIndex {
    const first = entries[0];
    if (first === undefined) return this.lastIndex();
    if (first.index - 1 < this.committed) {
      throw new RaftLogConflictError(first.index, this.committed);
    }
    this.unstable.append(entries);
    return this.lastIndex();
  }

  /**
   * Takes a leader's `entries` that follow (index, term), and its `commit`.
   *
   * Writes from the first entry that is not here yet, so a repeated message
   * never truncates. Returns the last index proven to match the leader's log,
   * or -1 when (index, term) is not in ours.
   *
   * @throws {RaftLogConflictError} When a committed entry would change.
   */
  maybeAppend(
    previous: { readonly index: LogIndex; readonly term: Term },
    entries: readonly Entry[],
    commit: LogIndex,
  ): LogIndex {
    if (!this.matchTerm(previous.index, previous.term)) return -1;
    const last = previous.index + entries.length;
    const conflict = this.#findConflict(entries);
    if (conflict !== 0) {
      if (conflict <= this.committed) {
        throw new RaftLogConflictError(conflict, this.committed);
      }
      const skipped = conflict - previous.index - 1;
      this.append(skipped === 0 ? entries : entries.slice(skipped));
    }
    this.commitTo(Math.min(commit, last));
    return last;
  }

  /** Index of the first of `entries` that is not in the log; 0 if all are. */
  #findConflict(entries: readonly Entry[]): LogIndex {
    for (const { index, term } of entries) {
      if (this.matchTerm(index, term)) continue;
      if (index <= this.lastIndex()) {
        this.#log?.info?.(
          `found conflict at index ${index} [existing term: ` +
            `${this.termOrZero(index)}, conflicting term: ${term}]`,
        );
      }
      return index;
    }
    return 0;
  }

  /**
   * Largest index ≤ `index` whose term is ≤ `term` or not known.
   *
   * No index above it can match a log that has `term` at `index`.
   */
  findConflictByTerm(index: LogIndex, term: Term): ConflictHint {
    for (let at = index; at > 0; at -= 1) {
      const ours = this.term(at);
      if (typeof ours !== "number") return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  /** @throws {RaftLogLostError} When the log does not reach `commit`. */
  commitTo(commit: LogIndex): void {
    if (commit <= this.committed) return;
    const last = this.lastIndex();
    if (commit > last) throw new RaftLogLostError(commit, last);
    this.committed = commit;
  }

  /** Entries from `index` on, at most `bytesMax` but never fewer than one. */
  entries(index: LogIndex, bytesMax: number): readonly Entry[] | LogMiss {
    const last = this.lastIndex();
    return index > last ? NO_ENTRIES : this.slice(index, last + 1, bytesMax);
  }

  /** Entries of [from, until), at most `bytesMax` but never fewer than one. */
  slice(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] | LogMiss {
    assert(from <= until, "a log range does not end before it starts");
    if (from < this.firstIndex()) return "compacted";
    assert(until <= this.lastIndex() + 1, "a log range lies within the log");
    if (from === until) return NO_ENTRIES;
    const { offset } = this.unstable;
    if (from >= offset) {
      return limitSize(this.unstable.slice(from, until), bytesMax);
    }
    const cut = Math.min(until, offset);
    const stable = this.#storage.entries(from, cut, bytesMax);
    if (typeof stable === "string") {
      if (stable !== "unavailable") return stable;
      throw new InvariantError(`stable entries [${from}, ${cut}) are missing`);
    }
    if (until <= offset || stable.length < cut - from) return stable;
    const size = encodingSizeOf(stable);
    if (size >= bytesMax) return stable;
    const rest = limitSize(this.unstable.slice(offset, until), bytesMax - size);
    const [only] = rest;
    if (
      rest.length === 1 && only !== undefined &&
      size + encodingSize(only) > bytesMax
    ) return stable;
    return [...stable, ...rest];
  }

  /**
   * Tells whether [from, until) holds a change of membership; unknown entries
   * count as one.
   */
  hasConfChange(from: LogIndex, until: LogIndex, pageBytes: number): boolean {
    for (let at = from; at < until;) {
      const page = this.slice(at, until, pageBytes);
      if (typeof page === "string") return true;
      for (const entry of page) if (entry.type !== ENTRY_NORMAL) return true;
      at += page.length;
    }
    return false;
  }

  hasPendingSnapshot(): boolean {
    return this.unstable.snapshot !== null;
  }

  /** The newest checkpoint; `null` while one is being made. */
  snapshot(): Snapshot | null {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** Last index that may be applied; un-durable entries only on request. */
  maxAppliable(allowUnstable: boolean): LogIndex {
    return allowUnstable
      ? this.committed
      : Math.min(this.committed, this.unstable.offset - 1);
  }

  hasNextCommitted(allowUnstable: boolean): boolean {
    return !this.#applyingPaused && !this.hasPendingSnapshot() &&
      this.applying < this.maxAppliable(allowUnstable);
  }

  /** Committed entries not yet handed out, within the apply budget. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] | LogMiss {
    if (!this.hasNextCommitted(allowUnstable)) return NO_ENTRIES;
    const budget = this.#applyBytesMax - this.#applyingBytes;
    assert(budget > 0, "an exhausted apply budget pauses applying");
    const until = this.maxAppliable(allowUnstable) + 1;
    return this.slice(this.applying + 1, until, budget);
  }

  /** Counts entries up to `index`, of `bytes`, as handed out to be applied. */
  acceptApplying(index: LogIndex, bytes: number, allowUnstable: boolean): void {
    assert(index <= this.committed, "only committed entries are applied");
    this.applying = index;
    this.#applyingBytes += bytes;
    this.#applyingPaused = this.#applyingBytes >= this.#applyBytesMax ||
      index < this.maxAppliable(allowUnstable);
  }

  /** Counts entries up to `index`, of `bytes`, as applied. */
  appliedTo(index: LogIndex, bytes: number): void {
    assert(index <= this.committed, "applied entries are committed");
    assert(index >= this.applied, "entries are applied in order");
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.#applyBytesMax;
  }

  /** Restarts the log at `snapshot`, whose state is committed. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#log?.info?.(
      `log [${this.describe()}] starts to restore snapshot ` +
        `[index: ${index}, term: ${term}]`,
    );
    this.committed = index;
    this.unstable.restore(snapshot);
  }
}
