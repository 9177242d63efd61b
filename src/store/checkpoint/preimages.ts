import type { Bytes } from "../../base/bytes.ts";
import { KV_READ_KEYS_MAX, type KvKey } from "../../io/kv.ts";
import type { Backing, RowObserver } from "../backing.ts";
import { recordPart, rowName } from "../row_key.ts";

/** What records may look like before their change, held for a scan. */
const PREIMAGE_BYTES_MAX = 16 * 2 ** 20;
/** Rows read in one go: up to 5 MiB above the limit. */
const READ_ROWS = 8 * KV_READ_KEYS_MAX;
/** Map entries, key parts and names beside the bytes themselves. */
const ENTRY_BYTES = 256;

/** A record's rows as the scan must see them; `undefined` where unchanged. */
export interface Preimage {
  readonly name: string;
  readonly row: KvKey;
  value: Bytes | null | undefined;
  overflow: Bytes | null | undefined;
}

interface Owed {
  readonly key: KvKey;
  readonly row: KvKey;
  readonly name: string;
  readonly isOverflow: boolean;
}

/**
 * Old values of rows that changed while a scan had not passed them.
 *
 * 1. A value is here before its row's first change is handed to the backing
 *    store, and stays until `pass` moves the cursor over its row.
 * 2. So a page that was read at any moment becomes the scan's state by laying
 *    over it what is here once the read is back.
 * 3. Above the limit, writers wait in `beforeChange` until the scan passes
 *    rows; the scan never waits for writers.
 */
export class Preimages implements RowObserver {
  readonly #backing: Backing;
  readonly #bytesMax: number;
  readonly #saved = new Map<string, Preimage>();
  /** Names in `#saved`, a heap: the least one first. */
  readonly #heap = new NameHeap();
  /** Last row that the scan has passed; `null` when it has passed all. */
  #cursor: string | null = "";
  #bytes = 0;
  #room: PromiseWithResolvers<void> | null = null;
  #pressure = Promise.withResolvers<void>();

  constructor(backing: Backing, bytesMax = PREIMAGE_BYTES_MAX) {
    this.#backing = backing;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves while a writer waits for the scan, and when all is passed. */
  get pressure(): Promise<void> {
    return this.#pressure.promise;
  }

  async beforeChange(keys: readonly KvKey[]): Promise<void> {
    const owed = keys.map(toOwed).filter((item) => item !== null);
    for (let at = 0; at < owed.length; at += READ_ROWS) {
      const group = owed.slice(at, at + READ_ROWS);
      if (!group.some((item) => this.#isMissing(item))) continue;
      while (this.#bytes >= this.#bytesMax) await this.#nextRoom();
      await this.#save(group.filter((item) => this.#isMissing(item)));
    }
  }

  get(name: string): Preimage | undefined {
    return this.#saved.get(name);
  }

  /**
   * Takes the names up to `bound` (all for `null`), in order; they stay known
   * until `pass`.
   */
  take(bound: string | null): readonly string[] {
    return this.#heap.takeUntil(bound);
  }

  /** Forgets `taken` and moves the cursor to `bound`, `null` for the end. */
  pass(taken: readonly string[], bound: string | null): void {
    this.#cursor = bound;
    if (bound === null) this.#saved.clear();
    for (const name of [...taken, ...this.take(bound)]) {
      const saved = this.#saved.get(name);
      if (saved !== undefined) this.#bytes -= costOf(saved);
      this.#saved.delete(name);
    }
    if (bound === null) this.#bytes = 0;
    else if (this.#bytes >= this.#bytesMax) return;
    this.#room?.resolve();
    this.#room = null;
    if (bound === null) this.#pressure.resolve();
    else this.#pressure = Promise.withResolvers();
  }

  #isMissing({ name, isOverflow }: Owed): boolean {
    if (this.#cursor === null || name <= this.#cursor) return false;
    const saved = this.#saved.get(name);
    const part = isOverflow ? saved?.overflow : saved?.value;
    return part === undefined;
  }

  /** Only one writer runs: what is read is still there when it is kept. */
  async #save(missing: readonly Owed[]): Promise<void> {
    const reads: Promise<readonly (Bytes | null)[]>[] = [];
    for (let at = 0; at < missing.length; at += KV_READ_KEYS_MAX) {
      const keys = missing.slice(at, at + KV_READ_KEYS_MAX);
      reads.push(this.#backing.get(keys.map(({ key }) => key)));
    }
    const values = (await Promise.all(reads)).flat();
    missing.forEach((item, i) => {
      // The scan may have passed it meanwhile.
      if (this.#isMissing(item)) this.#keep(item, values[i] ?? null);
    });
  }

  #keep({ name, row, isOverflow }: Owed, value: Bytes | null): void {
    let saved = this.#saved.get(name);
    if (saved === undefined) {
      saved = { name, row, value: undefined, overflow: undefined };
      this.#saved.set(name, saved);
      this.#heap.add(name);
    } else this.#bytes -= costOf(saved);
    if (isOverflow) saved.overflow = value;
    else saved.value = value;
    this.#bytes += costOf(saved);
  }

  #nextRoom(): Promise<void> {
    this.#pressure.resolve();
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }
}

function toOwed(key: KvKey): Owed | null {
  const part = recordPart(key);
  return part === null ? null : { key, ...part, name: rowName(part.row) };
}

function costOf({ name, value, overflow }: Preimage): number {
  return ENTRY_BYTES + 2 * name.length + (value?.length ?? 0) +
    (overflow?.length ?? 0);
}

/** A binary heap, the least name at 0. */
class NameHeap {
  readonly #names: string[] = [];

  add(name: string): void {
    const names = this.#names;
    let at = names.length;
    names.push(name);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#at(parent) <= name) break;
      names[at] = this.#at(parent);
      at = parent;
    }
    names[at] = name;
  }

  /** Removes the names up to `bound`, all for `null`, in order. */
  takeUntil(bound: string | null): readonly string[] {
    if (bound === null) return this.#names.splice(0).sort();
    const taken: string[] = [];
    for (;;) {
      const [least] = this.#names;
      if (least === undefined || least > bound) return taken;
      taken.push(least);
      this.#removeLeast();
    }
  }

  #removeLeast(): void {
    const names = this.#names;
    const last = names.pop();
    if (last === undefined || names.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= names.length) break;
      if (child + 1 < names.length && this.#at(child + 1) < this.#at(child)) {
        child += 1;
      }
      if (this.#at(child) >= last) break;
      names[at] = this.#at(child);
      at = child;
    }
    names[at] = last;
  }

  #at(index: number): string {
    return this.#names[index] as string;
  }
}
