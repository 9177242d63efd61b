/**
 * Keeps a quorum's durable data whole: whose disk is damaged, and who may be.
 *
 * Beyond that no protocol can keep what it promised.
 */
export class FaultAtlas {
  readonly #damaged = new Set<string>();

  get damaged(): ReadonlySet<string> {
    return this.#damaged;
  }

  /**
   * Claims `member` for damage, if the others are still a quorum of each of the
   * sets of voters.
   */
  claim(member: string, ...sets: readonly (readonly string[])[]): boolean {
    const would = new Set([...this.#damaged, member]);
    const isQuorum = sets.every((voters) => {
      const whole = voters.filter((voter) => !would.has(voter)).length;
      return whole >= Math.floor(voters.length / 2) + 1;
    });
    if (isQuorum) this.#damaged.add(member);
    return isQuorum;
  }

  /** `member` has been made anew. */
  release(member: string): void {
    this.#damaged.delete(member);
  }
}
