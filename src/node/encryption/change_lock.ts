/**
 * Lets one change of the cluster be made at a time: of its members or of its
 * encryption. Whoever comes second is refused, not queued: what it was decided
 * on may be another when its turn comes.
 */
export class ChangeLock {
  #holder: string | null = null;

  /** What is under way; `null` for nothing. */
  get holder(): string | null {
    return this.#holder;
  }

  /**
   * Runs `change` alone.
   *
   * @throws Out of `refuse`, when another change is under way.
   */
  async run<T>(
    name: string,
    refuse: (holder: string) => Error,
    change: () => Promise<T>,
  ): Promise<T> {
    if (this.#holder !== null) throw refuse(this.#holder);
    this.#holder = name;
    try {
      return await change();
    } finally {
      this.#holder = null;
    }
  }
}
