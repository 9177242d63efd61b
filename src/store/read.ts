import { type Bytes, compareBytes } from "../base/bytes.ts";
import type { DatabaseNumber, RecordKey, StoredRecord } from "../fsm/types.ts";
import {
  KV_LIST_ROWS_MAX,
  KV_READ_KEYS_MAX,
  type KvKey,
  type KvRange,
  type KvRow,
} from "../io/kv.ts";
import type { Backing } from "./backing.ts";
import { StoreRowDamagedError } from "./errors.ts";
import type { CountsReads } from "./gate.ts";
import type { PointReader } from "./point_reader.ts";
import { openRecord, readRecordRow, type RecordRow } from "./record.ts";
import {
  isLongKey,
  overflowKey,
  parseRowKey,
  rowAfter,
  rowBounds,
  rowKey,
} from "./row_key.ts";
import type { RecordOpener } from "./sealer.ts";

/** Half-open [start, end) in unsigned byte order; empty when end ≤ start. */
export interface StoreRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  /** ≥ 1. */
  readonly limit: number;
  readonly reverse: boolean;
}

export interface StoreEntry extends StoredRecord {
  readonly key: Uint8Array;
}

/** One try of one request; counts what it asks the backing store. */
export class ReadSession implements CountsReads {
  readonly #backing: Backing;
  readonly #points: PointReader;
  readonly #opener: RecordOpener;
  #reads = 0;

  constructor(backing: Backing, points: PointReader, opener: RecordOpener) {
    this.#backing = backing;
    this.#points = points;
    this.#opener = opener;
  }

  get reads(): number {
    return this.#reads;
  }

  /** Values of any number of keys, ten to a backing read. */
  async get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    if (keys.length <= KV_READ_KEYS_MAX) return this.#getFew(keys);
    const groups: Promise<readonly (Bytes | null)[]>[] = [];
    for (let at = 0; at < keys.length; at += KV_READ_KEYS_MAX) {
      groups.push(this.#getFew(keys.slice(at, at + KV_READ_KEYS_MAX)));
    }
    return (await Promise.all(groups)).flat();
  }

  list(range: KvRange): Promise<readonly KvRow[]> {
    this.#reads += 1;
    return this.#backing.list(range);
  }

  /** The records at `keys`, also expired ones. */
  async records(
    keys: readonly RecordKey[],
  ): Promise<readonly (StoredRecord | null)[]> {
    const values = await this.get(keys.map(rowKey));
    const rows: RecordRow[] = [];
    values.forEach((value, i) => {
      const place = keys[i];
      if (value !== null && place !== undefined) {
        rows.push(readRow(rowKey(place), value));
      }
    });
    const records = await this.open(rows);
    let next = 0;
    return values.map((value) =>
      value === null ? null : records[next++] ?? null
    );
  }

