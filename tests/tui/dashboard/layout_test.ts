import assert from "node:assert/strict";
import { layoutOf } from "../../../tui/dashboard/layout.ts";

const SMALL = { members: 3, keys: 3 };

Deno.test("layoutOf() shows one pane at a time where there is no room", () => {
  for (const [columns, rows] of [[60, 18], [69, 40], [140, 21]] as const) {
    const layout = layoutOf({ columns, rows }, SMALL);
    // A line above, the names of panes, and the keys below.
    assert.deepEqual(layout, { kind: "one", height: rows - 3 });
  }
});

const CASES = [
  [24, SMALL, { members: 6, keys: 6, traffic: 6, events: 4 }],
  [22, SMALL, { members: 6, keys: 5, traffic: 5, events: 4 }],
  [40, SMALL, { members: 6, keys: 6, traffic: 8, events: 18 }],
  [24, { members: 9, keys: 9 }, { members: 8, keys: 5, traffic: 5, events: 4 }],
  [24, { members: 1, keys: 0 }, { members: 4, keys: 4, traffic: 8, events: 6 }],
] as const;

for (const [rows, wanted, heights] of CASES) {
  const text = `${rows} rows to ${wanted.members} members, ${wanted.keys} keys`;
  Deno.test(`layoutOf() shares ${text}`, () => {
    const layout = layoutOf({ columns: 80, rows }, wanted);
    assert.deepEqual(layout, { kind: "all", heights });
  });
}

Deno.test("layoutOf() fills every screen, whatever there is", () => {
  for (let rows = 22; rows < 80; rows += 1) {
    for (let members = 0; members < 12; members += 1) {
      const layout = layoutOf({ columns: 100, rows }, { members, keys: rows });
      assert.ok(layout.kind === "all");
      const { heights } = layout;
      const total = heights.members + heights.keys + heights.traffic +
        heights.events;
      assert.equal(total, rows - 2);
    }
  }
});
