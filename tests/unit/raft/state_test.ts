import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { Member } from "./network.ts";

const CASES: [name: string, voters: number[], learners: number[], boolean][] = [
  ["a voter", [1, 2], [], true],
  ["a learner", [2], [1], false],
  ["a stranger", [2], [], false],
];

for (const [name, voters, learners, expected] of CASES) {
  Deno.test(`RaftState.isPromotable() of ${name} is ${expected}`, () => {
    const { state } = new Member(1, { config: { voters, learners } });
    assert.equal(state.isPromotable(), expected);
  });
}

Deno.test("RaftState.isPromotable() waits for a pending checkpoint", () => {
  const { state } = new Member(1, { config: { voters: [1] } });
  state.entryLog.restore(snapshotOf(5, 1, NO_CONFIG));
  assert.equal(state.isPromotable(), false);
  state.entryLog.unstable.stableSnapshotTo(5);
  assert.equal(state.isPromotable(), true);
});

Deno.test("RaftState.hardState() has all three fields", () => {
  const { state } = new Member(1, { config: { voters: [1] } });
  state.term = 4;
  state.vote = 1;
  assert.deepEqual(state.hardState(), { term: 4, vote: 1, commit: 0 });
});

Deno.test("RaftState.ownProgress() is there for members only", () => {
  assert.equal(
    new Member(1, { config: { voters: [1] } }).state.ownProgress().match,
    0,
  );
  assert.throws(() => new Member(1).state.ownProgress(), InvariantError);
});
