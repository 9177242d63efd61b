import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { draftMessage, MSG_READ_INDEX } from "../../../src/raft/message.ts";
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
} from "../../../src/raft/roles.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { Member } from "./network.ts";

function start(): RaftState {
  const { state } = new Member(1, {
    config: { voters: [1, 2] },
    randomTicks: (count) => count - 1,
  });
  return state;
}

Deno.test("becomeFollower() keeps the vote within its term only", () => {
  const state = start();
  state.vote = 2;
  becomeFollower(state, 0, 2);
  assert.deepEqual([state.vote, state.lead, state.role], [2, 2, "follower"]);
  becomeFollower(state, 1, 0);
  assert.deepEqual([state.vote, state.lead, state.term], [0, 0, 1]);
});

Deno.test("becomeFollower() never goes back a term", () => {
  const state = start();
  becomeFollower(state, 5, 0);
  assert.throws(() => becomeFollower(state, 4, 0), InvariantError);
});

Deno.test("becomeCandidate() votes for itself in the next term, timers anew", () => {
  const state = start();
  state.electionElapsed = 9;
  state.votes.set(2, true);
  becomeCandidate(state);
  assert.deepEqual([state.term, state.vote, state.lead], [1, 1, 0]);
  assert.deepEqual([state.electionElapsed, state.votes.size], [0, 0]);
  assert.equal(state.electionTimeout, 19);
});

Deno.test("becomePreCandidate() touches neither term, vote nor timers", () => {
  const state = start();
  becomeFollower(state, 3, 2);
  state.vote = 2;
  state.electionElapsed = 9;
  state.votes.set(2, true);
  becomePreCandidate(state);
  assert.deepEqual([state.term, state.vote, state.lead], [3, 2, 0]);
  assert.deepEqual([state.electionElapsed, state.votes.size], [9, 0]);
});

Deno.test("becomeLeader() opens its term with an empty entry", () => {
  const state = start();
  becomeCandidate(state);
  becomeLeader(state);
  assert.deepEqual([state.lead, state.pendingConfIndex], [1, 0]);
  assert.equal(state.entryLog.lastIndex(), 1);
  assert.equal(state.uncommittedBytes, 0);
  const own = state.ownProgress();
  assert.deepEqual([own.state, own.recentActive], ["replicate", true]);
  const other = state.membership.progress.get(2);
  assert.deepEqual([other?.state, other?.recentActive, other?.next], [
    "probe",
    false,
    1,
  ]);
});

Deno.test("roles change along the arrows only", () => {
  const state = start();
  assert.throws(() => becomeLeader(state), InvariantError);
  becomeCandidate(state);
  becomeLeader(state);
  assert.throws(() => becomeCandidate(state), InvariantError);
  assert.throws(() => becomePreCandidate(state), InvariantError);
});

Deno.test("becomeFollower() forgets what belonged to a leadership", () => {
  const state = start();
  becomeCandidate(state);
  becomeLeader(state);
  state.leadTransferee = 2;
  state.uncommittedBytes = 9;
  state.snapshotElapsed.set(2, 1);
  const range = { ticket: 1, peer: 2, from: 1, until: 2, bytesMax: 1 };
  state.fetches.set(2, range);
  state.needs.push(range);
  state.reads.add({ request: draftMessage(MSG_READ_INDEX, 1), index: 0 });
  becomeFollower(state, state.term, 0);
  assert.deepEqual(
    [
      state.leadTransferee,
      state.uncommittedBytes,
      state.pendingConfIndex,
      state.snapshotElapsed.size,
      state.fetches.size,
      state.needs.length,
      state.reads.length,
    ],
    [0, 0, 0, 0, 0, 0, 0],
  );
});
