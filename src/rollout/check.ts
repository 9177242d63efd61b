/**
 * Names of checks that scripts may rely on: G of the cluster, K of keys, S of
 * steps before, R of the rewrite, V of what lies on disks, T of old keys, P of
 * what the leader says to a rehearsal.
 */
export const CHECK_IDS = [
  "G01",
  "G02",
  "G03",
  "G04",
  "G05",
  "G06",
  "G07",
  "G08",
  "G09",
  "G10",
  "K01",
  "K02",
  "K03",
  "K04",
  "K05",
  "S01",
  "R01",
  "R02",
  "R03",
  "V01",
  "V02",
  "T01",
  "P01",
] as const;

export type CheckId = typeof CHECK_IDS[number];

/** `warn` never blocks; `fail` does. */
export type Verdict = "pass" | "warn" | "fail";

/** What one member, or the cluster, has to say for a check. */
export interface Evidence {
  /** "" for the cluster as a whole. */
  readonly member: string;
  readonly verdict: Verdict;
  /** What was observed, with its value and the limit where there is one. */
  readonly text: string;
  /** What to do; "" for one that passes. */
  readonly remedy: string;
}

/** A question that a step asks before it is taken. */
export interface Check {
  readonly id: CheckId;
  /** At most 24 characters. */
  readonly title: string;
  /** The worst of the evidence. */
  readonly verdict: Verdict;
  /** Not empty; in the order of the status. */
  readonly evidence: readonly Evidence[];
}
