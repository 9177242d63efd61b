import type { LogIndex } from "../raft/types.ts";
import { OverloadedError } from "./errors.ts";
import { WAITING_READS_MAX } from "./limits.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Strong reads on their way to a state that is new enough.
 *
 * Reads that arrive together share one read index: they wait for the core to
 * confirm it, then for the store to have applied that far (Raft thesis §6.4).
 */
export class Reads {
  #waiting: Waiter[] = [];
  #nextRound = 1;
  #count = 0;
  readonly #rounds = new Map<number, readonly Waiter[]>();
  #confirmed: { index: LogIndex; waiters: readonly Waiter[] }[] = [];

  /**
   * Resolves when the applied state holds every write acknowledged before now.
   *
   * @throws {OverloadedError} When too many wait.
   */
  wait(): Promise<void> {
    if (this.#count >= WAITING_READS_MAX) {
      throw new OverloadedError("reads", this.#count);
    }
    this.#count += 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ resolve, reject });
    return promise;
  }

  /** Starts a round for all that wait; `null` when none does. */
  takeRound(): number | null {
    if (this.#waiting.length === 0) return null;
    const round = this.#nextRound;
    this.#nextRound += 1;
    this.#rounds.set(round, this.#waiting);
    this.#waiting = [];
    return round;
  }

  /** The core has confirmed leadership for `round` at `index`. */
  confirm(round: number, index: LogIndex, applied: LogIndex): void {
    const waiters = this.#rounds.get(round);
    if (waiters === undefined) return;
    this.#rounds.delete(round);
    if (index <= applied) this.#release(waiters);
    else this.#confirmed.push({ index, waiters });
  }

  /** The store has applied up to `applied`. */
  appliedTo(applied: LogIndex): void {
    if (this.#confirmed.length === 0) return;
    const later = [];
    for (const round of this.#confirmed) {
      if (round.index <= applied) this.#release(round.waiters);
      else later.push(round);
    }
    this.#confirmed = later;
  }

  /** Puts unconfirmed rounds back: the core forgets them with its leadership. */
  restart(): void {
    const again = [...this.#rounds.values()].flat();
    this.#rounds.clear();
    this.#waiting = [...again, ...this.#waiting];
  }

  failAll(error: Error): void {
    this.restart();
    const waiters = [
      ...this.#waiting,
      ...this.#confirmed.flatMap((round) => round.waiters),
    ];
    this.#waiting = [];
    this.#confirmed = [];
    this.#count = 0;
    for (const waiter of waiters) waiter.reject(error);
  }

  #release(waiters: readonly Waiter[]): void {
    this.#count -= waiters.length;
    for (const waiter of waiters) waiter.resolve();
  }
}
