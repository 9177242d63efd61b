import { equal, ok } from "node:assert/strict";
import { keysNow } from "../../../tui/wizard/keys.ts";
import { nextKeyRows } from "../../../tui/wizard/next_key.ts";
import type { Rung } from "../../unit/rollout/snapshots.ts";
import { type Trial, wizardAt } from "./wizard_at.ts";

/** Of the narrowest screen there is. */
const WIDTH_MIN = 56;

function textOf({ state }: Trial): string {
  const rows = nextKeyRows(state, WIDTH_MIN);
  ok(rows.length <= 1, "it has one row");
  return rows.flat().map(({ text }) => text).join("");
}

Deno.test("nextKeyRows() says what to do now, on one row", () => {
  const table: readonly (readonly [Rung, readonly string[], string])[] = [
    ["plain", [], "Put right what [!] names; it shows here by itself."],
    ["plain", ["Down"], "Its turn comes later. Esc goes to the next step."],
    ["capable", [], "Enter shows what it would do; nothing starts yet."],
    [
      "capable",
      ["Up"],
      "Done. Esc goes to the next step, e checks the escrow.",
    ],
    ["stored", ["Up"], "Done. Esc goes to the next step."],
    ["rewriting", [], "It runs; the next step shows when it is done."],
    ["scrubbed", [], "All is done, q leaves. Keys can be rotated any day."],
    ["scrubbed", ["Down"], "Enter shows what it would do; any day will do."],
  ];
  for (const [rung, keys, text] of table) {
    equal(textOf(wizardAt(rung).presses(...keys)), text, `${rung} ${keys}`);
  }
});

Deno.test("nextKeyRows() names Enter exactly where it does something", () => {
  for (const rung of ["plain", "capable", "stored", "scrubbed"] as const) {
    const trial = wizardAt(rung);
    for (let i = 0; i < 8; i += 1) trial.presses("Up");
    for (let i = 0; i < 8; i += 1, trial.presses("Down")) {
      const isNamed = textOf(trial).startsWith("Enter");
      const isKey = keysNow(trial.state).some(({ brief }) => brief === "plan");
      equal(isNamed, isKey, `${rung}, step ${i + 1}`);
    }
  }
});

Deno.test("nextKeyRows() is silent where nothing can be done", () => {
  equal(textOf(wizardAt("capable", { isReadOnly: true })), "");
});
