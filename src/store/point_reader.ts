import type { Bytes } from "../base/bytes.ts";
import { KV_READ_KEYS_MAX, type KvKey } from "../io/kv.ts";
import type { Backing } from "./backing.ts";

interface Waiting {
  readonly keys: readonly KvKey[];
  readonly resolve: (values: readonly (Bytes | null)[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Backing gets under way at once; more wait and share the next ones. */
const IN_FLIGHT_MAX = 2;

/**
 * Lets single-key reads share backing gets of up to 10 keys.
 *
 * A get costs the calling thread four times what a key in one costs, so under
 * load reads queue behind the gets under way and go out together.
 */
export class PointReader {
  readonly #backing: Backing;
  readonly #waiting: Waiting[] = [];
  #inFlight = 0;

  constructor(backing: Backing) {
    this.#backing = backing;
  }

  /** Values of at most 10 keys, from one state. */
  get(keys: readonly KvKey[]): Promise<readonly (Bytes | null)[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#inFlight < IN_FLIGHT_MAX && this.#waiting.length > 0) {
      const group = this.#takeGroup();
      this.#inFlight += 1;
      this.#read(group).finally(() => {
        this.#inFlight -= 1;
        this.#pump();
      });
    }
  }

  #takeGroup(): readonly Waiting[] {
    let keys = 0;
    let count = 0;
    for (const { keys: { length } } of this.#waiting) {
      if (count > 0 && keys + length > KV_READ_KEYS_MAX) break;
      keys += length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #read(group: readonly Waiting[]): Promise<void> {
    try {
      const values = await this.#backing.get(group.flatMap(({ keys }) => keys));
      let at = 0;
      for (const { keys, resolve } of group) {
        resolve(values.slice(at, at + keys.length));
        at += keys.length;
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
