import { assert } from "../base/assert.ts";
import type { KeyId } from "../base/data_key.ts";
import type { DatabaseNumber, RecordKey, StoredRecord } from "../fsm/types.ts";
import type { Kv } from "../io/kv.ts";
import type { EventLog } from "../io/log.ts";
import { Backing } from "./backing.ts";
import { type CheckpointOptions, CheckpointScan } from "./checkpoint/scan.ts";
import type { CheckpointSource } from "./checkpoint/source.ts";
import { StoreCopy, type StoreCopyOptions } from "./copy.ts";
import { type CountOptions, countRecords, type RecordCounts } from "./count.ts";
import { type IntegrityFault, StoreClosedError } from "./errors.ts";
import { firstExpiryMs, sweepOnce } from "./expiry.ts";
import { StateGate } from "./gate.ts";
import type { StoreState } from "./meta.ts";
import { encodeNoCleartext } from "./no_cleartext.ts";
import { type OpenedState, openState } from "./open.ts";
import { OpenFailures } from "./open_failures.ts";
import { PointReader } from "./point_reader.ts";
import {
  readRanges,
  ReadSession,
  type StoreEntry,
  type StoreRange,
} from "./read.ts";
import {
  type RewriteOptions,
  type RewriteStep,
  rewriteStep,
} from "./rewrite.ts";
import type { RecordKeys } from "./record_keys.ts";
import { NO_CLEARTEXT_KEY } from "./row_key.ts";
import { RecordSealing } from "./sealing.ts";
import type { SessionPlace, SessionRow } from "./session_row.ts";
import {
  findSession,
  highestEpochs,
  insertSession,
  placeSession,
  readSessions,
} from "./sessions.ts";
import { type StoreBatch, Writer, type WriterCounters } from "./writer.ts";

export interface StoreOptions {
  /** Or its opening, whose failure is reported as the store's. */
  readonly kv: Kv | Promise<Kv>;
  readonly log: EventLog;
  /**
   * What records are sealed and opened with. Without any, a store that has a
   * storage cutover reads nothing sealed and takes no records.
   */
  readonly keys?: RecordKeys;
}

/** Expiry rows looked at in one go: values of 64 KiB make 6 MiB. */
const SWEEP_ROWS = 100;

/**
 * The applied keyspace: records, and how far the log is applied, in one.
 *
 * 1. `commit` is all or nothing, of any size, also through a crash.
 * 2. All reads of one call see one state between two commits.
 * 3. A record with a changed byte is refused, never served.
 * 4. After a failed commit every call fails until the store is opened again.
 * 5. From the batch on that brings the storage cutover, records are sealed.
 *
 * Returned bytes are views that the caller may keep but not change.
 */
export class Store {
  readonly #backing: Backing;
  readonly #gate = new StateGate();
  readonly #points: PointReader;
  readonly #sealing: RecordSealing;
  readonly #openFailures = new OpenFailures();
  readonly #writer: Writer;
  #nextExpiryMs: number | null;
  #hasNoCleartextMark: boolean;
  /** The checkpoint that is being read, and the end of those in line. */
  #scan: CheckpointScan | null = null;
  #scans: Promise<void> = Promise.resolve();
  #copy: StoreCopy | null = null;
  #isEnding = false;

