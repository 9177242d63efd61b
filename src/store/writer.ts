import { assert } from "../base/assert.ts";
import type { DatabaseNumber, Mutation } from "../fsm/types.ts";
import {
  addCost,
  type AtomicCost,
  changeCost,
  fitsAtomic,
  NO_COST,
  type RowChange,
  toBatch,
} from "./atomics.ts";
import type { Backing } from "./backing.ts";
import {
  assertState,
  batchCost,
  boundCost,
  changesOf,
  databaseChanges,
  encryptionChanges,
  lastMutations,
  memberChanges,
  META_COST,
  rolloutChanges,
} from "./changes.ts";
import type { StateGate } from "./gate.ts";
import { encodeMeta, type StoreState } from "./meta.ts";
import { commitInParts } from "./multi_part.ts";
import type { PlaceFilter } from "./place_filter.ts";
import { META_KEY } from "./row_key.ts";
import type { RecordSealing } from "./sealing.ts";

/** What one or more log entries did: records and the state after them. */
export interface StoreBatch {
  readonly state: StoreState;
  readonly mutations: readonly Mutation[];
}

interface Waiting {
  readonly batch: StoreBatch | null;
  readonly cost: AtomicCost;
  readonly task: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface WriterCounters {
  /** Batches given and atomics that carried them. */
  readonly batches: number;
  readonly atomics: number;
  readonly multiPart: number;
}

export interface WriterOptions {
  readonly backing: Backing;
  readonly gate: StateGate;
  readonly sealing: Pick<RecordSealing, "sealerFor">;
  readonly overflows: PlaceFilter;
  readonly databasesStored: Set<DatabaseNumber>;
  readonly state: StoreState;
  readonly onExpiry: (expireAtMs: number) => void;
}

/**
 * The single writer. Batches wait in line; those that fit together go into one
 * atomic, a batch larger than one goes in parts.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;
  /** Why a batch is missing: no later one may pass over it. */
  #failure: { readonly error: unknown } | null = null;
  #state: StoreState;
  #given: StoreState;
  #batches = 0;
  #atomics = 0;
  #multiPart = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#state = options.state;
    this.#given = options.state;
  }

  /** The last durable state. */
  get state(): StoreState {
    return this.#state;
  }

  get counters(): WriterCounters {
    return {
      batches: this.#batches,
      atomics: this.#atomics,
      multiPart: this.#multiPart,
    };
  }

  /**
   * Makes `batch` durable and visible, wholly or not at all. Keeps its bytes
   * until then.
   */
  commit(batch: StoreBatch): Promise<void> {
    const prior = this.#given;
    assert(
      batch.state.applied.index >= prior.applied.index,
      "the applied index never goes back",
    );
    assert(
      batch.state.fsm.databases.size >= prior.fsm.databases.size,
      "databases are never forgotten",
    );
    assertState(batch.state);
    this.#given = batch.state;
    const cost = batchCost(prior, batch);
    return this.#enqueue({ batch, cost, task: () => Promise.resolve() });
  }

  /** Runs `task` when no commit runs. */
  run(task: () => Promise<void>): Promise<void> {
    return this.#enqueue({ batch: null, cost: NO_COST, task });
  }

  /**
   * For a task that `run` runs: writes records beside the state as it is. Each
   * is as it was, but for how it is kept.
   */
  rewrite(mutations: readonly Mutation[]): Promise<void> {
    return this.#write(this.#state, [mutations]);
  }

  /** Resolves when everything given so far has ended, well or not. */
  async settled(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  #enqueue(
    work: Pick<Waiting, "batch" | "cost" | "task">,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...work, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Batches given in one turn go together.
    await Promise.resolve();
    for (;;) {
      const group = this.#takeGroup();
      if (group.length === 0) break;
      try {
        if (this.#failure !== null) throw this.#failure.error;
        await this.#carryOut(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        if (group[0]?.batch) this.#failure ??= { error };
        for (const { reject } of group) reject(error);
      }
    }
    this.#draining = null;
  }

  /** A task, or as many batches as fit into one atomic. */
  #takeGroup(): readonly Waiting[] {
    let cost = META_COST;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && waiting.batch === null) break;
      cost = addCost(cost, waiting.cost);
      if (count > 0 && !fitsAtomic(cost)) break;
      count += 1;
      if (waiting.batch === null) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #carryOut(group: readonly Waiting[]): Promise<void> {
    const batches: StoreBatch[] = [];
    for (const { batch, task } of group) {
      if (batch === null) await task();
      else batches.push(batch);
    }
    const state = batches.at(-1)?.state;
    if (state === undefined) return;
    await this.#write(state, batches.map(({ mutations }) => mutations));
    this.#state = state;
    this.#batches += batches.length;
  }

  async #write(
    state: StoreState,
    mutationLists: readonly (readonly Mutation[])[],
  ): Promise<void> {
    const { backing, gate, sealing, overflows } = this.#options;
    const { databasesStored, onExpiry } = this.#options;
    const mutations = lastMutations(mutationLists);
    const sealer = sealing.sealerFor(state);
    const changes = await changesOf(mutations, { sealer, overflows });
    const more = [
      ...databaseChanges(state.fsm.databases, databasesStored),
      ...memberChanges(this.#state, state),
      ...rolloutChanges(this.#state, state),
      ...encryptionChanges(this.#state, state),
    ];
    for (const change of more) changes.push(change);
    const meta = encodeMeta(state);
    const all: readonly RowChange[] = [
      ...changes,
      { key: META_KEY, value: meta },
    ];
    await backing.prepare(() => changes.map(({ key }) => key));
    const bound = more.map(changeCost).reduce(
      addCost,
      addCost(boundCost(mutations), META_COST),
    );
    if (isOneAtomic(all, bound)) {
      await gate.commit(() => backing.commit(toBatch(all)));
      this.#atomics += 1;
    } else {
      await commitInParts(backing, gate, { changes, meta });
      this.#multiPart += 1;
    }
    for (const { record } of mutations) {
      if (record !== null && record.expireAtMs !== 0) {
        onExpiry(record.expireAtMs);
      }
    }
  }
}

/** Exact lengths are computed only when the cheap bound does not decide. */
function isOneAtomic(
  changes: readonly RowChange[],
  bound: AtomicCost,
): boolean {
  return fitsAtomic(bound) ||
    fitsAtomic(changes.map(changeCost).reduce(addCost, NO_COST));
}
