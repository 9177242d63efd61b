import type {
  Entry,
  LogIndex,
  LogMiss,
  LogStorage,
} from "../../../src/raft/types.ts";
import type { MemoryStorage } from "../../scenario/memory_storage.ts";

/** A stable log of which only the end is in memory. */
export class CachedStorage implements LogStorage {
  readonly #disk: MemoryStorage;
  readonly #cached: number;

  constructor(disk: MemoryStorage, options: { readonly cached: number }) {
    this.#disk = disk;
    this.#cached = options.cached;
  }

  initialState(): ReturnType<LogStorage["initialState"]> {
    return this.#disk.initialState();
  }

  firstIndex(): LogIndex {
    return this.#disk.firstIndex();
  }

  lastIndex(): LogIndex {
    return this.#disk.lastIndex();
  }

  term(index: LogIndex): ReturnType<LogStorage["term"]> {
    return this.#disk.term(index);
  }

  snapshot(): ReturnType<LogStorage["snapshot"]> {
    return this.#disk.snapshot();
  }

  entries(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] | LogMiss {
    const read = this.#disk.entries(from, until, bytesMax);
    if (typeof read === "string") return read;
    return from + this.#cached <= this.#disk.lastIndex() ? "not-cached" : read;
  }
}
