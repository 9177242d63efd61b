/**
 * Time in which nobody else can lead, so that a leader may answer strong reads
 * without asking.
 *
 * A round confirmed by a quorum and asked at `s` proves that a quorum heard
 * this leader after `s`; for an election timeout from there none of them helps
 * anyone else (check-quorum), not even after a restart (`quietTicks`). So the
 * lease ends at
 *
 *     s + (electionTicks - 1) × tick × (1 - DRIFT)
 *
 * One tick less, since the tick that a member counts first may be due at once.
 *
 * It trusts clocks to run at the same speed but for DRIFT, also while a process
 * is stopped or its machine sleeps; reads look at the clock after they have
 * read, so that a stop in between does no harm. Transfers pass over it: it is
 * off while one runs.
 *
 * Source: Raft dissertation §6.4.1.
 */
export class Lease {
  readonly #lengthMs: number;
  #untilMs = -Infinity;

  constructor(electionTicks: number, tickMs: number) {
    this.#lengthMs = (electionTicks - 1) * tickMs * (1 - DRIFT);
  }

  /** A round asked at `startedMs` is confirmed. */
  extend(startedMs: number): void {
    this.#untilMs = Math.max(this.#untilMs, startedMs + this.#lengthMs);
  }

  isValid(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  /** Leadership or voters change, or may. */
  end(): void {
    this.#untilMs = -Infinity;
  }
}

/** Clocks of members differ in speed by less than this. */
const DRIFT = 0.1;
