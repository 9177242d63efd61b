import { assert } from "../../../src/base/assert.ts";
import {
  type Bytes,
  compareBytes,
  equalBytes,
} from "../../../src/base/bytes.ts";
import {
  type Kv,
  KV_BATCH_BYTES_MAX,
  KV_BATCH_KEY_BYTES_MAX,
  KV_CHECKS_MAX,
  KV_KEY_BYTES_MAX,
  KV_LIST_ROWS_MAX,
  KV_MUTATIONS_MAX,
  KV_READ_KEYS_MAX,
  KV_VALUE_BYTES_MAX,
  type KvBatch,
  type KvKey,
  type KvRange,
  type KvRow,
} from "../../../src/io/kv.ts";
import { encodeKvKey } from "../../../src/io/kv_key.ts";

interface SimRow extends KvRow {
  readonly order: Bytes;
}

/** What the next commits do instead of succeeding. */
export type SimKvFault =
  /** The batch is not there; the process dies. */
  | "crash-before"
  /** The batch is there; the process dies without hearing of it. */
  | "crash-after"
  /** The batch is not there; the caller sees an error. */
  | "fail";

/** The process died: nothing after this reaches the store. */
export class SimKvCrash extends Error {}

/** Rows that outlive a crash: only committed ones are here. */
export class SimKvDisk {
  rows: SimRow[] = [];
  commits = 0;
  reads = 0;

  /** First row at or above `order`. */
  seek(order: Uint8Array): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.rows[middle]!.order, order) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(order: Uint8Array): SimRow | null {
    const row = this.rows[this.seek(order)];
    return row !== undefined && equalBytes(row.order, order) ? row : null;
  }

  copy(): SimKvDisk {
    const disk = new SimKvDisk();
    disk.rows = [...this.rows];
    return disk;
  }
}

export interface SimKvOptions {
  readonly disk?: SimKvDisk;
  /** Fault of the nth commit from here, counted from 1. */
  readonly faultAt?: number;
  readonly fault?: SimKvFault;
  /** Awaited before each operation looks at the rows: a scheduling point. */
  readonly pause?: (operation: "get" | "list" | "commit") => Promise<void>;
}

/** In-memory twin of Deno KV with its limits. */
export class SimKv implements Kv {
  readonly disk: SimKvDisk;
  readonly #options: SimKvOptions;
  #commits = 0;
  #dead: Error | null = null;

  constructor(options: SimKvOptions = {}) {
    this.disk = options.disk ?? new SimKvDisk();
    this.#options = options;
  }

  async get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    assert(keys.length <= KV_READ_KEYS_MAX, "one read has at most 10 keys");
    await this.#enter("get");
    this.disk.reads += 1;
    return keys.map((key) => {
      const row = this.disk.find(readKey(key, KV_KEY_BYTES_MAX));
      return row === null ? null : row.value.slice();
    });
  }

  async list(range: KvRange): Promise<readonly KvRow[]> {
    const { start, end, limit, reverse = false } = range;
    assert(limit >= 1 && limit <= KV_LIST_ROWS_MAX, "1 to 1,000 rows");
    await this.#enter("list");
    this.disk.reads += 1;
    const from = this.disk.seek(readKey(start));
    const until = Math.max(from, this.disk.seek(readKey(end)));
    const rows = reverse
      ? this.disk.rows.slice(Math.max(from, until - limit), until).reverse()
      : this.disk.rows.slice(from, Math.min(until, from + limit));
    return rows.map(({ key, value }) => ({ key, value: value.slice() }));
  }

  async commit(batch: KvBatch): Promise<boolean> {
    checkLimits(batch);
    await this.#enter("commit");
    this.#commits += 1;
    const faulty = this.#commits === this.#options.faultAt;
    const fault = faulty ? this.#options.fault ?? "crash-before" : null;
    if (fault === "fail") throw new Error("simulated write error");
    if (fault === "crash-before") throw this.#die();
    const done = this.#apply(batch);
    if (fault === "crash-after") throw this.#die();
    return done;
  }

  close(): void {
    this.#dead ??= new Error("closed");
  }

  async #enter(operation: "get" | "list" | "commit"): Promise<void> {
    if (this.#dead !== null) throw this.#dead;
    await (this.#options.pause?.(operation) ?? Promise.resolve());
    if (this.#dead !== null) throw this.#dead;
  }

  #die(): Error {
    this.#dead = new SimKvCrash("simulated crash");
    return this.#dead;
  }

  #apply(batch: KvBatch): boolean {
    const { disk } = this;
    for (const key of batch.absent ?? []) {
      if (disk.find(encodeKvKey(key)) !== null) return false;
    }
    const seen = new Set<string>();
    for (const { key, value } of batch.sets) {
      const order = once(seen, encodeKvKey(key));
      const at = disk.seek(order);
      const found = disk.find(order) !== null;
      disk.rows.splice(at, found ? 1 : 0, {
        key: key.map((part) =>
          part instanceof Uint8Array ? part.slice() : part
        ),
        value: value.slice(),
        order,
      });
    }
    for (const key of batch.deletes) {
      const order = once(seen, encodeKvKey(key));
      if (disk.find(order) !== null) disk.rows.splice(disk.seek(order), 1);
    }
    disk.commits += 1;
    return true;
  }
}

/** One character for each byte, another for every byte. */
const latin1 = new TextDecoder("latin1");

/** A key that comes twice in one batch has no defined last state. */
function once(seen: Set<string>, order: Bytes): Bytes {
  const name = latin1.decode(order);
  assert(!seen.has(name), "a batch names a key once");
  seen.add(name);
  return order;
}

/** Bounds of a list may be one byte longer than a key. */
function readKey(key: KvKey, bytesMax = KV_KEY_BYTES_MAX + 1): Bytes {
  const order = encodeKvKey(key);
  if (order.length > bytesMax) {
    throw new TypeError("Key too large for read (max 2049 bytes)");
  }
  return order;
}

function checkLimits(batch: KvBatch): void {
  const { absent = [], sets, deletes } = batch;
  limit(absent.length, KV_CHECKS_MAX, "Too many checks");
  limit(sets.length + deletes.length, KV_MUTATIONS_MAX, "Too many mutations");
  let bytes = 0;
  let keyBytes = 0;
  for (const key of absent) bytes += encodeKvKey(key).length;
  for (const { key, value } of sets) {
    const length = encodeKvKey(key).length;
    limit(length, KV_KEY_BYTES_MAX, "Key too large for write");
    limit(value.length, KV_VALUE_BYTES_MAX, "Value too large");
    bytes += 2 * length + value.length;
    keyBytes += length;
  }
  for (const key of deletes) {
    const length = encodeKvKey(key).length;
    limit(length, KV_KEY_BYTES_MAX, "Key too large for write");
    bytes += length;
  }
  limit(bytes, KV_BATCH_BYTES_MAX, "Total mutation size too large");
  limit(keyBytes, KV_BATCH_KEY_BYTES_MAX, "Total key size too large");
}

function limit(value: number, max: number, text: string): void {
  if (value > max) throw new TypeError(`${text} (max ${max})`);
}
