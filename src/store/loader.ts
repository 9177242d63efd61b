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

/** Commits rows in atomics as large as they get, one under way at a time. */
export class Loader {
  readonly #backing: Backing;
  #rows: RowChange[] = [];
  #cost: AtomicCost = NO_COST;
  #committing: Promise<void> = Promise.resolve();

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  /** Rows that no other call since the last `flush` names. */
  async add(rows: readonly RowChange[]): Promise<void> {
    for (const row of rows) {
      const cost = changeCost(row);
      const sum = addCost(this.#cost, cost);
      if (fitsAtomic(sum)) this.#cost = sum;
      else {
        await this.#commit();
        this.#cost = cost;
      }
      this.#rows.push(row);
    }
  }

  /** Resolves when all rows given so far are stored. */
  async flush(): Promise<void> {
    if (this.#rows.length > 0) await this.#commit();
    await this.#committing;
  }

  /** Resolves when no commit is under way, whatever came of it. */
  async settled(): Promise<void> {
    await this.#committing.catch(() => {});
  }

  async #commit(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#cost = NO_COST;
    await this.#committing;
    this.#committing = this.#backing.commit(toBatch(rows));
    // Whoever waits next hears of it.
    this.#committing.catch(() => {});
  }
}
