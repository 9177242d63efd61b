/*
 * Goal: whatever a cluster says and somebody types, the wizard draws it on any
 * terminal, and its footer names keys that do something.
 * Method: random snapshots and keys through the reducer, whose layouts must
 * add up; some of them are drawn.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { KEYS } from "../../../tui/wizard/bindings.ts";
import type { KeyBinding } from "../../../tui/key_table.ts";
import { demoSeen } from "../../../tui/wizard/demo_seen.ts";
import { keysNow } from "../../../tui/wizard/keys.ts";
import { layoutOf } from "../../../tui/wizard/layout.ts";
import { reportLines } from "../../../tui/wizard/report.ts";
import type { WizardState } from "../../../tui/wizard/state.ts";
import { Wizard } from "../../../tui/wizard/wizard.tsx";
import { choices, snapshots } from "../../unit/rollout/any_snapshot.ts";
import { renderScreen, settle } from "../render.ts";
import { TrialDemo } from "./trial_demo.ts";
import { TrialDriver } from "./trial_driver.ts";
import { ACTOR, HASH, rehearsed, Trial } from "./wizard_at.ts";

const SIZES = [
  { columns: 60, rows: 18 },
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 96, rows: 34 },
  { columns: 120, rows: 34 },
  { columns: 200, rows: 60 },
];
const DEMO = new TrialDemo();
/** What may be typed, as tests write it. */
const KEY = fc.constantFrom(
  ..."Enter,Escape,Up,Down,Tab,Shift-Tab,PageDown,Backspace".split(","),
  ..."q,?,l,a,i,e,c,r,d,t,+,-,p,prod,4e86,漢".split(","),
);
const OUTCOME = {
  plan: { hash: HASH, steps: ["draw keys"] },
  changed: true,
  index: 101n,
  unreachable: ["n3"],
};
const script = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: KEY.map((key) => ({ kind: "key", key }) as const) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("look" as const),
        snapshot: snapshots,
        hasRehearsal: fc.boolean(),
      }),
    },
    fc.constantFrom("answered", "over", "late").map((kind) => (
      { kind } as { readonly kind: "answered" | "over" | "late" }
    )),
  ),
  { maxLength: 12 },
);

/** A wizard after all of it. */
function played(
  steps: typeof script extends fc.Arbitrary<infer T> ? T : never,
  given: ConstructorParameters<typeof Trial>[0],
): Trial {
  const trial = new Trial(given);
  let nowMs = 1_000;
  for (const step of steps) {
    if (step.kind === "key") trial.presses(step.key);
    else if (step.kind === "look") {
      nowMs += 1_000;
      const next = trial.state.seen?.plan.next ?? "storage";
      const { snapshot, hasRehearsal } = step;
      trial.looks(
        hasRehearsal && next !== "capability"
          ? rehearsed(snapshot, next)
          : snapshot,
        nowMs,
      );
    } else if (step.kind === "answered") {
      const about = { command: "sealkv x", asked: null, isOthers: false };
      const event = { kind: "answered", ...about, atMs: 2, outcome: OUTCOME };
      trial.on({ kind: "run", event: { ...event, kind: "answered" } });
    } else if (step.kind === "over") trial.on({ kind: "run-over", atMs: 3 });
    else trial.on({ kind: "waited", nowMs: nowMs += 4_000 });
  }
  return trial;
}

const beginnings = fc.record({
  isReadOnly: fc.boolean(),
  demo: fc.constantFrom(null, DEMO),
  choices,
});

Deno.test("the wizard's panes fill every terminal, whatever happened", () => {
  fc.assert(
    fc.property(script, beginnings, (steps, given) => {
      const { state } = played(steps, { ...given, demo: demoSeen(given.demo) });
      for (const size of SIZES) {
        const shown = { state, isUnicode: true };
        const { notices, top, middle, bottom, content, offsetMax } = layoutOf(
          shown,
          size,
        );
        equal(2 + notices.length + top + middle + bottom, size.rows);
        ok(middle >= 4, `${middle} rows on ${size.columns}x${size.rows}`);
        ok(offsetMax >= 0 && content.offset >= 0);
      }
      for (const line of reportLines(state, "rollout.sh")) ok(line !== "");
    }),
    { numRuns: 300 },
  );
});

Deno.test("the wizard's footer names keys that do something", () => {
  fc.assert(
    fc.property(script, beginnings, (steps, given) => {
      const trial = played(steps, { ...given, demo: demoSeen(given.demo) });
      const shown = keysNow(trial.state);
      equal(new Set(shown.map(({ keys }) => keys)).size, shown.length);
      for (const binding of shown) {
        if (binding === KEYS.scroll) continue;
        const isActing = namesOf(binding).some((key) => does(trial, key));
        ok(isActing, `${binding.keys} ${binding.brief} in ${trial.view()}`);
      }
    }),
    { numRuns: 300 },
  );
});

/** Keys by which a binding is known to the reducer. */
function namesOf({ keys }: KeyBinding): readonly string[] {
  const of: Readonly<Record<string, readonly string[]>> = {
    "Up/Dn": ["Up", "Down"],
    "+/-": ["+", "-"],
    Esc: ["Escape"],
  };
  return of[keys] ?? [keys];
}

/** Tells whether more than a notice comes of it. */
function does(trial: Trial, key: string): boolean {
  const { view } = trial.state;
  // A box wants something in it.
  const typed = trial.state.seen?.plan.cluster || "x";
  const isBox = view.kind === "confirm" || view.kind === "escrow";
  const before = isBox && key === "Enter"
    ? { ...trial.state, view: { ...view, typed } }
    : trial.state;
  const after = new Trial();
  const still = { notice: "", announced: null, exitCode: null };
  after.state = { ...before, ...still } as WizardState;
  const { state } = after;
  after.presses(key);
  // What the leader would do is yet to come.
  const isEarly = view.kind === "plan" && key === "Enter";
  const { notice } = after.state;
  return after.effects.length > 0 || isEarly ||
    !isDeepStrictEqual({ ...state, notice }, after.state);
}

Deno.test("a wizard is drawn on every terminal, whatever the cluster says", async () => {
  const keys = fc.array(KEY, { maxLength: 6 });
  const some = fc.sample(fc.tuple(snapshots, keys, beginnings), {
    numRuns: SIZES.length,
    seed: 7,
  });
  for (const [at, size] of SIZES.entries()) {
    const [snapshot, typed, given] = some[at] ?? [];
    ok(snapshot !== undefined && typed !== undefined && given !== undefined);
    const trial = new TrialDriver({ ...given, actor: ACTOR });
    trial.snapshot = snapshot;
    await using screen = await renderScreen(
      <Wizard
        driver={trial.driver}
        onEnd={() => {}}
      />,
      size,
    );
    await trial.press(...typed);
    await settle();
    const lines = screen.frame().split("\n");
    deepEqual(lines.filter((line) => cellsOf(line) > size.columns), []);
    equal(lines.length, size.rows, screen.frame());
    await trial.driver.leave();
  }
});

/** One of the keys takes two columns. */
function cellsOf(line: string): number {
  return [...line].reduce((sum, one) => sum + (one === "漢" ? 2 : 1), 0);
}
