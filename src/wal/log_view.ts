import type { Entry, HardState, LogIndex } from "../raft/types.ts";
import { EntryCache } from "./entry_cache.ts";
import { EntryPlaces } from "./entry_places.ts";
import { LogState } from "./log_state.ts";
import type { Floor, SnapshotMark } from "./record.ts";
import type { SegmentHeader } from "./segment_header.ts";
import { WalStorage } from "./storage.ts";

/**
 * The durable log in memory: its state, its newest entries and where the
 * others lie. Takes the records of a frame in order, then the frame's end.
 *
 * The `accept` methods answer as those of `LogState`.
 */
export class LogView {
  readonly state: LogState;
  readonly cache: EntryCache;
  readonly places = new EntryPlaces();
  readonly storage: WalStorage;
  #replacements = 0;
  /** Least index among the entries of the frame being taken in. */
  #least = Infinity;

  constructor(header: SegmentHeader) {
    this.state = LogState.at(header);
    this.cache = new EntryCache(header.nextIndex);
    this.storage = new WalStorage(this.state, this.cache);
  }

  /** Counts how often entries were replaced: a read across one is void. */
  get replacements(): number {
    return this.#replacements;
  }

  acceptEntry(entry: Entry): string | null {
    const broken = this.state.acceptEntry(entry);
    if (broken !== null) return broken;
    if (entry.index < this.cache.until) this.#replaced();
    this.cache.append(entry);
    this.#least = Math.min(this.#least, entry.index);
    return null;
  }

  acceptHardState(hardState: HardState): string | null {
    return this.state.acceptHardState(hardState);
  }

  acceptMark(mark: SnapshotMark): string | null {
    const broken = this.state.acceptMark(mark);
    if (broken !== null || !mark.install) return broken;
    const next = mark.metadata.index + 1;
    this.#replaced();
    this.cache.restart(next);
    this.#least = next;
    return null;
  }

  acceptFloor(floor: Floor): string | null {
    const broken = this.state.acceptFloor(floor);
    if (broken === null) this.cache.forget(floor.index);
    return broken;
  }

  acceptFrameEnd(): string | null {
    return this.state.acceptFrameEnd();
  }

  /** Remembers where the records since the last call lie. */
  placeFrame(segment: number, offset: number): void {
    if (this.#least !== Infinity) {
      this.places.note(segment, offset, this.#least);
    }
    this.#least = Infinity;
  }

  /** Entries up to `until` are applied and may leave memory. */
  release(until: LogIndex): void {
    this.cache.release(Math.min(until, this.state.lastIndex));
  }

  #replaced(): void {
    this.#replacements += 1;
    this.storage.dropFetched();
  }
}
