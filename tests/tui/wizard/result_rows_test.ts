import { equal } from "node:assert/strict";
import type { EncryptionOutcome } from "../../../src/admin/client.ts";
import type { Run, Seen } from "../../../tui/wizard/state.ts";
import { resultRows } from "../../../tui/wizard/result_rows.ts";

function outcome(changed: boolean): EncryptionOutcome {
  return {
    index: 0n,
    changed,
    unreachable: [],
    plan: { hash: "", steps: [] },
  } as unknown as EncryptionOutcome;
}

function text(outcomes: readonly EncryptionOutcome[], isOthers = false) {
  const run = { outcomes, isOthers, error: null, startedMs: 0, endedMs: 2_000 };
  const rows = resultRows(run as unknown as Run, {
    seen: {} as Seen,
    width: 200,
  });
  return rows.flat().map(({ text }) => text).join("");
}

Deno.test("a step whose last command only looks was done from here", () => {
  const said = text([outcome(true), outcome(false)]);
  equal(said, "Result: done, took 2.0 s");
});

Deno.test("a step of which nothing was changed was done before", () => {
  const said = text([outcome(false), outcome(false)]);
  equal(said.startsWith("Result: somebody else did it, or"), true, said);
});

Deno.test("a step that somebody else did is not said to be ours", () => {
  const said = text([outcome(true)], true);
  equal(said.startsWith("Result: somebody else did it, or"), true, said);
});
