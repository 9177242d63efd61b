import { assert } from "../base/assert.ts";
import type { KeyId } from "../base/data_key.ts";
import type { Clock } from "../io/clock.ts";
import type { Kv } from "../io/kv.ts";
import type { DatabaseNumber, RecordKey, StoredRecord } from "../fsm/types.ts";
import { assertState, batchCost } from "./changes.ts";
import type { CheckpointOptions } from "./checkpoint/scan.ts";
import type { CheckpointSource } from "./checkpoint/source.ts";
import { CurrentSessions } from "./current_sessions.ts";
import type { IntegrityFault } from "./errors.ts";
import { hiddenCount, laidOver, mergeRange } from "./merge_range.ts";
import type { StoreCopy, StoreCopyOptions } from "./copy.ts";
import type { CountOptions, RecordCounts } from "./count.ts";
import type { StoreState } from "./meta.ts";
import { OpenFailures } from "./open_failures.ts";
import type { RewriteOptions, RewriteStep } from "./rewrite.ts";
import { Overlay } from "./overlay.ts";
import type { StoreEntry, StoreRange } from "./read.ts";
import type { SessionPlace, SessionRow } from "./session_row.ts";
import { Store, type StoreOptions } from "./store.ts";
import { StoreDelay } from "./store_delay.ts";
import type { StoreBatch, WriterCounters } from "./writer.ts";

/** What may wait to be stored: some 70,000 records of 256 bytes. */
const BACKLOG_BYTES_MAX = 32 * 2 ** 20;

export interface BufferedStoreOptions extends StoreOptions {
  /** Without one, rows are stored as soon as the store is free. */
  readonly clock?: Clock;
}

export interface BufferedCheckpointOptions extends CheckpointOptions {
  /** Makes all batches given so far durable first. */
  readonly flush?: boolean;
}

/** A store and what lies over it: readers stay with the ones they found. */
interface Layers {
  readonly store: Store;
  readonly overlay: Overlay;
}

/**
 * A store whose commits are visible at once and stored behind, in atomics as
 * large as they get: for batches that a log makes durable.
 *
 * 1. `commit` makes a batch visible before it returns. It resolves then, or
 *    when the backlog has room again.
 * 2. `durable` is the state that a restart finds; log entries above it must
 *    stay in the log. It is always the state after some batch.
 * 3. All reads of one call see one state, the one at the moment they end; or,
 *    when `replaceWith` came between, the last one before it.
 */
export class BufferedStore {
  #layers: Layers;
  #state: StoreState;
  #failure: { readonly error: unknown } | null = null;
  #storing: Promise<void> | null = null;
  #room: PromiseWithResolvers<void> | null = null;
  /** Earliest expiry that the store may not know yet. */
  #pendingExpiryMs: number | null = null;
  readonly #sessions = new CurrentSessions();
  /** Of the stores that were replaced. */
  readonly #openFailuresBefore = new OpenFailures();

  readonly #delay: StoreDelay;
  #isHurried = false;
  /** The store is being replaced: what waits is not stored. */
  #isDropping = false;

  private constructor(store: Store, clock: Clock | null) {
    this.#layers = { store, overlay: new Overlay() };
    this.#state = store.state;
    this.#delay = new StoreDelay(clock);
  }

  /** @throws {NodeError} As `Store.open`. */
  static async open(options: BufferedStoreOptions): Promise<BufferedStore> {
    const store = await Store.open(options);
    return new BufferedStore(store, options.clock ?? null);
  }

  /** After the last batch given. */
  get state(): StoreState {
    return this.#state;
  }

  /** After the last batch that a restart finds. */
  get durable(): StoreState {
    return this.#layers.store.state;
  }

  get counters(): WriterCounters {
    return this.#layers.store.counters;
  }

