import assert from "node:assert/strict";
import {
  type EncryptionOutcome,
  Outcomes,
} from "../../../../src/node/encryption/outcomes.ts";
import { settle } from "../../../sim/io/clock.ts";

const REFUSAL = { code: "stale", detail: "the keys are others" } as const;

type Step = (outcomes: Outcomes) => void;

/** Proposal 7 of term 3. */
const ROWS: [name: string, steps: readonly Step[], kind: string | null][] = [
  ["nothing yet", [], null],
  ["it was taken", [(o) => o.applied(7, 40, null)], "taken 40"],
  ["it was refused", [(o) => o.applied(7, 40, REFUSAL)], "refused 40 stale"],
  ["another one was taken", [(o) => o.applied(8, 40, null)], null],
  ["an entry of its term", [(o) => o.termApplied(3)], null],
  ["an entry of a later term", [(o) => o.termApplied(4)], "lost"],
  ["it was taken, then a later term", [
    (o) => o.applied(7, 40, null),
    (o) => o.termApplied(4),
  ], "taken 40"],
  ["a later term, then its id again", [
    (o) => o.termApplied(4),
    (o) => o.applied(7, 40, null),
  ], "lost"],
  ["a store replaced", [(o) => o.passedOver()], "unknown"],
];

for (const [name, steps, expected] of ROWS) {
  Deno.test(`Outcomes after ${name}: ${expected ?? "waits"}`, async () => {
    const outcomes = new Outcomes();
    let told: string | null = null;
    outcomes.wait(7, 3).then((outcome) => told = textOf(outcome));
    for (const step of steps) step(outcomes);
    await settle();
    assert.equal(told, expected);
  });
}

function textOf(outcome: EncryptionOutcome): string {
  const { kind } = outcome;
  if (kind === "taken") return `taken ${outcome.index}`;
  if (kind !== "refused") return kind;
  return `refused ${outcome.index} ${outcome.refusal.code}`;
}
