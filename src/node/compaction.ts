import type { LogIndex, SnapshotMetadata } from "../raft/types.ts";
import type { StoreState } from "../store/meta.ts";
import type { Wal } from "../wal/wal.ts";
import type { LogHold } from "./checkpoint/port.ts";
import {
  COMPACT_AFTER_BYTES,
  HOLD_LOG_BYTES_MAX,
  TRAILING_ENTRIES,
} from "./limits.ts";

/** When the log is compacted, and what it keeps. */
export interface CompactionOptions {
  /** COMPACT_AFTER_BYTES unless given. */
  readonly compactAfterBytes?: number;
  /** TRAILING_ENTRIES unless given. */
  readonly trailingEntries?: number;
  /** HOLD_LOG_BYTES_MAX unless given. */
  readonly holdLogBytesMax?: number;
}

/**
 * The store's durable state once it `isEnough`; `null` when that is not to be
 * waited for any more.
 */
export type DurableUntil = (
  isEnough: (durable: StoreState) => boolean,
) => Promise<StoreState | null>;

/** How much of the log had been written when an index was marked. */
interface Round {
  readonly index: LogIndex;
  readonly bytesWritten: number;
}

/**
 * Keeps the log short: every so many bytes it marks in the log how far the
 * store is durable, then lets go of what lies below, but for a tail and for
 * what `hold` still needs.
 */
export class Compaction {
  readonly #wal: Wal;
  readonly #hold: LogHold | null;
  #bytesAtMark = 0;
  #running: Promise<void> | null = null;
  /** Ascending; the first is at or below all that is held. */
  #rounds: readonly Round[];

  readonly #afterBytes: number;
  readonly #trailing: number;
  readonly #holdBytesMax: number;

  constructor(
    wal: Wal,
    options: CompactionOptions,
    hold: LogHold | null = null,
  ) {
    this.#wal = wal;
    this.#hold = hold;
    this.#afterBytes = options.compactAfterBytes ?? COMPACT_AFTER_BYTES;
    this.#trailing = options.trailingEntries ?? TRAILING_ENTRIES;
    this.#holdBytesMax = options.holdLogBytesMax ?? HOLD_LOG_BYTES_MAX;
    this.#bytesAtMark = wal.counters.bytesWritten;
    this.#rounds = [{ index: 0, bytesWritten: this.#bytesAtMark }];
  }

  /** Starts a round if enough was written; `state` is what a restart finds. */
  consider(state: StoreState, onError: (error: unknown) => void): void {
    const written = this.#wal.counters.bytesWritten - this.#bytesAtMark;
    if (this.#running !== null || written < this.#afterBytes) return;
    this.#bytesAtMark += written;
    const { applied, confState } = state;
    this.#running = this.#compact({ ...applied, confState })
      .catch(onError)
      .finally(() => this.#running = null);
  }

  /**
   * Lets all files of the log go that hold an entry up to `below`, which is
   * applied; what members behind need of it they get as a checkpoint.
   *
   * @throws {NodeError} What the log throws.
   */
  async forget(below: LogIndex, until: DurableUntil): Promise<void> {
    while (this.#running !== null) await this.#running;
    const forgotten = this.#forgetUntil(below, until);
    this.#running = forgotten.catch(() => {})
      .finally(() => this.#running = null);
    await forgotten;
  }

  async #forgetUntil(below: LogIndex, until: DurableUntil): Promise<void> {
    for (let index: LogIndex | null = below; index !== null;) {
      const least = index;
      const state = await until(({ applied }) =>
        applied.index >= least && this.#reaches(applied.index)
      );
      if (state === null) return;
      await this.#wal.mark({ ...state.applied, confState: state.confState });
      index = await this.#wal.scrubBelow(below);
    }
  }

  /** False while a checkpoint is the store already and the log is to follow. */
  #reaches(index: LogIndex): boolean {
    return index <= this.#wal.storage.lastIndex();
  }

  /** Resolves when no round is running. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #compact(mark: SnapshotMetadata): Promise<void> {
    const bytesWritten = this.#bytesAtMark;
    this.#rounds = [...this.#rounds, { index: mark.index, bytesWritten }];
    await this.#wal.mark(mark);
    const until = this.#notHeld(mark.index - this.#trailing);
    if (until >= this.#wal.storage.firstIndex()) await this.#wal.compact(until);
  }

  /** `until`, or less where that is needed and not too much to keep. */
  #notHeld(until: LogIndex): LogIndex {
    const held = this.#hold?.retainFrom() ?? null;
    if (held === null || held >= until) return this.#forget(until);
    this.#forget(held);
    const bytes = this.#bytesAtMark - (this.#rounds[0]?.bytesWritten ?? 0);
    if (bytes <= this.#holdBytesMax) return held;
    this.#hold?.drop(bytes);
    return this.#forget(until);
  }

  /** Lets go of rounds that the log above `index` does not reach back to. */
  #forget(index: LogIndex): LogIndex {
    const first = this.#rounds.findLastIndex((round) => round.index <= index);
    this.#rounds = this.#rounds.slice(Math.max(first, 0));
    return index;
  }
}
