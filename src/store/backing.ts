import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Kv, KvBatch, KvKey, KvRange, KvRow } from "../io/kv.ts";
import { StoreBackingFailedError, StoreClosedError } from "./errors.ts";

/** Looks at rows that change. */
export interface RowObserver {
  /** Resolves when the rows at `keys` may change. */
  beforeChange(keys: readonly KvKey[]): Promise<void>;
  /** Told in the same turn that they have, durably. */
  afterChange?(keys: readonly KvKey[]): void;
}

/**
 * The backing store with our errors, and the single door of all row changes.
 *
 * After a failed commit nobody knows what is stored: every later call fails
 * too, until the store is opened again.
 */
export class Backing {
  readonly #kv: Kv;
  #failure: StoreBackingFailedError | null = null;
  #closed = false;
  readonly #observers = new Set<RowObserver>();

  private constructor(kv: Kv) {
    this.#kv = kv;
  }

  /** @throws {StoreBackingFailedError} The backing store does not open. */
  static async open(kv: Kv | Promise<Kv>): Promise<Backing> {
    try {
      return new Backing(await kv);
    } catch (cause) {
      throw new StoreBackingFailedError("open the store", { cause });
    }
  }

  /** @throws {StoreBackingFailedError | StoreClosedError} */
  async get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    this.#check();
    try {
      return await this.#kv.get(keys);
    } catch (cause) {
      throw this.#wrap("read records", cause);
    }
  }

  /** @throws {StoreBackingFailedError | StoreClosedError} */
  async list(range: KvRange): Promise<readonly KvRow[]> {
    this.#check();
    try {
      return await this.#kv.list(range);
    } catch (cause) {
      throw this.#wrap("list records", cause);
    }
  }

  /** Shows `observer` every change from now on. */
  observe(observer: RowObserver): void {
    this.#observers.add(observer);
  }

  /** Ends what `observe` began. */
  unobserve(observer: RowObserver): void {
    this.#observers.delete(observer);
  }

  /**
   * Shows the observers rows that change soon. They may wait: call this where
   * nobody is kept from reading, and `commit` has nothing left to wait for.
   */
  async prepare(keys: () => readonly KvKey[]): Promise<void> {
    if (this.#observers.size === 0) return;
    const changing = keys();
    for (const observer of this.#observers) {
      await observer.beforeChange(changing);
    }
  }

  /** @throws {StoreBackingFailedError | StoreClosedError} */
  async commit(batch: KvBatch): Promise<void> {
    this.#check();
    if (this.#observers.size > 0) {
      await this.prepare(() => changedKeys(batch));
      this.#check();
    }
    const done = await this.#write(batch);
    assert(done, "a batch without conditions commits");
    for (const observer of this.#observers) {
      observer.afterChange?.(changedKeys(batch));
    }
  }

  /**
   * Commits rows that no observer looks at, all if none of `absent` exists and
   * none otherwise, and tells which.
   *
   * @throws {StoreBackingFailedError | StoreClosedError}
   */
  async insert(
    absent: readonly KvKey[],
    sets: readonly KvRow[],
  ): Promise<boolean> {
    this.#check();
    return await this.#write({ absent, sets, deletes: [] });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kv.close();
  }

  async #write(batch: KvBatch): Promise<boolean> {
    try {
      return await this.#kv.commit(batch);
    } catch (cause) {
      const failure = this.#wrap("commit", cause);
      if (failure instanceof StoreBackingFailedError) this.#failure = failure;
      throw failure;
    }
  }

  #check(): void {
    if (this.#closed) throw new StoreClosedError();
    if (this.#failure !== null) throw this.#failure;
  }

  #wrap(
    operation: string,
    cause: unknown,
  ): StoreBackingFailedError | StoreClosedError {
    return this.#closed
      ? new StoreClosedError()
      : new StoreBackingFailedError(operation, { cause });
  }
}

function changedKeys({ sets, deletes }: KvBatch): readonly KvKey[] {
  return [...sets.map(({ key }) => key), ...deletes];
}
