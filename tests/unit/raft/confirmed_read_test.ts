import { strict as assert } from "node:assert";
import { confirmedReads } from "../../../src/raft/confirmed_read.ts";
import { encodePosition } from "../../../src/raft/read_queue.ts";
import { CoreGroup } from "./core_group.ts";

Deno.test("confirmedReads() finds rounds by their tokens, in order", () => {
  assert.deepEqual(confirmedReads([]), []);
  assert.deepEqual(
    confirmedReads([
      { index: 9, token: encodePosition(2) },
      { index: 5, token: new Uint8Array(0) },
      { index: 5, token: new Uint8Array(9) },
      { index: 7, token: encodePosition(1) },
    ]),
    [{ round: 2, index: 9 }, { round: 1, index: 7 }],
  );
});

Deno.test("Core.readIndex() is answered on every member, by its round", () => {
  const group = CoreGroup.of(3);
  assert.equal(group.core(2).readIndex(1), false, "no leader");
  group.campaign(1);
  group.ticks(2);
  const { committed } = group.core(1).status();
  for (const id of [1, 2, 3]) {
    assert.equal(group.core(id).readIndex(10 + id), true);
    group.settle();
    assert.deepEqual(group.at(id).reads, [
      { round: 10 + id, index: committed },
    ]);
  }
});