  private constructor(
    backing: Backing,
    opened: OpenedState,
    keys: RecordKeys | null,
  ) {
    this.#backing = backing;
    this.#hasNoCleartextMark = opened.hasNoCleartextMark;
    this.#sealing = new RecordSealing({
      keys,
      findSession: (place) => findSession(backing, place),
      insertSession: (row) => placeSession(backing, row, this.state),
      state: () => this.state,
    });
    this.#points = new PointReader(backing);
    this.#nextExpiryMs = opened.nextExpiryMs;
    this.#writer = new Writer({
      backing,
      gate: this.#gate,
      sealing: this.#sealing,
      overflows: opened.overflows,
      databasesStored: opened.databasesStored,
      state: opened.state,
      onExpiry: (expireAtMs) => {
        this.#nextExpiryMs = Math.min(
          this.#nextExpiryMs ?? expireAtMs,
          expireAtMs,
        );
      },
    });
  }

  /**
   * Opens the store on `kv`, which it owns from here on; finishes a commit that
   * a crash cut short.
   *
   * @throws {NodeError} STORE_ROW_DAMAGED, STORE_VERSION_UNSUPPORTED,
   * STORE_BACKING_FAILED. `kv` is closed then.
   */
  static async open({ kv, log, keys }: StoreOptions): Promise<Store> {
    const backing = await Backing.open(kv);
    try {
      const opened = await openState(backing);
      if (opened.recovered !== "nothing") {
        log.write("info", "store_commit_recovered", {
          outcome: opened.recovered,
          applied: opened.state.applied.index,
        });
      }
      return new Store(backing, opened, keys ?? null);
    } catch (error) {
      backing.close();
      throw error;
    }
  }

  /** The last durable state. */
  get state(): StoreState {
    return this.#writer.state;
  }

  get counters(): WriterCounters {
    return this.#writer.counters;
  }

  /** How many reads were refused as records were not believed, by reason. */
  get openFailures(): ReadonlyMap<IntegrityFault, number> {
    return this.#openFailures.counts;
  }

  /** Whether this store was found to have no cleartext record any more. */
  get hasNoCleartextMark(): boolean {
    return this.#hasNoCleartextMark;
  }

  /** Records of any number of keys, expired ones too, from one state. */
  readRecords(
    keys: readonly RecordKey[],
  ): Promise<readonly (StoredRecord | null)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return this.#openFailures.watch(this.#gate.read(
      () => this.#session(),
      (session) => session.records(keys),
    ));
  }

  /**
   * Entries of each range, from one state: exactly as many as exist, up to its
   * limit. Records that expired by `clockMs` are left out. `null` stands for a
   * database that does not exist.
   */
  readRanges(
    database: DatabaseNumber | null,
    ranges: readonly StoreRange[],
    clockMs: number,
  ): Promise<readonly (readonly StoreEntry[])[]> {
    assert(ranges.every(({ limit }) => limit >= 1), "a limit is at least 1");
    if (database === null) return Promise.resolve(ranges.map(() => []));
    return this.#openFailures.watch(this.#gate.read(
      () => this.#session(),
      (session) => readRanges(session, database, { ranges, clockMs }),
    ));
  }

  /**
   * Makes `batch` durable and visible, wholly or not at all. May be called
   * again before it resolves: batches keep their order and share atomics.
   *
   * @throws {StoreBackingFailedError} Whether it took place is unknown.
   */
  commit(batch: StoreBatch): Promise<void> {
    return this.#writer.commit(batch);
  }

  /**
   * Makes a session's salt durable; false, and nothing changed, when that
   * session has one. Does not wait for commits: those may wait for a session.
   *
   * @throws {StoreBackingFailedError} Whether it took place is unknown.
   */
  insertSession(row: SessionRow): Promise<boolean> {
    return insertSession(this.#backing, row, this.state);
  }

  /**
   * Notes durably that no record is in cleartext: found by a scan that began
   * when the storage cutover was durable here.
   *
   * @throws {StoreBackingFailedError} Whether it took place is unknown.
   */
  async markNoCleartext(): Promise<void> {
    const { storageCutoverIndex } = this.state.fsm.encryption;
    const value = encodeNoCleartext(storageCutoverIndex);
    const sets = [{ key: NO_CLEARTEXT_KEY, value }];
    await this.#backing.commit({ sets, deletes: [] });
    this.#hasNoCleartextMark = true;
  }

  /** @throws {StoreRowDamagedError | StoreVersionUnsupportedError} */
  findSession(place: SessionPlace): Promise<SessionRow | null> {
    return findSession(this.#backing, place);
  }

  /** All of them, by key id, node16 and epoch. @throws As `findSession`. */
  sessionRows(): Promise<readonly SessionRow[]> {
    return readSessions(this.#backing);
  }

  /** Of each key that has sessions. @throws As `findSession`. */
  async highestSessionEpochs(): Promise<ReadonlyMap<KeyId, number>> {
    return highestEpochs(await this.sessionRows());
  }

  /**
   * When the earliest record expires, or earlier: an overwritten record counts
   * until a sweep. `null` when none does.
   */
  nextExpiryMs(): number | null {
    return this.#nextExpiryMs;
  }

  /**
   * Removes records that expired by `clockMs` and by the replicated clock, at
   * most `rowsMax` at a time, and names them.
   */
  async sweep(
    clockMs: number,
    rowsMax: number,
  ): Promise<readonly RecordKey[]> {
    const removed: RecordKey[] = [];
    let left = rowsMax;
    let more = true;
    while (more && left > 0) {
      const rows = Math.min(left, SWEEP_ROWS);
      await this.#openFailures.watch(this.#writer.run(async () => {
        // Replicas agree on what is absent by the replicated clock alone.
        const untilMs = Math.min(clockMs, this.state.fsm.clockMs);
        const swept = await sweepOnce(this.#backing, this.#gate, {
          untilMs,
          rowsMax: rows,
          session: this.#session(),
        });
        removed.push(...swept.removed);
        more = swept.seen === rows;
        this.#nextExpiryMs = await firstExpiryMs(this.#backing);
      }));
      left -= rows;
    }
    return removed;
  }

  /**
   * One step of a pass that seals stale records anew, in line with the commits
   * where it has any.
   *
   * @throws {NodeError} What opening a record throws.
   */
  rewriteStep(options: RewriteOptions): Promise<RewriteStep> {
    const [backing, writer] = [this.#backing, this.#writer];
    const session = () => this.#session();
    return rewriteStep({ backing, writer, session }, options);
  }

  /**
   * Counts the records of all commits given so far by how they are kept,
   * expired ones too; `null` when `isOver` ended it.
   *
   * @throws {NodeError} STORE_RECORD_DAMAGED, STORE_ROW_DAMAGED.
   */
  async countRecords(options: CountOptions = {}): Promise<RecordCounts | null> {
    await this.#writer.run(() => Promise.resolve());
    return await countRecords(this.#backing, options);
  }

  /**
   * Begins a copy of all rows into the empty `kv`, which stays the caller's, while
   * commits go on; they wait while it has too much to catch up with. One at a
   * time. `settle` is awaited before the copy is finished.
   */
  async copyInto(
    kv: Kv,
    { settle = () => Promise.resolve(), ...options }: StoreCopyOptions & {
      readonly settle?: () => Promise<void>;
    } = {},
  ): Promise<StoreCopy> {
    assert(this.#copy?.isClosed ?? true, "one copy at a time");
    const [backing, writer] = [this.#backing, this.#writer];
    const parts = { ...options, backing, writer, settle };
    const copy = await StoreCopy.begin(kv, parts);
    this.#copy = copy;
    if (this.#isEnding) await copy.close();
    return copy;
  }

  /**
   * The whole store as it is after the commits given so far, while later ones
   * go on. One at a time: a second one waits until the first is closed.
   *
   * Commits wait while an open checkpoint holds too many old rows: read it, or
   * close it.
   *
   * @throws {StoreClosedError} Also out of the reading, when the store closes.
   */
  async checkpoint(options: CheckpointOptions = {}): Promise<CheckpointSource> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const before = this.#scans;
    this.#scans = before.then(() => ended);
    try {
      await before;
      return await this.#beginScan(options, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  async #beginScan(
    options: CheckpointOptions,
    end: () => void,
  ): Promise<CheckpointSource> {
    const { promise, resolve } = Promise.withResolvers<CheckpointScan>();
    await this.#writer.run(() => {
      if (this.#isEnding) return Promise.reject(new StoreClosedError());
      const { state } = this;
      const scan = new CheckpointScan({
        ...options,
        ...{ backing: this.#backing, state },
        opener: this.#sealing.openerAt(state),
        failures: this.#openFailures,
      });
      this.#scan = scan;
      scan.ended.then(() => {
        this.#scan = null;
        end();
      });
      resolve(scan);
      return Promise.resolve();
    });
    return await promise;
  }

  /**
   * Ends the checkpoint and the copy that are being made and refuses other
   * checkpoints: no commit waits for a reader any more.
   */
  async endCheckpoints(): Promise<void> {
    this.#isEnding = true;
    await this.#scan?.close();
    await this.#copy?.close();
  }

  /** Waits for the commits under way; later calls fail. */
  async close(): Promise<void> {
    await this.endCheckpoints();
    await this.#writer.settled();
    this.#backing.close();
  }

  #session(): ReadSession {
    return new ReadSession(this.#backing, this.#points, this.#sealing);
  }
}
