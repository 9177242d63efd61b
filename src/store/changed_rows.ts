import type { KvKey } from "../io/kv.ts";
import type { RowObserver } from "./backing.ts";
import { isBulkRow, rowName } from "./row_key.ts";

/** Names and key parts of rows that wait to be copied again. */
const CHANGED_BYTES_MAX = 4 * 2 ** 20;
/** Map entries beside names and key parts. */
const ENTRY_BYTES = 256;

/**
 * Which rows of records changed while a copy is made of them.
 *
 * 1. A row is here from its change on, so that whatever a read before found is
 *    read again.
 * 2. Above the limit, writers wait in `beforeChange` until `take`.
 */
export class ChangedRows implements RowObserver {
  readonly #bytesMax: number;
  #rows = new Map<string, KvKey>();
  #bytes = 0;
  /** Rows that were let through: their change must not wait. */
  readonly #expected = new Set<string>();
  #room: PromiseWithResolvers<void> | null = null;
  #pressure = Promise.withResolvers<void>();
  #isOver = false;

  constructor(bytesMax = CHANGED_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** Rows that `take` would give. */
  get size(): number {
    return this.#rows.size;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  /** Resolves while a writer waits for `take`, and at the end. */
  get pressure(): Promise<void> {
    return this.#pressure.promise;
  }

  async beforeChange(keys: readonly KvKey[]): Promise<void> {
    const names = keys.filter(isBulkRow).map(rowName);
    if (names.every((name) => this.#expected.has(name))) return;
    while (this.isFull && !this.#isOver) {
      this.#pressure.resolve();
      this.#room ??= Promise.withResolvers<void>();
      await this.#room.promise;
    }
    for (const name of names) this.#expected.add(name);
  }

  afterChange(keys: readonly KvKey[]): void {
    for (const key of keys.filter(isBulkRow)) {
      const name = rowName(key);
      this.#expected.delete(name);
      if (this.#isOver || this.#rows.has(name)) continue;
      this.#rows.set(name, key);
      this.#bytes += ENTRY_BYTES + 3 * name.length;
    }
  }

  /** The rows so far, each once; from here on they are not known. */
  take(): readonly KvKey[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    this.#bytes = 0;
    this.#pressure = Promise.withResolvers<void>();
    this.#letThrough();
    return rows;
  }

  /** Keeps no writer waiting any more, and no row. */
  end(): void {
    this.#isOver = true;
    this.#rows.clear();
    this.#pressure.resolve();
    this.#letThrough();
  }

  #letThrough(): void {
    this.#room?.resolve();
    this.#room = null;
  }
}
