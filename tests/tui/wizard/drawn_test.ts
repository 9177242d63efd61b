import { equal, notEqual } from "node:assert/strict";
import type { RolloutSnapshot } from "../../../src/rollout/snapshot.ts";
import { drawnState } from "../../../tui/wizard/drawn.ts";
import type { WizardState } from "../../../tui/wizard/state.ts";
import { snapshotAt, withMember } from "../../unit/rollout/snapshots.ts";
import { Trial } from "./wizard_at.ts";

const CANVAS = {
  demo: null,
  size: { columns: 120, rows: 34 },
  isUnicode: false,
};
const CAPABLE = snapshotAt("capable");

const looked = (snapshot: RolloutSnapshot) => new Trial().looks(snapshot).state;

function drawing(first: WizardState) {
  let state = first;
  const drawn = drawnState(() => state, CANVAS);
  return (next: WizardState) => {
    state = next;
    return drawn();
  };
}

Deno.test("drawnState() keeps a state while nothing that is seen changes", () => {
  const first = looked(CAPABLE);
  const drawn = drawing(first);
  equal(drawn(first), first);
  equal(drawn({ ...first }), first);
  const later = looked({ ...CAPABLE, atMs: CAPABLE.atMs + 1 });
  equal(drawn(later), first);
});

const NEWS:
  readonly (readonly [string, (first: WizardState) => WizardState])[] = [
    [
      "a member goes",
      () => looked(withMember(CAPABLE, "n2", { up: false, ready: false })),
    ],
    ["a step is done", () => looked(snapshotAt("stored"))],
    ["a notice", (first) => ({ ...first, notice: "It is so." })],
    ["another view", (first) => ({ ...first, view: { kind: "help" } })],
    ["the end", (first) => ({ ...first, exitCode: 0 })],
  ];

for (const [what, stateOf] of NEWS) {
  Deno.test(`drawnState() gives the latest state after ${what}`, () => {
    const first = looked(CAPABLE);
    const drawn = drawing(first);
    const next = stateOf(first);
    notEqual(next, first);
    equal(drawn(next), next);
    // And it goes back as well.
    equal(drawn(first), first);
  });
}