  /** Opens rows read in this session, fetching overflow parts. */
  async open(rows: readonly RecordRow[]): Promise<readonly StoredRecord[]> {
    const long = rows.filter((row) => row.hasOverflow);
    const parts = new Map<RecordRow, Bytes | null>();
    if (long.length > 0) {
      const keys = long.map(({ place }) => overflowKey(rowKey(place)));
      const values = await this.get(keys);
      long.forEach((row, i) => parts.set(row, values[i] ?? null));
    }
    const opened: (StoredRecord | Promise<StoredRecord>)[] = [];
    try {
      // Together: one at a time costs as much and takes twice as long.
      for (const row of rows) {
        opened.push(openRecord(this.#opener, row, parts.get(row) ?? null));
      }
    } catch (error) {
      await Promise.allSettled(opened);
      throw error;
    }
    return opened.some((record) => record instanceof Promise)
      ? Promise.all(opened)
      : opened as readonly StoredRecord[];
  }

  #getFew(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    this.#reads += 1;
    return this.#points.get(keys);
  }
}

/**
 * Reads the frame of a record's row.
 *
 * @throws {StoreRowDamagedError | StoreRecordDamagedError}
 */
export function readRow(key: KvKey, value: Uint8Array): RecordRow {
  const at = parseRowKey(key);
  if (at === null) throw new StoreRowDamagedError("record", "unknown key");
  return readRecordRow(at, value);
}

/** Tells whether a record is absent at `clockMs`. */
export function isExpired(record: StoredRecord, clockMs: number): boolean {
  return record.expireAtMs !== 0 && record.expireAtMs <= clockMs;
}

/** Live entries of each range; single-key ranges share backing gets. */
export async function readRanges(
  session: ReadSession,
  database: DatabaseNumber,
  options: { readonly ranges: readonly StoreRange[]; readonly clockMs: number },
): Promise<readonly (readonly StoreEntry[])[]> {
  const { ranges, clockMs } = options;
  const points = ranges.filter(isPoint);
  const found = session.records(
    points.map(({ start }) => ({ database, key: start })),
  );
  let nextPoint = 0;
  return await Promise.all(ranges.map((range) => {
    if (!isPoint(range)) return scan(session, database, { range, clockMs });
    const at = nextPoint;
    nextPoint += 1;
    return pointEntry(found, at, { key: range.start, clockMs });
  }));
}

async function pointEntry(
  found: Promise<readonly (StoredRecord | null)[]>,
  at: number,
  options: { readonly key: Uint8Array; readonly clockMs: number },
): Promise<readonly StoreEntry[]> {
  const record = (await found)[at] ?? null;
  if (record === null || isExpired(record, options.clockMs)) return [];
  return [{ key: options.key, ...record }];
}

/** [k, k ‖ 00) holds one key: what Deno's `get` asks for. */
export function isPoint({ start, end }: StoreRange): boolean {
  return start.length > 0 && end.length === start.length + 1 &&
    end[start.length] === 0 &&
    compareBytes(start, end.subarray(0, start.length)) === 0;
}

/** Long keys of one prefix: together in rows, in the order of their hashes. */
interface Bucket {
  readonly prefix: Uint8Array;
  readonly entries: StoreEntry[];
}

async function scan(
  session: ReadSession,
  database: DatabaseNumber,
  options: { readonly range: StoreRange; readonly clockMs: number },
): Promise<readonly StoreEntry[]> {
  const { range, clockMs } = options;
  const { start, end, limit, reverse } = range;
  if (compareBytes(start, end) >= 0) return [];
  const bounds = rowBounds(database, range);
  const collected = new Collector(range);
  let page = Math.min(limit, KV_LIST_ROWS_MAX);
  let from = bounds.start;
  let until = bounds.end;
  for (;;) {
    const rows = await session.list({
      start: from,
      end: until,
      limit: page,
      reverse,
    });
    const frames = rows.map(({ key, value }) => readRow(key, value));
    const records = await session.open(frames);
    frames.forEach(({ place }, i) => {
      const record = records[i];
      if (record !== undefined && !isExpired(record, clockMs)) {
        collected.add({ key: place.key, ...record });
      }
    });
    const last = rows.at(-1);
    if (last === undefined || rows.length < page) break;
    if (collected.isFull()) break;
    if (reverse) until = last.key;
    else from = rowAfter(last.key);
    // Rows left out so far say that more may follow: ask for more at once.
    page = Math.min(KV_LIST_ROWS_MAX, page * 2);
  }
  return collected.take();
}

/** Puts entries in the order of keys and stops at the limit. */
class Collector {
  readonly #range: StoreRange;
  readonly #entries: StoreEntry[] = [];
  #bucket: Bucket | null = null;

  constructor(range: StoreRange) {
    this.#range = range;
  }

  add(entry: StoreEntry): void {
    if (!isLongKey(entry.key)) {
      this.#closeBucket();
      this.#push(entry);
      return;
    }
    const prefix = longPrefix(entry.key);
    if (
      this.#bucket === null || compareBytes(this.#bucket.prefix, prefix) !== 0
    ) {
      this.#closeBucket();
      this.#bucket = { prefix, entries: [] };
    }
    const { start, end } = this.#range;
    if (
      compareBytes(entry.key, start) < 0 || compareBytes(entry.key, end) >= 0
    ) return;
    this.#bucket?.entries.push(entry);
    this.#trimBucket();
  }

  /** No later row can change the result. */
  isFull(): boolean {
    return this.#entries.length >= this.#range.limit;
  }

  take(): readonly StoreEntry[] {
    this.#closeBucket();
    return this.#entries;
  }

  #push(entry: StoreEntry): void {
    if (!this.isFull()) this.#entries.push(entry);
  }

  #closeBucket(): void {
    const bucket = this.#bucket;
    this.#bucket = null;
    if (bucket === null) return;
    for (const entry of this.#sort(bucket.entries)) this.#push(entry);
  }

  /** Keeps a bucket of any size within twice the limit. */
  #trimBucket(): void {
    const entries = this.#bucket?.entries;
    const { limit } = this.#range;
    if (entries === undefined || entries.length < limit * 2 + BUCKET_SLACK) {
      return;
    }
    this.#sort(entries).length = limit;
  }

  #sort(entries: StoreEntry[]): StoreEntry[] {
    const sign = this.#range.reverse ? -1 : 1;
    return entries.sort((a, b) => sign * compareBytes(a.key, b.key));
  }
}
const BUCKET_SLACK = 64;

function longPrefix(key: Uint8Array): Uint8Array {
  const prefix = rowKey({ database: 1, key })[1];
  return prefix instanceof Uint8Array ? prefix : key;
}
