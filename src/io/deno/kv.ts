import { assert } from "../../base/assert.ts";
import { type Bytes, compareBytes } from "../../base/bytes.ts";
import { encodeKvKey } from "../kv_key.ts";
import {
  type Kv,
  KV_LIST_ROWS_MAX,
  KV_READ_KEYS_MAX,
  type KvBatch,
  type KvKey,
  type KvRange,
  type KvRow,
} from "../kv.ts";

/** Opens the Deno KV file at `path`, made when absent. */
export async function openDenoKv(path: string): Promise<Kv> {
  return new DenoKv(await Deno.openKv(path));
}

class DenoKv implements Kv {
  readonly #kv: Deno.Kv;
  #closed = false;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    assert(keys.length <= KV_READ_KEYS_MAX, "one read has at most 10 keys");
    if (keys.length === 0) return [];
    const entries = await this.#kv.getMany<Bytes[]>([...keys]);
    return entries.map((entry) => entry.value);
  }

  async list(range: KvRange): Promise<readonly KvRow[]> {
    const { start, end, limit, reverse = false } = range;
    assert(
      limit >= 1 && limit <= KV_LIST_ROWS_MAX,
      "one list has 1 to 1,000 rows",
    );
    // Deno refuses bounds in the wrong order; equal ones are an empty range.
    if (compareBytes(encodeKvKey(start), encodeKvKey(end)) >= 0) return [];
    const entries = this.#kv.list<Bytes>(
      { start: [...start], end: [...end] },
      { limit, batchSize: limit, reverse },
    );
    const rows: KvRow[] = [];
    for await (const { key, value } of entries) {
      rows.push({ key: key as KvKey, value });
    }
    return rows;
  }

  async commit(batch: KvBatch): Promise<boolean> {
    const atomic = this.#kv.atomic();
    for (const key of batch.absent ?? []) {
      atomic.check({ key: [...key], versionstamp: null });
    }
    for (const row of batch.sets) {
      // Deno copies neither: both are only read before `commit` returns.
      atomic.set(row.key as Deno.KvKey, row.value);
    }
    for (const key of batch.deletes) atomic.delete(key as Deno.KvKey);
    const result = await atomic.commit();
    return result.ok;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kv.close();
  }
}
