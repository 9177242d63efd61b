import assert from "node:assert/strict";
import fc from "fast-check";
import { TermRuns } from "../../../src/wal/term_runs.ts";

Deno.test("TermRuns.at() agrees with a plain list", () => {
  const step = fc.record({
    back: fc.nat(5),
    raise: fc.nat(2),
    drop: fc.nat(3),
  });
  fc.assert(fc.property(fc.array(step), (steps) => {
    const runs = new TermRuns(3, 1);
    let base = 3;
    let plain = [1];
    for (const { back, raise, drop } of steps) {
      const last = base + plain.length - 1;
      const index = Math.max(base + 1, last + 1 - back);
      const term = plain[index - 1 - base]! + raise;
      runs.append(index, term);
      plain = [...plain.slice(0, index - base), term];
      const floor = Math.min(base + drop, base + plain.length - 1);
      runs.compact(floor, plain[floor - base]!);
      plain = plain.slice(floor - base);
      base = floor;
      assert.equal(runs.base, base);
      assert.equal(runs.last, base + plain.length - 1);
      for (let i = base - 1; i <= runs.last + 1; i += 1) {
        assert.equal(runs.at(i), plain[i - base] ?? null);
      }
      assert.deepEqual(runs.clone(), runs);
    }
  }));
});

Deno.test("TermRuns.append() below the base leaves its term unknown", () => {
  const runs = new TermRuns(10, 4);
  runs.append(11, 4);
  runs.append(7, 5);
  assert.equal(runs.base, 6);
  assert.equal(runs.at(6), null);
  assert.equal(runs.at(7), 5);
  runs.compact(6, 3);
  assert.equal(runs.at(6), 3);
  assert.equal(runs.at(7), 5);
});

Deno.test("TermRuns.append() refuses a gap", () => {
  assert.throws(() => new TermRuns(1, 1).append(3, 1));
});