  /** As `Store.openFailures`, of replaced stores too. */
  get openFailures(): ReadonlyMap<IntegrityFault, number> {
    const all = new OpenFailures();
    all.addAll(this.#openFailuresBefore.counts);
    all.addAll(this.#layers.store.openFailures);
    return all.counts;
  }

  /** As `Store.hasNoCleartextMark`. */
  get hasNoCleartextMark(): boolean {
    return this.#layers.store.hasNoCleartextMark;
  }

  /**
   * As `Store.markNoCleartext`, of the store that is current: ask again whether
   * it has the mark if it may have been replaced.
   */
  markNoCleartext(): Promise<void> {
    return this.#layers.store.markNoCleartext();
  }

  /**
   * Keeps `batch` and its bytes; do not change them after.
   *
   * @throws {StoreBackingFailedError} Storing an earlier batch failed.
   */
  commit(batch: StoreBatch): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    const { state, mutations } = batch;
    assert(
      state.applied.index >= this.#state.applied.index,
      "the applied index never goes back",
    );
    assertState(state);
    const { overlay } = this.#layers;
    overlay.add(state, mutations, batchCost(this.#state, batch));
    this.#state = state;
    for (const { record } of mutations) {
      const expireAtMs = record?.expireAtMs ?? 0;
      if (expireAtMs === 0) continue;
      const earliest = this.#pendingExpiryMs ?? expireAtMs;
      this.#pendingExpiryMs = Math.min(earliest, expireAtMs);
    }
    this.#storing ??= this.#storeAll();
    if (overlay.hasFull) this.#delay.end();
    if (overlay.backlogBytes < BACKLOG_BYTES_MAX) {
      return Promise.resolve();
    }
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** Resolves when every batch given so far is durable. */
  async flush(): Promise<void> {
    this.#hurry();
    // While batches keep coming, storing has no end.
    await Promise.race([this.#layers.overlay.newestStored, this.#storing]);
    this.#isHurried = false;
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** As `Store.readRecords`. */
  async readRecords(
    keys: readonly RecordKey[],
  ): Promise<readonly (StoredRecord | null)[]> {
    const { store, overlay } = this.#layers;
    const epoch = overlay.enter();
    try {
      const known = keys.map((key) => overlay.find(key));
      const missing = keys.filter((_, i) => known[i] === null);
      const found = missing.length === 0
        ? []
        : await store.readRecords(missing);
      this.#check();
      // One step from here on: its moment is the state that is seen. What was
      // known and is not in the overlay now was stored, and nothing followed.
      let next = 0;
      return keys.map((key, i) => {
        const before = known[i] ?? null;
        const stored = before === null ? found[next++] ?? null : before.record;
        const mutation = overlay.find(key);
        return mutation === null ? stored : mutation.record;
      });
    } finally {
      overlay.leave(epoch);
    }
  }

  /** As `Store.readRanges`. */
  async readRanges(
    database: DatabaseNumber | null,
    ranges: readonly StoreRange[],
    clockMs: number,
  ): Promise<readonly (readonly StoreEntry[])[]> {
    if (database === null) return ranges.map(() => []);
    const { store, overlay } = this.#layers;
    const epoch = overlay.enter();
    try {
      for (let slack = 0;; slack = slack * 2 + 16) {
        const asked = ranges.map((range): StoreRange => ({
          ...range,
          limit: range.limit + slack +
            hiddenCount(laidOver(overlay, database, range), clockMs),
        }));
        const found = await store.readRanges(database, asked, clockMs);
        this.#check();
        // One step from here on: its moment is the state that is seen.
        const merged = ranges.map((range, i) =>
          mergeRange({
            range,
            entries: found[i] ?? [],
            isAll: (found[i]?.length ?? 0) < (asked[i]?.limit ?? 0),
            mutations: laidOver(overlay, database, range),
            clockMs,
          })
        );
        const complete = merged.filter((entries) => entries !== null);
        if (complete.length === merged.length) return complete;
      }
    } finally {
      overlay.leave(epoch);
    }
  }

  /** As `Store.insertSession`: durable when it resolves. */
  insertSession(row: SessionRow): Promise<boolean> {
    return this.#sessions.insert(() => this.#layers.store, row);
  }

  /** As `Store.findSession`. */
  findSession(place: SessionPlace): Promise<SessionRow | null> {
    return this.#ofCurrent((store) => store.findSession(place));
  }

  /** As `Store.sessionRows`. */
  sessionRows(): Promise<readonly SessionRow[]> {
    return this.#ofCurrent((store) => store.sessionRows());
  }

  /** As `Store.highestSessionEpochs`. */
  highestSessionEpochs(): Promise<ReadonlyMap<KeyId, number>> {
    return this.#ofCurrent((store) => store.highestSessionEpochs());
  }

  /** As `Store.nextExpiryMs`. */
  nextExpiryMs(): number | null {
    const stored = this.#layers.store.nextExpiryMs();
    const pending = this.#pendingExpiryMs;
    if (pending === null) return stored;
    return stored === null ? pending : Math.min(stored, pending);
  }

  /** As `Store.sweep`; records not stored yet wait for a later one. */
  async sweep(
    clockMs: number,
    rowsMax: number,
  ): Promise<readonly RecordKey[]> {
    const { store } = this.#layers;
    try {
      return await store.sweep(clockMs, rowsMax);
    } catch (error) {
      if (store === this.#layers.store) throw error;
      // Closed because it was replaced, and its records with it.
      return [];
    }
  }

  /** As `Store.rewriteStep`, of records that are stored. */
  rewriteStep(options: RewriteOptions): Promise<RewriteStep> {
    return this.#ofCurrent((store) => store.rewriteStep(options));
  }

  /** As `Store.countRecords`; stores all batches given so far first. */
  async countRecords(options: CountOptions = {}): Promise<RecordCounts | null> {
    await this.flush();
    return await this.#ofCurrent((store) => store.countRecords(options));
  }

  /**
   * As `Store.copyInto`, of all batches given before `finish`. To put it in the
   * place of the store, give none from then on until `replaceWith` resolves;
   * a sweep or a rewrite in between is done again.
   */
  copyInto(kv: Kv, options: StoreCopyOptions = {}): Promise<StoreCopy> {
    const settle = () => this.flush();
    return this.#layers.store.copyInto(kv, { ...options, settle });
  }

  /** As `Store.checkpoint`, of the durable state. */
  async checkpoint(
    options: BufferedCheckpointOptions = {},
  ): Promise<CheckpointSource> {
    if (options.flush === true) await this.flush();
    return await this.#layers.store.checkpoint(options);
  }

  /**
   * Puts `next` in the place of the store, which is closed: all of its records
   * and of its state, at once. What was not stored is dropped; the sessions of
   * this process go on. Owns `next`.
   *
   * Reads under way end with the state of before. No commit may be under way
   * or be given until it resolves.
   *
   * @throws {NodeError} Why `next` did not open or does not take the sessions;
   * the old store is in use as before then, but gives no checkpoint.
   */
  async replaceWith(next: Store | Promise<Store>): Promise<void> {
    const store = await next;
    const old = this.#layers;
    this.#isDropping = true;
    this.#delay.end();
    // A commit that waits for its reader would never end.
    await old.store.endCheckpoints();
    await this.#storing;
    try {
      await this.#sessions.carry(store, () => this.#take(store));
    } catch (error) {
      await store.close();
      throw error;
    } finally {
      this.#isDropping = false;
    }
    await old.overlay.left();
    await old.store.close();
  }

  #take(store: Store): void {
    this.#openFailuresBefore.addAll(this.#layers.store.openFailures);
    this.#layers = { store, overlay: new Overlay() };
    this.#state = store.state;
    this.#failure = null;
    this.#pendingExpiryMs = null;
    this.#room?.resolve();
    this.#room = null;
  }

  /** Stores what waits, then ends all use. */
  async close(): Promise<void> {
    this.#hurry();
    await this.#layers.store.endCheckpoints();
    await this.#storing;
    await this.#layers.store.close();
  }

  /** Asks the store; again when it was replaced, and closed, meanwhile. */
  async #ofCurrent<Result>(
    ask: (store: Store) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      const { store } = this.#layers;
      try {
        return await ask(store);
      } catch (error) {
        if (store === this.#layers.store) throw error;
      }
    }
  }

  #hurry(): void {
    this.#isHurried = true;
    this.#delay.end();
  }

  /** Waits until a segment is full, or for long enough. */
  async #gather(): Promise<void> {
    if (this.#isHurried || this.#isDropping) return;
    const { overlay } = this.#layers;
    if (overlay.hasFull || overlay.backlogBytes === 0) return;
    await this.#delay.wait();
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #storeAll(): Promise<void> {
    const { store, overlay } = this.#layers;
    // Batches given in one turn go together.
    await Promise.resolve();
    try {
      for (;;) {
        await this.#gather();
        if (this.#isDropping) break;
        const segment = overlay.next();
        if (segment === null) break;
        const { state, mutations } = segment;
        assert(state !== null, "a segment to store has a state");
        await store.commit({ state, mutations });
        overlay.stored();
        segment.stored.resolve();
        this.#room?.resolve();
        this.#room = null;
      }
      this.#pendingExpiryMs = null;
    } catch (error) {
      this.#failure = { error };
      this.#room?.reject(error);
      this.#room = null;
    }
    this.#storing = null;
  }
}
