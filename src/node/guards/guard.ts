import type { NodeError } from "../../base/error.ts";
import type { GuardFacts, Reading } from "./facts.ts";

/** Names of the facts that may be unknown. */
export type ReadingName = {
  [Name in keyof GuardFacts]: GuardFacts[Name] extends Reading<infer _Value>
    ? Name
    : never;
}[keyof GuardFacts];

/** One reason not to start. */
export interface Guard {
  /** As encryption.md and the operators' pages call it. */
  readonly name: string;
  /** What it looks at: without one of them it has not checked everything. */
  readonly reads: readonly ReadingName[];
  /** Pure; `null` when nothing that is known speaks against a start. */
  readonly check: (facts: GuardFacts) => NodeError | null;
}
