import type { Bytes } from "../base/bytes.ts";

/** One key part of the backing store. */
export type KvPart = Uint8Array | string | number | bigint | boolean;
export type KvKey = readonly KvPart[];

export interface KvRow {
  readonly key: KvKey;
  readonly value: Bytes;
}

/** Half-open range of rows in the order of encoded keys. */
export interface KvRange {
  readonly start: KvKey;
  readonly end: KvKey;
  readonly limit: number;
  readonly reverse?: boolean;
}

/**
 * One all-or-nothing change, durable when `commit` resolves; names a key once.
 *
 * Size of a set: 2 × key + value; of a delete or an absent check: key. Only
 * keys of sets count for KV_BATCH_KEY_BYTES_MAX. Keys as encoded (kv_key.ts).
 */
export interface KvBatch {
  /** Keys that must not exist. */
  readonly absent?: readonly KvKey[];
  readonly sets: readonly KvRow[];
  readonly deletes: readonly KvKey[];
}

/**
 * The backing ordered store, Deno KV on a local file.
 *
 * Limits of one batch: KV_MUTATIONS_MAX, KV_BATCH_BYTES_MAX, KV_BATCH_KEY_BYTES_MAX;
 * of one row: KV_KEY_BYTES_MAX, KV_VALUE_BYTES_MAX.
 */
export interface Kv {
  /** Values in the order of `keys` (at most KV_READ_KEYS_MAX), from one state. */
  get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]>;
  /** Up to `range.limit` (at most KV_LIST_ROWS_MAX) rows, from one state. */
  list(range: KvRange): Promise<readonly KvRow[]>;
  /** False, and nothing changed, when a key of `absent` exists. */
  commit(batch: KvBatch): Promise<boolean>;
  /** Later calls fail; closing again does nothing. */
  close(): void;
}

export const KV_KEY_BYTES_MAX = 2_048;
export const KV_VALUE_BYTES_MAX = 65_536;
export const KV_MUTATIONS_MAX = 1_000;
export const KV_CHECKS_MAX = 100;
export const KV_BATCH_BYTES_MAX = 819_200;
export const KV_BATCH_KEY_BYTES_MAX = 81_920;
export const KV_READ_KEYS_MAX = 10;
export const KV_LIST_ROWS_MAX = 1_000;
