import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { KV_READ_KEYS_MAX, type KvKey, type KvRow } from "../../io/kv.ts";
import type { Backing } from "../backing.ts";
import { StoreClosedError } from "../errors.ts";
import type { StoreState } from "../meta.ts";
import type { OpenFailures } from "../open_failures.ts";
import { readRow } from "../read.ts";
import { openRecord, type RecordRow } from "../record.ts";
import { overflowKey, RECORD_ROWS, rowAfter, rowName } from "../row_key.ts";
import type { RecordOpener } from "../sealer.ts";
import type { Pace } from "./pace.ts";
import { Preimages } from "./preimages.ts";
import type { CheckpointRecord, CheckpointSource } from "./source.ts";

export interface CheckpointOptions {
  /** Bytes per second; as fast as it goes without. */
  readonly pace?: Pace;
  /** Instead of PREIMAGE_BYTES_MAX. */
  readonly preimageBytesMax?: number;
  /** Instead of PAGE_ROWS_MAX. */
  readonly pageRowsMax?: number;
}

export interface ScanOptions extends CheckpointOptions {
  readonly backing: Backing;
  readonly opener: RecordOpener;
  readonly failures: OpenFailures;
  readonly state: StoreState;
}

/** Rows of a page: 64 KiB each make 16 MiB, what is read at once at most. */
const PAGE_ROWS_MAX = 256;
const PAGE_ROWS_MIN = 8;
/** What a page should come to. */
const PAGE_BYTES = 2 ** 20;

/** A row as it was when the scan began. */
interface ScannedRow {
  readonly key: KvKey;
  readonly value: Bytes;
  readonly frame: RecordRow;
}

/**
 * The records of a store at one index, copied while others are written.
 *
 * Pages of rows are read as they are now; `Preimages` puts back what changed.
 * Construct it while no commit runs: `state` is what it will give.
 */
export class CheckpointScan implements CheckpointSource {
  readonly state: StoreState;
  readonly #options: ScanOptions;
  readonly #preimages: Preimages;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #isStarted = false;
  #start: KvKey | null = RECORD_ROWS.start;
  readonly #pageRowsMax: number;
  #pageRows: number;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(options: ScanOptions) {
    this.#options = options;
    this.state = options.state;
    const { backing, preimageBytesMax, pageRowsMax = PAGE_ROWS_MAX } = options;
    this.#pageRowsMax = pageRowsMax;
    this.#pageRows = pageRowsMax;
    this.#preimages = new Preimages(backing, preimageBytesMax);
    backing.observe(this.#preimages);
  }

  /** Resolves when it is closed or at its end. */
  get ended(): Promise<void> {
    return this.#closed.promise;
  }

  /** Bytes of old rows that it holds. */
  get preimageBytes(): number {
    return this.#preimages.bytes;
  }

  async *records(): AsyncGenerator<readonly CheckpointRecord[]> {
    assert(!this.#isStarted, "a checkpoint is read once");
    this.#isStarted = true;
    try {
      let next = this.#readPage();
      for (;;) {
        const page = await next;
        if (page === null) return;
        // Rows that are passed need no copies: read on while these are used.
        next = this.#readPage();
        if (page.length > 0) yield page;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#options.backing.unobserve(this.#preimages);
      this.#preimages.pass([], null);
      this.#closed.resolve();
    }
    await this.#reading;
  }

  #readPage(): Promise<readonly CheckpointRecord[] | null> {
    const page = this.#page();
    this.#reading = page.catch(() => {});
    return page;
  }

  /** The next records; `null` after the last. */
  async #page(): Promise<readonly CheckpointRecord[] | null> {
    this.#check();
    if (this.#start === null) return null;
    const { backing, pace } = this.#options;
    const limit = this.#pageRows;
    const listed = await backing.list({
      ...RECORD_ROWS,
      start: this.#start,
      limit,
    });
    this.#check();
    const last = listed.length < limit ? null : listed.at(-1) ?? null;
    const bound = last === null ? null : rowName(last.key);
    const taken = this.#preimages.take(bound);
    const rows = this.#asBefore(listed, taken);
    const overflows = await this.#readOverflows(rows);
    this.#check();
    this.#preimages.pass(taken, bound);
    this.#start = last === null ? null : rowAfter(last.key);
    const bytes = sizeOf(rows);
    this.#pageRows = Math.min(nextPageRows(listed, limit), this.#pageRowsMax);
    const { failures } = this.#options;
    const records = await failures.watch(this.#open(rows, overflows));
    if (pace !== undefined && bytes > 0) {
      await pace.spend(bytes, this.#preimages.pressure);
    }
    return records;
  }

  /** Lays the old values of `taken` over what a page was when it was read. */
  #asBefore(
    listed: readonly KvRow[],
    taken: readonly string[],
  ): readonly ScannedRow[] {
    if (taken.length === 0) return listed.map(toScanned);
    const rows = new Map(listed.map((row) => [rowName(row.key), row]));
    for (const name of taken) {
      const saved = this.#preimages.get(name);
      if (saved === undefined || saved.value === undefined) continue;
      const { row: key, value } = saved;
      if (value === null) rows.delete(name);
      else rows.set(name, { key, value });
    }
    const names = [...rows.keys()].sort();
    return names.map((name) => toScanned(present(rows.get(name), "a row")));
  }

  /** Parts of the rows that have one, as they were when the scan began. */
  async #readOverflows(
    rows: readonly ScannedRow[],
  ): Promise<ReadonlyMap<RecordRow, Bytes | null>> {
    const { backing } = this.#options;
    const long = rows.filter(({ frame }) => frame.hasOverflow);
    const parts = new Map<RecordRow, Bytes | null>();
    for (let at = 0; at < long.length; at += KV_READ_KEYS_MAX) {
      const group = long.slice(at, at + KV_READ_KEYS_MAX);
      const values = await backing.get(
        group.map(({ key }) => overflowKey(key)),
      );
      group.forEach(({ frame }, i) => parts.set(frame, values[i] ?? null));
    }
    // Read now, and changed before that: what was saved first is older.
    for (const { key, frame } of long) {
      const saved = this.#preimages.get(rowName(key))?.overflow;
      if (saved !== undefined) parts.set(frame, saved);
    }
    return parts;
  }

  async #open(
    rows: readonly ScannedRow[],
    overflows: ReadonlyMap<RecordRow, Bytes | null>,
  ): Promise<readonly CheckpointRecord[]> {
    const { opener } = this.#options;
    const records: CheckpointRecord[] = [];
    for (const { frame } of rows) {
      const opened = openRecord(opener, frame, overflows.get(frame) ?? null);
      const record = opened instanceof Promise ? await opened : opened;
      records.push({ ...frame.place, ...record });
    }
    return records;
  }

  #check(): void {
    if (this.#isClosed) throw new StoreClosedError();
  }
}

function toScanned({ key, value }: KvRow): ScannedRow {
  return { key, value, frame: readRow(key, value) };
}

function sizeOf(rows: readonly KvRow[]): number {
  return rows.reduce((sum, { value }) => sum + value.length, 0);
}

/** As many rows as PAGE_BYTES hold, going by the last page. */
function nextPageRows(listed: readonly KvRow[], limit: number): number {
  if (listed.length === 0) return limit;
  const rows = Math.floor(PAGE_BYTES * listed.length / (sizeOf(listed) + 1));
  return Math.max(rows, PAGE_ROWS_MIN);
}
