/**
 * Lets one change of the cluster be made at a time: of its members or of its
 * encryption. Whoever comes second is refused, not queued: what it was decided
 * on may be another when its turn comes.
 */
export class ChangeLock {
  readonly #isInDoubt: () => boolean;
  #holder: string | null = null;

  /** `isInDoubt` tells whether it is not known how the last change ended. */
  constructor(isInDoubt: () => boolean = () => false) {
    this.#isInDoubt = isInDoubt;
  }

  /** What is under way; `null` for nothing. */
  get holder(): string | null {
    if (this.#holder !== null) return this.#holder;
    return this.#isInDoubt() ? "a change whose outcome is not known yet" : null;
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
    const { holder } = this;
    if (holder !== null) throw refuse(holder);
    this.#holder = name;
    try {
      return await change();
    } finally {
      this.#holder = null;
    }
  }
}
