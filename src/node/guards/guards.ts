import type { NodeError } from "../../base/error.ts";
import { checkDivergence } from "./divergence.ts";
import {
  EPOCH_EXHAUSTED,
  EPOCH_ROLLBACK,
  NODE_ID_COLLISION,
} from "./epoch_guards.ts";
import type { GuardFacts } from "./facts.ts";
import type { Guard, ReadingName } from "./guard.ts";
import { KEY_GUARDS, SIDECAR_BEHIND } from "./key_guards.ts";
import { OWNERSHIP_GUARDS } from "./ownership.ts";

/** What guards look at and none of them speaks for. */
const PARTS: readonly ReadingName[] = [
  "identity",
  "log",
  "store",
  "checkpoint",
];

/**
 * Every reason not to start, in the order in which they are reported.
 *
 * Source: docs/startup_guards.md.
 */
export const GUARDS: readonly Guard[] = [
  ...OWNERSHIP_GUARDS,
  ...KEY_GUARDS,
  EPOCH_EXHAUSTED,
  NODE_ID_COLLISION,
  SIDECAR_BEHIND,
  {
    name: "EnvelopeCutoverDivergence",
    reads: ["sidecar", "store", "checkpoint"],
    check: checkDivergence,
  },
  EPOCH_ROLLBACK,
  {
    name: "PartUnreadable",
    reads: PARTS,
    check: (facts) => {
      const failed = PARTS.map((name) => facts[name])
        .find((reading) => reading.kind === "failed");
      return failed?.kind === "failed" ? failed.error : null;
    },
  },
];

/** What one guard says of a data dir. */
export interface GuardFinding {
  readonly guard: string;
  /** `unchecked`: nothing known speaks against it, and not all is known. */
  readonly verdict: "passed" | "unchecked" | "refused";
  /** Why it refused. */
  readonly error: NodeError | null;
}

/** The error to refuse a start with; `null` when it may go on. */
export function firstRefusal(facts: GuardFacts): NodeError | null {
  return refusalAmong(GUARDS, facts);
}

/** As `firstRefusal`, by the guards in front of the one called `name`. */
export function refusalBefore(
  name: string,
  facts: GuardFacts,
): NodeError | null {
  const until = GUARDS.findIndex((guard) => guard.name === name);
  return refusalAmong(GUARDS.slice(0, until), facts);
}

/** What every guard says, in their order. */
export function allFindings(facts: GuardFacts): readonly GuardFinding[] {
  return GUARDS.map(({ name, reads, check }): GuardFinding => {
    const error = check(facts);
    if (error !== null) return { guard: name, verdict: "refused", error };
    const isWhole = reads.every((part) => facts[part].kind === "known");
    const verdict = isWhole ? "passed" : "unchecked";
    return { guard: name, verdict, error: null };
  });
}

function refusalAmong(
  guards: readonly Guard[],
  facts: GuardFacts,
): NodeError | null {
  for (const { check } of guards) {
    const error = check(facts);
    if (error !== null) return error;
  }
  return null;
}
