import { type IntegrityFault, StoreRecordIntegrityError } from "./errors.ts";

/** How many reads were refused for each reason. */
export class OpenFailures {
  readonly #counts = new Map<IntegrityFault, number>();

  get counts(): ReadonlyMap<IntegrityFault, number> {
    return this.#counts;
  }

  /** What `work` gives; counts why it did not. */
  async watch<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      this.note(error);
      throw error;
    }
  }

  note(error: unknown): void {
    if (error instanceof StoreRecordIntegrityError) this.#add(error.fault, 1);
  }

  /** Adds what `others` have counted. */
  addAll(others: ReadonlyMap<IntegrityFault, number>): void {
    for (const [fault, count] of others) this.#add(fault, count);
  }

  #add(fault: IntegrityFault, count: number): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + count);
  }
}
