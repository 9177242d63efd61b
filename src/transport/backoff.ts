import type { Random } from "../io/random.ts";
import { REDIAL_MS_MAX, REDIAL_MS_MIN } from "./limits.ts";

/** Waits between dials: they double, and are spread so that none meet. */
export class Backoff {
  readonly #random: Random;
  #ms = REDIAL_MS_MIN;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next wait, from half to the whole of the current step. */
  nextMs(): number {
    const half = this.#ms / 2;
    this.#ms = Math.min(2 * this.#ms, REDIAL_MS_MAX);
    return half + this.#random.below(Math.floor(half) + 1);
  }

  reset(): void {
    this.#ms = REDIAL_MS_MIN;
  }
}
