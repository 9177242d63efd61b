import { strict as assert } from "node:assert";
import { appendOwn, creditOwn } from "../../../src/raft/own_entries.ts";
import { entryOf, Member } from "./network.ts";

function start(uncommittedBytesMax: number) {
  const { state } = new Member(1, { uncommittedBytesMax });
  state.term = 3;
  return state;
}

Deno.test("appendOwn() stamps term and index and promises when durable", () => {
  const state = start(Infinity);
  assert.equal(
    appendOwn(state, [entryOf(0, 0, "a"), entryOf(0, 0, "b")]),
    true,
  );
  const entries = state.entryLog.entries(1, Infinity);
  assert.ok(typeof entries !== "string");
  assert.deepEqual(entries.map(({ index, term }) => [index, term]), [
    [1, 3],
    [2, 3],
  ]);
  assert.deepEqual(
    state.afterAppend.map(({ to, index, term }) => [to, index, term]),
    [[1, 2, 3]],
  );
});

const CASES: [before: number, size: number, taken: boolean][] = [
  [0, 11, true],
  [1, 9, true],
  [1, 10, false],
  [10, 0, true],
  [11, 1, false],
];

for (const [before, size, taken] of CASES) {
  Deno.test(`appendOwn() of ${size} bytes on ${before} of 10: ${taken}`, () => {
    const state = start(10);
    state.uncommittedBytes = before;
    assert.equal(appendOwn(state, [entryOf(0, 0, "x".repeat(size))]), taken);
    assert.equal(state.uncommittedBytes, taken ? before + size : before);
    assert.equal(state.entryLog.lastIndex(), taken ? 1 : 0);
  });
}

Deno.test("creditOwn() gives back data, never more than is owed", () => {
  const state = start(10);
  state.uncommittedBytes = 5;
  creditOwn(state, [entryOf(1, 1, "xxx")]);
  assert.equal(state.uncommittedBytes, 2);
  creditOwn(state, [entryOf(2, 1, "xxx")]);
  assert.equal(state.uncommittedBytes, 0);
  creditOwn(state, [entryOf(3, 1, "xxx")]);
  assert.equal(state.uncommittedBytes, 0);
});
