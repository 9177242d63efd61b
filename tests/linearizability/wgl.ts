/** One call of a client and what came back. Times in any one unit. */
export interface Operation<I, O> {
  readonly input: I;
  /** `null`: unknown. It took place at some time after the call, or never. */
  readonly output: O | null;
  readonly calledAt: number;
  /** Not looked at when the output is unknown. */
  readonly returnedAt: number;
}

/** What a correct single copy does. States are values: never changed. */
export interface Model<S, I, O> {
  readonly initial: S;
  /**
   * State after `input`, or `null` when it cannot have answered `output`. The
   * very state given when nothing changed.
   */
  step(state: S, input: I, output: O | null): S | null;
  /** Equal for equal states, and for no others. */
  keyOf(state: S): string;
}

export type Verdict<I, O> =
  | { readonly kind: "linearizable"; readonly steps: number }
  /** The search was given up: neither shown nor refuted. */
  | { readonly kind: "undecided"; readonly steps: number }
  | {
    readonly kind: "violation";
    readonly steps: number;
    /** The longest order that explains what it holds. */
    readonly explained: readonly Operation<I, O>[];
    /** Of these none can follow `explained`, and one would have to. */
    readonly stuck: readonly Operation<I, O>[];
  };

/** Steps after which a search is given up. */
const STEPS_MAX = 3_000_000;

/**
 * Looks for an order of all operations that the model explains and in which
 * none comes before one that had returned before it was called. Intervals are
 * closed: a call at the very time of a return is concurrent to it.
 *
 * Depth first, with every (operations done, state) tried once. Operations of
 * unknown outcome are tried last, only where they change the state, and may be
 * left out: the same place reached with more of them is not tried again.
 *
 * Source: Wing and Gong 1993; Lowe, "Testing for linearizability", 2017.
 */
export function checkLinearizable<S, I, O>(
  model: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
  stepsMax = STEPS_MAX,
): Verdict<I, O> {
  return new Search(model, operations).run(stepsMax);
}

/** A state between two known operations, and the unknown ones before it. */
interface Stop<S> {
  readonly state: S;
  readonly taken: readonly number[];
}

interface Choice<S> {
  /** Known operations that may come next. */
  readonly known: readonly number[];
  /** Unknown ones that may come before them. */
  readonly unknown: readonly number[];
  /** Fewest unknown operations first, so that others need not be tried. */
  readonly stops: Stop<S>[];
  /** Where the search is: a stop, and the next of `known` to try there. */
  at: number;
  next: number;
  /** The last one tried here changed nothing: no other need come first. */
  isSettled: boolean;
  /** The known operation that led here; -1 at the start. */
  readonly chosen: number;
}

class Search<S, I, O> {
  readonly #model: Model<S, I, O>;
  /** By call. */
  readonly #known: readonly Operation<I, O>[];
  readonly #unknown: readonly Operation<I, O>[];
  readonly #isDone: Uint8Array;
  /** By known operations done and state: the unknown ones it took. */
  readonly #seen = new Map<string, (readonly number[])[]>();
  /** First known operation that is not done. */
  #head = 0;
  /** Beyond the last known operation that is done. */
  #end = 0;
  readonly #unknownDone: number[] = [];
  #doneCount = 0;
  #best: { order: number[]; stuck: readonly number[] } | null = null;

  constructor(
    model: Model<S, I, O>,
    operations: readonly Operation<I, O>[],
  ) {
    this.#model = model;
    const byCall = operations.toSorted((a, b) => a.calledAt - b.calledAt);
    this.#known = byCall.filter(({ output }) => output !== null);
    this.#unknown = byCall.filter(({ output }) => output === null);
    this.#isDone = new Uint8Array(byCall.length);
  }

