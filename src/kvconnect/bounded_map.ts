/** A map that forgets its oldest item when it would exceed `itemsMax`. */
export class BoundedMap<Key, Value> {
  readonly #itemsMax: number;
  readonly #items = new Map<Key, Value>();

  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: Key): Value | undefined {
    return this.#items.get(key);
  }

  set(key: Key, value: Value): void {
    this.#items.set(key, value);
    if (this.#items.size <= this.#itemsMax) return;
    for (const oldest of this.#items.keys()) {
      this.#items.delete(oldest);
      return;
    }
  }
}
