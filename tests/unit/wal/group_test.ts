import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { FRAME_HEADER_BYTES, frameBytes } from "../../../src/wal/frame.ts";
import {
  FrameBuffer,
  payloadBytesOf,
  planRequest,
} from "../../../src/wal/group.ts";
import { decodeRecords } from "../../../src/wal/record.ts";
import { batchOf, entriesOf, metadataAt } from "../../sim/wal_model.ts";
import { foundedState } from "./states.ts";

Deno.test("planRequest() builds each request on the one before", () => {
  const state = foundedState(1, 1);
  const append = planRequest(state, {
    kind: "batch",
    batch: batchOf(entriesOf(2, 9, 1)),
  });
  assert.equal(append.entries.length, 7);
  planRequest(state, { kind: "mark", metadata: metadataAt(6, 1) });
  const floor = planRequest(state, { kind: "floor", until: 5 });
  assert.deepEqual(floor.floor, { index: 5, term: 1 });
  assert.equal(
    planRequest(state, { kind: "clean-shutdown" }).cleanShutdown,
    true,
  );
});

Deno.test("planRequest() asserts the rules of the log", () => {
  const wrong = [
    batchOf(entriesOf(3, 4, 1)),
    batchOf(entriesOf(1, 2, 1)),
    batchOf([], { term: 0, vote: 0, commit: 1 }),
    batchOf([], { term: 1, vote: 0, commit: 2 }),
    batchOf(entriesOf(2, 3, 2)),
  ];
  for (const batch of wrong) {
    const state = foundedState(1, 1);
    assert.throws(
      () => planRequest(state, { kind: "batch", batch }),
      InvariantError,
    );
  }
});

Deno.test("FrameBuffer.layOut() grows and leaves no old bytes", () => {
  const buffer = new FrameBuffer();
  const state = foundedState(1, 1);
  for (const [from, length] of [[2, 100_000], [3, 5]] as const) {
    const batch = batchOf(entriesOf(from, from + 1, 1, length));
    const changes = [planRequest(state, { kind: "batch", batch })];
    const payloadBytes = payloadBytesOf(changes);
    const frame = buffer.layOut({ changes, payloadBytes });
    assert.equal(frame.length, frameBytes(payloadBytes));
    const end = FRAME_HEADER_BYTES + payloadBytes;
    const records = decodeRecords(frame.subarray(FRAME_HEADER_BYTES, end));
    const [entry] = batch.entries;
    assert.deepEqual(records, [{ kind: "entry", entry }]);
  }
});
