import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import {
  checkProgress,
  checkStep,
  stepMarks,
} from "../../../src/raft/invariants.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { Member } from "./network.ts";

function lone(): RaftState {
  const member = new Member(1, { config: { voters: [1] } });
  member.raw.campaign();
  member.settle();
  return member.state;
}

const BROKEN: [name: string, break_: (state: RaftState) => void][] = [
  ["a term that goes back", (state) => state.term -= 1],
  ["a vote that changes", (state) => state.vote = 2],
  ["a commit index that goes back", (state) => state.entryLog.committed -= 1],
  ["a commit index beyond the log", (state) => state.entryLog.committed += 1],
  ["an applied index that goes back", (state) => state.entryLog.applied -= 1],
  ["applied entries that are not committed", (state) => {
    state.entryLog.applying += 1;
  }],
  ["applied before handed out", (state) => state.entryLog.applying -= 1],
  ["a leader that follows another", (state) => state.lead = 2],
];

for (const [name, break_] of BROKEN) {
  Deno.test(`checkStep() notices ${name}`, () => {
    const state = lone();
    const marks = stepMarks(state);
    checkStep(marks, state);
    break_(state);
    assert.throws(() => checkStep(marks, state), InvariantError);
  });
}

Deno.test("checkStep() allows a new vote in a new term", () => {
  const state = lone();
  const marks = stepMarks(state);
  state.term += 1;
  state.vote = 2;
  checkStep(marks, state);
  assert.deepEqual([marks.term, marks.vote], [state.term, 2]);
});

Deno.test("checkProgress() notices a record that is beside the log", () => {
  const state = lone();
  checkProgress(state);
  const own = state.ownProgress();
  own.next = own.match;
  assert.throws(() => checkProgress(state), InvariantError);
  own.next = state.entryLog.lastIndex() + 2;
  assert.throws(() => checkProgress(state), InvariantError);
});
