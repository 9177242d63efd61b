import { strict as assert } from "node:assert";
import fc from "fast-check";
import { InvariantError } from "../../../src/base/assert.ts";
import { Inflights } from "../../../src/raft/inflights.ts";

Deno.test("isFull() counts messages", () => {
  const inflights = new Inflights({ countMax: 2, bytesMax: 0 });
  inflights.add(1, 1_000);
  assert.equal(inflights.isFull(), false);
  inflights.add(2, 1_000);
  assert.equal(inflights.isFull(), true);
  inflights.freeUpTo(1);
  assert.equal(inflights.isFull(), false);
});

Deno.test("isFull() counts bytes, and lets the last message cross", () => {
  const cases = [
    { sizes: [99], want: false },
    { sizes: [100], want: true },
    { sizes: [99, 500], want: true },
  ];
  for (const { sizes, want } of cases) {
    const inflights = new Inflights({ countMax: 9, bytesMax: 100 });
    for (const [nth, size] of sizes.entries()) inflights.add(nth + 1, size);
    assert.equal(inflights.isFull(), want, sizes.join(" "));
  }
});

Deno.test("add() refuses when full", () => {
  const none = new Inflights({ countMax: 0, bytesMax: 0 });
  assert.throws(() => none.add(1, 1), InvariantError);
  const one = new Inflights({ countMax: 1, bytesMax: 0 });
  one.add(1, 1);
  assert.throws(() => one.add(2, 1), InvariantError);
});

Deno.test("freeUpTo() frees what ends at the index, not after", () => {
  const cases = [
    { index: 0, count: 3, bytes: 60 },
    { index: 4, count: 3, bytes: 60 },
    { index: 5, count: 2, bytes: 50 },
    { index: 6, count: 2, bytes: 50 },
    { index: 9, count: 0, bytes: 0 },
    { index: 99, count: 0, bytes: 0 },
  ];
  for (const { index, count, bytes } of cases) {
    const inflights = new Inflights({ countMax: 3, bytesMax: 0 });
    inflights.add(5, 10);
    inflights.add(7, 20);
    inflights.add(9, 30);
    inflights.freeUpTo(index);
    assert.equal(inflights.count, count, `count after ${index}`);
    assert.equal(inflights.bytes, bytes, `bytes after ${index}`);
  }
});

Deno.test("reset() forgets all", () => {
  const inflights = new Inflights({ countMax: 2, bytesMax: 0 });
  inflights.add(1, 5);
  inflights.add(2, 5);
  inflights.reset();
  assert.equal(inflights.count, 0);
  assert.equal(inflights.bytes, 0);
  inflights.add(1, 5);
  inflights.freeUpTo(1);
  assert.equal(inflights.count, 0);
});

// The ring wraps and grows at every possible offset.
Deno.test("Inflights behaves like a plain list", () => {
  const steps = fc.array(fc.tuple(fc.nat(30), fc.nat(20)), { maxLength: 80 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), steps, run));

  function run(countMax: number, script: [number, number][]): void {
    const inflights = new Inflights({ countMax, bytesMax: 300 });
    let model: { last: number; size: number }[] = [];
    let last = 0;
    for (const [adds, frees] of script) {
      for (let i = 0; i < adds && !inflights.isFull(); i += 1) {
        last += 1 + i % 3;
        inflights.add(last, adds);
        model.push({ last, size: adds });
      }
      const until = last - frees;
      inflights.freeUpTo(until);
      model = model.filter((item) => item.last > until);
      assert.equal(inflights.count, model.length);
      const bytes = model.reduce((sum, item) => sum + item.size, 0);
      assert.equal(inflights.bytes, bytes);
      assert.equal(
        inflights.isFull(),
        model.length >= countMax || bytes >= 300,
      );
    }
  }
});
