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

  /** Claims `member` for damage, if the others are still a quorum. */
  claim(member: string, voters: readonly string[]): boolean {
    const would = new Set([...this.#damaged, member]);
    const whole = voters.filter((voter) => !would.has(voter)).length;
    if (whole < Math.floor(voters.length / 2) + 1) return false;
    this.#damaged.add(member);
    return true;
  }

  /** `member` has been made anew. */
  release(member: string): void {
    this.#damaged.delete(member);
  }
}
