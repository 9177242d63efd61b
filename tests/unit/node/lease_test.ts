import assert from "node:assert/strict";
import { Lease } from "../../../src/node/lease.ts";

/** Of 10 ticks of 50 ms: (10 - 1) × 50 × 0.9 = 405 ms from the question. */
const LENGTH_MS = 405;

function lease(): Lease {
  return new Lease(10, 50);
}

Deno.test("Lease is not valid before a round was confirmed", () => {
  assert.equal(lease().isValid(0), false);
  assert.equal(lease().isValid(-1e9), false);
});

const LENGTHS: [ticks: number, tickMs: number, lengthMs: number][] = [
  [10, 50, LENGTH_MS],
  [2, 100, 90],
  [20, 10, 171],
];

for (const [ticks, tickMs, lengthMs] of LENGTHS) {
  Deno.test(`Lease of ${ticks} ticks of ${tickMs} ms ends after ${lengthMs} ms`, () => {
    const one = new Lease(ticks, tickMs);
    one.extend(1_000);
    assert.equal(one.isValid(1_000 + lengthMs - 0.001), true);
    assert.equal(one.isValid(1_000 + lengthMs + 0.001), false);
  });
}

Deno.test("Lease keeps a tick and a tenth away from an election timeout", () => {
  for (const [ticks, tickMs] of LENGTHS) {
    const one = new Lease(ticks, tickMs);
    one.extend(0);
    // A clock a tenth slower than ours counts a timeout that long at least.
    const earliest = (ticks - 1) * tickMs / 1.1;
    assert.equal(one.isValid(earliest), false);
  }
});

Deno.test("Lease.extend() never shortens it", () => {
  const one = lease();
  one.extend(1_000);
  one.extend(900);
  assert.ok(one.isValid(1_000 + LENGTH_MS - 1));
  one.extend(1_100);
  assert.ok(one.isValid(1_100 + LENGTH_MS - 1));
  assert.equal(one.isValid(1_100 + LENGTH_MS), false);
});

Deno.test("Lease.end() ends it until a later round", () => {
  const one = lease();
  one.extend(1_000);
  one.end();
  assert.equal(one.isValid(1_001), false);
  one.extend(1_002);
  assert.ok(one.isValid(1_003));
});
