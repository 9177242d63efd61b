import type { LogIndex, SnapshotMetadata } from "../raft/types.ts";
import type { StoreState } from "../store/meta.ts";
import type { Wal } from "../wal/wal.ts";
import { COMPACT_AFTER_BYTES, TRAILING_ENTRIES } from "./limits.ts";

/** When the log is compacted, and what it keeps. */
export interface CompactionOptions {
  /** COMPACT_AFTER_BYTES unless given. */
  readonly compactAfterBytes?: number;
  /** TRAILING_ENTRIES unless given. */
  readonly trailingEntries?: number;
}

/**
 * Keeps the log short: every so many bytes it marks in the log how far the
 * store is durable, then lets go of what lies below, but for a tail.
 */
export class Compaction {
  readonly #wal: Wal;
  #bytesAtMark = 0;
  #running: Promise<void> | null = null;

  readonly #afterBytes: number;
  readonly #trailing: number;

  constructor(wal: Wal, options: CompactionOptions) {
    this.#wal = wal;
    this.#afterBytes = options.compactAfterBytes ?? COMPACT_AFTER_BYTES;
    this.#trailing = options.trailingEntries ?? TRAILING_ENTRIES;
    this.#bytesAtMark = wal.counters.bytesWritten;
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

  /** Resolves when no round is running. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #compact(mark: SnapshotMetadata): Promise<void> {
    await this.#wal.mark(mark);
    const until: LogIndex = mark.index - this.#trailing;
    if (until >= this.#wal.storage.firstIndex()) await this.#wal.compact(until);
  }
}
