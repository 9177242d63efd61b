import assert from "node:assert/strict";
import {
  acceptChange,
  changeBytes,
  planBatch,
  planCleanShutdown,
  planFloor,
  planMark,
  writeChange,
} from "../../../src/wal/change.ts";
import { RecordWriter } from "../../../src/wal/record.ts";
import { batchOf, entriesOf, metadataAt } from "../../sim/wal_model.ts";
import { foundedState } from "./states.ts";

Deno.test("planBatch() never takes commit back", () => {
  const state = foundedState(5, 2);
  const hardState = { term: 2, vote: 1, commit: 3 };
  const change = planBatch(state, batchOf([], hardState));
  assert.deepEqual(change.hardState, { term: 2, vote: 1, commit: 5 });
});

Deno.test("planBatch() raises commit to an installed checkpoint", () => {
  const state = foundedState(5, 2);
  const snapshot = metadataAt(9, 2);
  const change = planBatch(state, { ...batchOf([]), snapshot });
  assert.deepEqual(change.hardState, { term: 2, vote: 0, commit: 9 });
  assert.equal(change.mark?.install, true);
  assert.equal(acceptChange(state, change), null);
  assert.equal(state.lastIndex, 9);
});

Deno.test("planBatch() without a hard state writes none", () => {
  const state = foundedState(1, 1);
  const change = planBatch(state, batchOf(entriesOf(2, 4, 1)));
  assert.equal(change.hardState, null);
  assert.equal(changeBytes(change), 2 * (5 + 17 + 24));
});

Deno.test("planMark() ignores an older mark", () => {
  const state = foundedState(5, 2);
  assert.equal(changeBytes(planMark(state, metadataAt(5, 2))), 0);
});

Deno.test("planFloor() stops at the mark", () => {
  const state = foundedState(1, 1);
  acceptChange(state, planBatch(state, batchOf(entriesOf(2, 9, 1))));
  assert.equal(planFloor(state, 7).floor, null);
  acceptChange(state, planMark(state, metadataAt(4, 1)));
  assert.deepEqual(planFloor(state, 7).floor, { index: 4, term: 1 });
  assert.equal(state.hardState.commit, 4);
});

Deno.test("writeChange() takes the bytes that changeBytes() says", () => {
  const state = foundedState(1, 1);
  const hardState = { term: 3, vote: 1, commit: 1 };
  const snapshot = metadataAt(9, 2);
  const changes = [
    planBatch(state, batchOf(entriesOf(2, 5, 1), hardState)),
    planBatch(state, { ...batchOf(entriesOf(10, 12, 2)), snapshot }),
    planCleanShutdown(),
    { ...planCleanShutdown(), floor: { index: 1, term: 1 } },
  ];
  for (const change of changes) {
    const length = changeBytes(change);
    const writer = new RecordWriter(new Uint8Array(length));
    writeChange(writer, change);
    assert.equal(writer.at, length);
  }
});
