/** Lets so many in at a time, in the order in which they came. */
export class Line {
  readonly #waiting: PromiseWithResolvers<boolean>[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** True when it is the caller's turn, who then calls `leave`. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    const turn = Promise.withResolvers<boolean>();
    this.#waiting.push(turn);
    const onAbort = () => {
      const at = this.#waiting.indexOf(turn);
      // Whose turn has come leaves as all others do.
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      turn.resolve(false);
    };
    signal.addEventListener("abort", onAbort);
    const isTurn = await turn.promise;
    signal.removeEventListener("abort", onAbort);
    return isTurn;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.resolve(true);
  }
}
