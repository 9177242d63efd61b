import type { Check, CheckId, Evidence, Verdict } from "../check.ts";

/** Name of the cluster as a whole in evidence. */
export const CLUSTER = "";

const RANK: Readonly<Record<Verdict, number>> = { pass: 0, warn: 1, fail: 2 };

/** A check whose verdict is the worst of its evidence, which is not empty. */
export function makeCheck(
  id: CheckId,
  title: string,
  evidence: readonly Evidence[],
): Check {
  const verdict = evidence.reduce<Verdict>(
    (worst, one) => RANK[one.verdict] > RANK[worst] ? one.verdict : worst,
    "pass",
  );
  return { id, title, verdict, evidence };
}

export function passed(member: string, text: string): Evidence {
  return { member, verdict: "pass", text, remedy: "" };
}

/** What was found against something, and what to do about it. */
export interface Objection {
  readonly text: string;
  readonly remedy: string;
}

export function warned(member: string, objection: Objection): Evidence {
  return { member, verdict: "warn", ...objection };
}

export function failed(member: string, objection: Objection): Evidence {
  return { member, verdict: "fail", ...objection };
}

/** How bad it is differs by step: what the leader refuses is "fail". */
export type Severity = "warn" | "fail";
