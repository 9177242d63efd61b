import { assert } from "../base/assert.ts";
import type { LogIndex, Term } from "../raft/types.ts";

/**
 * The term of every entry of [base, last], as runs of equal terms: a log of
 * millions of entries has a handful.
 *
 * `base` is the entry before the first one; its term may be unknown while a
 * log is read whose older segments are purged.
 */
export class TermRuns {
  /** First index of each run, ascending; the first is `base`. */
  readonly #starts: LogIndex[];
  readonly #terms: (Term | null)[];
  #last: LogIndex;

  constructor(base: LogIndex, term: Term | null) {
    this.#starts = [base];
    this.#terms = [term];
    this.#last = base;
  }

  clone(): TermRuns {
    const copy = new TermRuns(this.base, null);
    copy.#starts.splice(0, 1, ...this.#starts);
    copy.#terms.splice(0, 1, ...this.#terms);
    copy.#last = this.#last;
    return copy;
  }

  get base(): LogIndex {
    return this.#starts[0] as LogIndex;
  }

  get last(): LogIndex {
    return this.#last;
  }

  /** Term of `index`; `null` outside [base, last] or when it is unknown. */
  at(index: LogIndex): Term | null {
    if (index > this.#last || index < this.base) return null;
    return this.#terms[this.#runOf(index)] as Term | null;
  }

  /** Adds `last + 1`, or replaces everything from `index` on. */
  append(index: LogIndex, term: Term): void {
    if (index <= this.#last) this.#truncate(index);
    assert(index === this.#last + 1, "entries are dense");
    if (this.#terms[this.#terms.length - 1] !== term) {
      this.#starts.push(index);
      this.#terms.push(term);
    }
    this.#last = index;
  }

  /** Makes `index`, whose term is given, the base. */
  compact(index: LogIndex, term: Term): void {
    assert(index >= this.base && index <= this.#last, "compacts what it has");
    const run = this.#runOf(index);
    this.#starts.splice(0, run);
    this.#terms.splice(0, run);
    this.#starts[0] = index;
    this.#terms[0] = term;
  }

  #truncate(from: LogIndex): void {
    if (from <= this.base) {
      this.#starts.splice(0, this.#starts.length, from - 1);
      this.#terms.splice(0, this.#terms.length, null);
    } else {
      const run = this.#runOf(from - 1);
      this.#starts.length = run + 1;
      this.#terms.length = run + 1;
    }
    this.#last = from - 1;
  }

  #runOf(index: LogIndex): number {
    let run = this.#starts.length - 1;
    if (index >= (this.#starts[run] as LogIndex)) return run;
    let low = 0;
    // Invariant: starts[low] <= index < starts[run].
    while (run - low > 1) {
      const middle = (low + run) >> 1;
      if ((this.#starts[middle] as LogIndex) <= index) low = middle;
      else run = middle;
    }
    return low;
  }
}
