import { assert } from "../base/assert.ts";

/** Bounds what large reads hold in memory together; first come, first served. */
export class ReadGate {
  readonly #entriesMax: number;
  readonly #waiting: {
    readonly entries: number;
    readonly enter: () => void;
  }[] = [];
  #entries = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Entries of the reads inside. */
  get entries(): number {
    return this.#entries;
  }

  /** Resolves when `entries` more fit; leave with the same number. */
  enter(entries: number): Promise<void> {
    assert(entries <= this.#entriesMax, "one read fits the gate");
    return new Promise((resolve) => {
      this.#waiting.push({ entries, enter: resolve });
      this.#admit();
    });
  }

  leave(entries: number): void {
    this.#entries -= entries;
    assert(this.#entries >= 0, "who leaves has entered");
    this.#admit();
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      if (this.#entries + next.entries > this.#entriesMax) return;
      this.#waiting.shift();
      this.#entries += next.entries;
      next.enter();
    }
  }
}
