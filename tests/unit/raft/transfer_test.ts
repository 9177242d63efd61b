import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_TIMEOUT_NOW,
  MSG_TRANSFER_LEADER,
} from "../../../src/raft/message.ts";
import { becomeCandidate, becomeLeader } from "../../../src/raft/roles.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { onCaughtUp, onTransferLeader } from "../../../src/raft/transfer.ts";
import { Member, messageOf, ofType } from "./network.ts";

function lead(): RaftState {
  const config = { voters: [1, 2, 3], learners: [4] };
  const { state } = new Member(1, { config });
  becomeCandidate(state);
  becomeLeader(state);
  state.messages = [];
  return state;
}

function transfer(state: RaftState, to: number): void {
  const progress = state.membership.progress.get(to);
  assert.ok(progress !== undefined);
  const message = messageOf(MSG_TRANSFER_LEADER, { to: 1, from: to });
  onTransferLeader(state, message, progress);
}

Deno.test("onTransferLeader() starts at once with who has everything", () => {
  const state = lead();
  const progress = state.membership.progress.get(2);
  progress?.maybeUpdate(1);
  state.electionElapsed = 5;
  transfer(state, 2);
  assert.deepEqual([state.leadTransferee, state.electionElapsed], [2, 0]);
  assert.equal(ofType(state.messages, MSG_TIMEOUT_NOW)[0]?.to, 2);
});

Deno.test("onTransferLeader() feeds who is behind first", () => {
  const state = lead();
  transfer(state, 2);
  assert.deepEqual(state.messages.map(({ type, to }) => [type, to]), [
    [MSG_APP, 2],
  ]);
  const progress = state.membership.progress.get(2);
  assert.ok(progress !== undefined);
  onCaughtUp(state, 2, progress);
  assert.equal(ofType(state.messages, MSG_TIMEOUT_NOW).length, 0);
  progress.maybeUpdate(1);
  onCaughtUp(state, 3, progress);
  assert.equal(ofType(state.messages, MSG_TIMEOUT_NOW).length, 0);
  onCaughtUp(state, 2, progress);
  assert.equal(ofType(state.messages, MSG_TIMEOUT_NOW).length, 1);
});

Deno.test("onTransferLeader() ignores learners, itself and a repetition", () => {
  const state = lead();
  for (const to of [4, 1]) transfer(state, to);
  assert.deepEqual([state.leadTransferee, state.messages], [0, []]);
  transfer(state, 2);
  state.electionElapsed = 5;
  transfer(state, 2);
  assert.equal(state.electionElapsed, 5);
});
