import type { Dice } from "./dice.ts";

interface Item {
  readonly at: number;
  readonly tie: number;
  readonly run: () => void;
}

/**
 * Virtual time in milliseconds and what happens when: a heap by (time, random
 * tie-breaker), so that nothing depends on the order of scheduling.
 */
export class Timeline {
  now = 0;
  readonly #dice: Dice;
  readonly #heap: Item[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  after(delay: number, run: () => void): void {
    this.#push({ at: this.now + delay, tie: this.#dice.u32(), run });
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const item = this.#pop();
    if (item === undefined) return false;
    this.now = item.at;
    item.run();
    return true;
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Item;
      if (isBefore(above, item)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): Item | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) {
      return first;
    }
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      const left = heap[child] as Item;
      const right = heap[child + 1];
      let next = left;
      if (right !== undefined && isBefore(right, left)) {
        child += 1;
        next = right;
      }
      if (isBefore(last, next)) break;
      heap[at] = next;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}
