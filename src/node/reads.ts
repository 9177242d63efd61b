import type { LogIndex } from "../raft/types.ts";
import { NotReadyError, OverloadedError } from "./errors.ts";
import { WAITING_READS_MAX } from "./limits.ts";

interface Waiter {
  /** Monotonic ms. */
  readonly addedMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Round {
  readonly startedMs: number;
  readonly waiters: readonly Waiter[];
}

/** A round that the core has confirmed. */
export interface ConfirmedRound {
  /** When it was asked: no leader was newer then. */
  readonly startedMs: number;
}

/**
 * Strong reads on their way to a state that is new enough.
 *
 * Reads that arrive together share one read index: they wait for the core to
 * confirm it, then for the store to have applied that far (Raft thesis §6.4).
 * A question to another member may be lost: it is asked again as a new round.
 */
export class Reads {
  #waiting: Waiter[] = [];
  #nextRound = 1;
  #count = 0;
  readonly #rounds = new Map<number, Round>();
  #confirmed: { index: LogIndex; waiters: readonly Waiter[] }[] = [];

  /**
   * Resolves when the applied state holds every write acknowledged before now.
   *
   * @throws {OverloadedError} When too many wait.
   */
  wait(nowMs: number): Promise<void> {
    if (this.#count >= WAITING_READS_MAX) {
      throw new OverloadedError("reads", this.#count);
    }
    this.#count += 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ addedMs: nowMs, resolve, reject });
    return promise;
  }

  /** Starts a round for all that wait; `null` when none does. */
  takeRound(nowMs: number): number | null {
    if (this.#waiting.length === 0) return null;
    const round = this.#nextRound;
    this.#nextRound += 1;
    this.#rounds.set(round, { startedMs: nowMs, waiters: this.#waiting });
    this.#waiting = [];
    return round;
  }

  /** The core has confirmed leadership for `round` at `index`. */
  confirm(
    round: number,
    index: LogIndex,
    applied: LogIndex,
  ): ConfirmedRound | null {
    const known = this.#rounds.get(round);
    if (known === undefined) return null;
    this.#rounds.delete(round);
    if (index <= applied) this.#release(known.waiters);
    else this.#confirmed.push({ index, waiters: known.waiters });
    return known;
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

  /** Puts rounds asked before `untilMs` and not confirmed back: ask again. */
  restart(untilMs = Infinity): void {
    const again: Waiter[] = [];
    for (const [round, { startedMs, waiters }] of this.#rounds) {
      if (startedMs >= untilMs) continue;
      this.#rounds.delete(round);
      for (const waiter of waiters) again.push(waiter);
    }
    if (again.length > 0) this.#waiting = [...again, ...this.#waiting];
  }

  /** Gives up on reads that wait, unconfirmed, since before `untilMs`. */
  expire(untilMs: number): void {
    const late = this.#waiting.filter(({ addedMs }) => addedMs < untilMs);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ addedMs }) => addedMs >= untilMs);
    this.#count -= late.length;
    const error = new NotReadyError("no leader answered the read in time");
    for (const waiter of late) waiter.reject(error);
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
