import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { type Kv, KV_READ_KEYS_MAX, type KvKey, type KvRow } from "../io/kv.ts";
import type { RowChange } from "./atomics.ts";
import { Backing } from "./backing.ts";
import { ChangedRows } from "./changed_rows.ts";
import type { Pace } from "./checkpoint/pace.ts";
import { StoreClosedError } from "./errors.ts";
import { keptUnder, refused } from "./kept_under.ts";
import { Loader } from "./loader.ts";
import { readRow } from "./read.ts";
import {
  ALL_ROWS,
  BULK_ROWS,
  parseRowKey,
  rowAfter,
  type RowBounds,
  STATE_ROWS,
} from "./row_key.ts";
import { rowsOf } from "./rows_of.ts";
import type { Writer } from "./writer.ts";

export interface StoreCopyOptions {
  /** Bytes per second; as fast as it goes without. */
  readonly pace?: Pace;
  /** Instead of CHANGED_BYTES_MAX. */
  readonly changedBytesMax?: number;
  /** Instead of PAGE_ROWS. */
  readonly pageRows?: number;
}

/** What a copy is made of. */
interface StoreCopyParts extends StoreCopyOptions {
  readonly backing: Backing;
  readonly writer: Writer;
  /** Resolves when all batches given so far are in `backing`. */
  readonly settle: () => Promise<void>;
}

/** Rows read at once: 64 KiB each make 8 MiB. */
const PAGE_ROWS = 128;
/** Gets under way at once: 80 rows. */
const GETS = 8;
/** Changed rows that `finish` may find: some 10 ms of reading. */
const LEFT_ROWS = 250;
/** Writers that are faster leave `finish` more. */
const ROUNDS_MAX = 20;

/**
 * A second store with all rows of one that goes on being written.
 *
 * Rows are copied as they are. Those that changed meanwhile are copied again:
 * most of them while writes go on, the last ones while none does.
 */
export class StoreCopy {
  readonly #parts: StoreCopyParts;
  readonly #target: Backing;
  readonly #loader: Loader;
  readonly #changed: ChangedRows;
  /** End of the copying in line; never fails. */
  #working: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #step: "begun" | "filled" | "finished" = "begun";
  #isClosed = false;
  #rows = 0;
  #bytes = 0;

  private constructor(parts: StoreCopyParts, target: Backing) {
    this.#parts = parts;
    this.#target = target;
    this.#loader = new Loader(target);
    this.#changed = new ChangedRows(parts.changedBytesMax);
    parts.backing.observe(this.#changed);
  }

  /** Begins a copy into the empty `kv`, which stays the caller's. */
  static async begin(kv: Kv, parts: StoreCopyParts): Promise<StoreCopy> {
    const target = await Backing.open(kv);
    const rows = await target.list({ ...ALL_ROWS, limit: 1 });
    assert(rows.length === 0, "a store is copied to where nothing is");
    return new StoreCopy(parts, target);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Rows copied so far, some of them again. */
  get rows(): number {
    return this.#rows;
  }

  /** Of their values. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Copies all rows, and most of what changed meanwhile. Once.
   *
   * @throws {StoreClosedError} The store was closed or replaced, or this was.
   * @throws {StoreRecordIntegrityError} A record in cleartext after the lock.
   */
  async fill(): Promise<void> {
    assert(this.#step === "begun", "a copy is filled once");
    this.#step = "filled";
    await this.#work(async () => {
      for (const bounds of BULK_ROWS) await this.#copyRange(bounds);
    });
    void this.#keepUp();
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      // What waits to be stored would be left to `finish`.
      await this.#parts.settle();
      if (this.#changed.size <= LEFT_ROWS) break;
      await this.#work(() => this.#catchUp());
    }
  }

  /**
   * Brings over the rest, with state, sessions and marks: a store opened on the
   * copy is the store then. Once, after `fill`, while no batch is given.
   *
   * @throws {StoreClosedError} As `fill`.
   */
  async finish(): Promise<void> {
    assert(this.#step === "filled", "a copy is filled before it is finished");
    this.#step = "finished";
    const { settle, writer } = this.#parts;
    await settle();
    await writer.run(() =>
      this.#work(async () => {
        await this.#catchUp();
        await this.#copyState();
      })
    );
    this.#end();
  }

