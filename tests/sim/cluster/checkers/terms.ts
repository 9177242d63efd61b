import type { NodeStatus } from "../../../../src/node/port.ts";
import { fail } from "../../raft/checkers.ts";

/** What of a status this checker looks at. */
export type Standing =
  & Pick<NodeStatus, "term" | "commit" | "applied">
  & { readonly isLeader: boolean };

/**
 * One leader per term, told apart by life, for the same member may not win a
 * term twice; term, commit and applied index of a life never go back.
 */
export class TermChecker {
  readonly #leaders = new Map<number, string>();
  readonly #seen = new Map<string, Standing>();

  /** `life` is the name of a member and the number of its start. */
  see(life: string, now: Standing): void {
    const before = this.#seen.get(life);
    this.#seen.set(life, now);
    if (before !== undefined) {
      for (const field of ["term", "commit", "applied"] as const) {
        if (now[field] < before[field]) {
          fail(
            "WentBack",
            `${life}: ${field} ${before[field]} → ${now[field]}`,
          );
        }
      }
    }
    if (now.applied > now.commit) {
      fail("AppliedUncommitted", `${life}: ${now.applied} > ${now.commit}`);
    }
    if (!now.isLeader) return;
    const other = this.#leaders.get(now.term) ?? life;
    this.#leaders.set(now.term, other);
    if (other !== life) {
      fail("ElectionSafety", `${life} and ${other} lead term ${now.term}`);
    }
  }
}
