/** What a reader asks the backing store through, so that reads are counted. */
export interface CountsReads {
  readonly reads: number;
}

const OPTIMISTIC_TRIES = 2;

/**
 * Keeps every request on one state of the store.
 *
 * 1. One backing read is one state; a request that needs several is valid when
 *    no commit ran meanwhile. After two failed tries it holds commits back.
 * 2. Holders and commits take turns, so neither starves.
 * 3. While an exclusive section runs there is no reader at all.
 *
 * There is one writer: `commit` and `exclusive` are never called side by side.
 */
export class StateGate {
  #readers = 0;
  #holders = 0;
  #commitsStarted = 0;
  #committing = false;
  #commitWaits = false;
  #exclusive = false;
  #changed: PromiseWithResolvers<void> | null = null;

  /** Runs `attempt`, again if needed, until its reads saw one state. */
  async read<Reads extends CountsReads, Result>(
    begin: () => Reads,
    attempt: (reads: Reads) => Promise<Result>,
  ): Promise<Result> {
    while (this.#exclusive) await this.#nextChange();
    this.#readers += 1;
    try {
      for (let tries = 0; tries < OPTIMISTIC_TRIES; tries += 1) {
        const quiet = !this.#committing;
        if (tries > 0 && !quiet) break;
        const started = this.#commitsStarted;
        const reads = begin();
        const isOneState = () =>
          reads.reads <= 1 || (quiet && started === this.#commitsStarted);
        try {
          const result = await attempt(reads);
          if (isOneState()) return result;
        } catch (error) {
          if (isOneState()) throw error;
          // Two states at once can look damaged: look again.
        }
      }
      return await this.#readHolding(begin, attempt);
    } finally {
      this.#readers -= 1;
      this.#notify();
    }
  }

  /** Runs `write`, which makes one new state visible, between holders. */
  async commit<Result>(write: () => Promise<Result>): Promise<Result> {
    this.#commitWaits = true;
    while (this.#holders > 0) await this.#nextChange();
    this.#commitWaits = false;
    this.#committing = true;
    this.#commitsStarted += 1;
    try {
      return await write();
    } finally {
      this.#committing = false;
      this.#notify();
    }
  }

  /** Runs `write`, which passes through states that nobody may see. */
  async exclusive<Result>(write: () => Promise<Result>): Promise<Result> {
    this.#exclusive = true;
    try {
      while (this.#readers > 0) await this.#nextChange();
      return await this.commit(write);
    } finally {
      this.#exclusive = false;
      this.#notify();
    }
  }

  async #readHolding<Reads extends CountsReads, Result>(
    begin: () => Reads,
    attempt: (reads: Reads) => Promise<Result>,
  ): Promise<Result> {
    while (this.#committing || this.#commitWaits) await this.#nextChange();
    this.#holders += 1;
    try {
      return await attempt(begin());
    } finally {
      this.#holders -= 1;
      this.#notify();
    }
  }

  #nextChange(): Promise<void> {
    this.#changed ??= Promise.withResolvers<void>();
    return this.#changed.promise;
  }

  #notify(): void {
    this.#changed?.resolve();
    this.#changed = null;
  }
}