  /** Ends it at any moment; again does nothing. What is there is of no use. */
  async close(): Promise<void> {
    this.#end();
    await this.#working;
    // Whoever closes `kv` now must not meet a commit under way.
    await this.#loader.settled();
  }

  /** Copies in line with other copying; when it fails, no writer waits for it. */
  #work(copy: () => Promise<void>): Promise<void> {
    const done = this.#working.then(copy);
    this.#working = done.catch((error) => {
      this.#failure ??= { error };
      this.#end();
    });
    return done;
  }

  /** Lets no writer wait until `finish` is called. */
  async #keepUp(): Promise<void> {
    for (;;) {
      await this.#changed.pressure;
      if (this.#isClosed) return;
      // `finish` tells of a failure.
      await this.#work(() => this.#catchUp()).catch(() => {});
    }
  }

  #end(): void {
    this.#isClosed = true;
    this.#parts.backing.unobserve(this.#changed);
    this.#changed.end();
  }

  async #copyRange({ start, end }: RowBounds): Promise<void> {
    const { backing, pace, pageRows: limit = PAGE_ROWS } = this.#parts;
    for (let from = start;;) {
      this.#check();
      const rows = await backing.list({ start: from, end, limit });
      await this.#load(rows);
      if (this.#changed.isFull) await this.#catchUp();
      const last = rows.at(-1);
      if (last === undefined || rows.length < limit) return;
      const bytes = rows.reduce((sum, { value }) => sum + value.length, 0);
      await pace?.spend(bytes, this.#changed.pressure);
      from = rowAfter(last.key);
    }
  }

  /** Copies the rows that changed so far as they are now. */
  async #catchUp(): Promise<void> {
    const { backing } = this.#parts;
    // An atomic names a row once.
    await this.#loader.flush();
    this.#check();
    const keys = this.#changed.take();
    for (let at = 0; at < keys.length; at += GETS * KV_READ_KEYS_MAX) {
      this.#check();
      const group = keys.slice(at, at + GETS * KV_READ_KEYS_MAX);
      const values = await readAll(backing, group);
      await this.#load(
        group.map((key, i) => ({ key, value: values[i] ?? null })),
      );
    }
    await this.#loader.flush();
  }

  /** The meta row comes last: without it nothing opens as a store. */
  async #copyState(): Promise<void> {
    const rows: KvRow[] = [];
    for (const bounds of STATE_ROWS) {
      for await (const row of rowsOf(this.#parts.backing, bounds)) {
        rows.push(row);
      }
    }
    this.#check();
    await this.#load(rows.slice(1));
    await this.#loader.flush();
    await this.#load(rows.slice(0, 1));
    await this.#loader.flush();
  }

  async #load(rows: readonly RowChange[]): Promise<void> {
    const { fsm: { encryption } } = this.#parts.writer.state;
    if (encryption.cleartextLockIndex > 0) rows.forEach(checkSealed);
    await this.#loader.add(rows);
    this.#rows += rows.length;
    for (const { value } of rows) this.#bytes += value?.length ?? 0;
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#isClosed) throw new StoreClosedError();
  }
}

/** @throws {StoreRecordIntegrityError} For a record in cleartext. */
function checkSealed({ key, value }: RowChange): void {
  if (value === null || parseRowKey(key) === null) return;
  const row = readRow(key, value);
  if (keptUnder(row) === null) throw refused(row, "cleartext-after-lock");
}

async function readAll(
  backing: Backing,
  keys: readonly KvKey[],
): Promise<readonly (Bytes | null)[]> {
  const reads: Promise<readonly (Bytes | null)[]>[] = [];
  for (let at = 0; at < keys.length; at += KV_READ_KEYS_MAX) {
    reads.push(backing.get(keys.slice(at, at + KV_READ_KEYS_MAX)));
  }
  return (await Promise.all(reads)).flat();
}