  run(stepsMax: number): Verdict<I, O> {
    const stack = [this.#choose(this.#model.initial, -1)];
    let steps = 0;
    while (this.#doneCount < this.#known.length) {
      const top = stack.at(-1);
      if (top === undefined) return this.#violation(steps);
      const stop = top.stops[top.at];
      if (stop === undefined) {
        this.#note(stack, top);
        stack.pop();
        if (top.chosen >= 0) this.#undo(top.chosen);
        continue;
      }
      const candidate = top.known[top.next];
      if (candidate === undefined) {
        steps += this.#spread(top, stop);
        continue;
      }
      top.next += 1;
      steps += 1;
      if (steps > stepsMax) return { kind: "undecided", steps };
      const state = this.#step(stop.state, candidate);
      if (state === null) continue;
      if (state === stop.state) {
        // What explains the rest explains it after this one, too.
        top.isSettled = true;
        top.next = top.known.length;
      }
      this.#do(candidate);
      if (this.#isNew(state)) stack.push(this.#choose(state, candidate));
      else this.#undo(candidate);
    }
    return { kind: "linearizable", steps };
  }

  /** All that may come next: called before the first return among the rest. */
  #choose(state: S, chosen: number): Choice<S> {
    const known: number[] = [];
    const unknown: number[] = [];
    let firstReturn = Infinity;
    for (let at = this.#head; at < this.#known.length; at += 1) {
      if (this.#isDone[at] === 1) continue;
      const { calledAt, returnedAt } = this.#operation(at);
      if (calledAt > firstReturn) break;
      firstReturn = Math.min(firstReturn, returnedAt);
      known.push(at);
    }
    const first = this.#known.length;
    for (let at = first; at < this.#isDone.length; at += 1) {
      if (this.#operation(at).calledAt > firstReturn) break;
      if (this.#isDone[at] === 0) unknown.push(at);
    }
    const stops = [{ state, taken: [] }];
    return { known, unknown, stops, at: 0, next: 0, isSettled: false, chosen };
  }

  /** Leaves `stop` for the next one; adds those one unknown operation on. */
  #spread(top: Choice<S>, stop: Stop<S>): number {
    for (const at of top.isSettled ? [] : top.unknown) {
      if (this.#isDone[at] === 1) continue;
      const state = this.#step(stop.state, at);
      if (state === null) continue;
      this.#do(at);
      if (this.#isNew(state)) {
        top.stops.push({ state, taken: [...stop.taken, at] });
      }
      this.#undo(at);
    }
    for (const at of stop.taken.toReversed()) this.#undo(at);
    top.at += 1;
    top.next = 0;
    top.isSettled = false;
    for (const at of top.stops[top.at]?.taken ?? []) this.#do(at);
    return top.unknown.length;
  }

  #step(state: S, at: number): S | null {
    const { input, output } = this.#operation(at);
    const after = this.#model.step(state, input, output);
    // One that changes nothing may as well not have taken place.
    return output === null && after === state ? null : after;
  }

  #do(at: number): void {
    this.#isDone[at] = 1;
    if (at >= this.#known.length) {
      this.#unknownDone.push(at);
      return;
    }
    this.#doneCount += 1;
    this.#end = Math.max(this.#end, at + 1);
    while (this.#isDone[this.#head] === 1 && this.#head < this.#known.length) {
      this.#head += 1;
    }
  }

  #undo(at: number): void {
    this.#isDone[at] = 0;
    if (at >= this.#known.length) {
      this.#unknownDone.pop();
      return;
    }
    this.#doneCount -= 1;
    this.#head = Math.min(this.#head, at);
    while (this.#end > 0 && this.#isDone[this.#end - 1] === 0) this.#end -= 1;
  }

  #isNew(state: S): boolean {
    let key = `${this.#head}`;
    for (let at = this.#head + 1; at < this.#end; at += 1) {
      if (this.#isDone[at] === 1) key += `,${at}`;
    }
    key += `|${this.#model.keyOf(state)}`;
    const before = this.#seen.get(key) ?? [];
    // Whoever came here with fewer of them can do all that we can.
    if (before.some((few) => few.every((at) => this.#isDone[at] === 1))) {
      return false;
    }
    before.push([...this.#unknownDone]);
    this.#seen.set(key, before);
    return true;
  }

  /** Remembers the longest order seen, for people. */
  #note(stack: readonly Choice<S>[], { known }: Choice<S>): void {
    const length = this.#best?.order.length ?? -1;
    if (stack.length - 1 <= length) return;
    const order = stack.slice(1).flatMap(({ chosen }, i) => {
      const before = stack[i];
      return [...before?.stops[before.at]?.taken ?? [], chosen];
    });
    this.#best = { order, stuck: known };
  }

  #violation(steps: number): Verdict<I, O> {
    const { order, stuck } = this.#best ?? { order: [], stuck: [] };
    const of = (at: number) => this.#operation(at);
    const explained = order.map(of);
    return { kind: "violation", steps, explained, stuck: stuck.map(of) };
  }

  #operation(at: number): Operation<I, O> {
    const { length } = this.#known;
    const operation = at < length
      ? this.#known[at]
      : this.#unknown[at - length];
    return operation as Operation<I, O>;
  }
}
