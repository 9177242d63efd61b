import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { type RaftOptions, raftOptions } from "../../../src/raft/options.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";

const given = {
  id: 1,
  storage: new MemoryStorage(),
  randomTicks: () => 0,
};

const BAD: Partial<RaftOptions>[] = [
  { id: 0 },
  { id: -1 },
  { id: 1.5 },
  { heartbeatTicks: 0 },
  { electionTicks: 1 },
  { inflightCountMax: 0 },
  { inflightBytesMax: 1 },
  { applyBytesMax: 0 },
  { leaseReads: true, checkQuorum: false },
];

for (const options of BAD) {
  Deno.test(`raftOptions() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => raftOptions({ ...given, ...options }), InvariantError);
  });
}

Deno.test("raftOptions() takes the limits themselves", () => {
  const options = { electionTicks: 2, heartbeatTicks: 1, inflightCountMax: 1 };
  const bytes = { inflightBytesMax: 7, messageBytesMax: 7 };
  assert.equal(raftOptions({ ...given, ...options, ...bytes }).id, 1);
  assert.equal(raftOptions({ ...given, inflightBytesMax: 0 }).id, 1);
});
