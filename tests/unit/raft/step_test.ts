import { strict as assert } from "node:assert";
import {
  CAMPAIGN_TRANSFER,
  MESSAGE_NAMES,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HUP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_PROP,
  MSG_STORAGE_APPEND_RESP,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { step } from "../../../src/raft/step.ts";
import { entryOf, Member, messageOf } from "./network.ts";

const TRIO = { voters: [1, 2, 3] };

/** A follower of member 3 in term 5. */
function follower(options = {}): Member {
  const member = new Member(1, { config: TRIO, ...options });
  member.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 3, term: 5 }));
  member.settle();
  return member;
}

const HIGHER: [type: number, reject: boolean, term: number, lead: number][] = [
  [MSG_APP, false, 6, 2],
  [MSG_HEARTBEAT, false, 6, 2],
  [MSG_VOTE, false, 6, 0],
  [MSG_VOTE_RESP, false, 6, 0],
  [MSG_APP_RESP, false, 6, 0],
  [MSG_PRE_VOTE, false, 5, 3],
  [MSG_PRE_VOTE_RESP, false, 5, 3],
  [MSG_PRE_VOTE_RESP, true, 6, 0],
];

for (const [type, reject, term, lead] of HIGHER) {
  Deno.test(`step() of ${MESSAGE_NAMES[type]} (reject ${reject}) of a higher term`, () => {
    const { state } = follower();
    step(state, messageOf(type, { to: 1, from: 2, term: 6, reject }));
    assert.deepEqual([state.term, state.lead], [term, lead]);
  });
}

Deno.test("step() ignores lower terms, without a word unless it must", () => {
  for (const type of [MSG_APP, MSG_HEARTBEAT, MSG_VOTE, MSG_APP_RESP]) {
    const member = follower();
    member.step(messageOf(type, { to: 1, from: 2, term: 4 }));
    assert.deepEqual(member.settle(), []);
    assert.deepEqual([member.state.term, member.state.lead], [5, 3]);
  }
});

Deno.test("step() ignores requests while the leader is alive, transfers aside", () => {
  for (const context of [new Uint8Array(), CAMPAIGN_TRANSFER]) {
    const { state } = follower({ checkQuorum: true });
    step(state, messageOf(MSG_VOTE, { to: 1, from: 2, term: 6, context }));
    assert.equal(state.term, context.length === 0 ? 5 : 6);
  }
});

Deno.test("step() has no lease without the check of the quorum", () => {
  const { state } = follower({ preVote: true });
  step(state, messageOf(MSG_VOTE, { to: 1, from: 2, term: 6 }));
  assert.equal(state.term, 6);
});

Deno.test("step() lets an answer of an older term make nothing stable", () => {
  const { state } = follower();
  state.entryLog.append([entryOf(1, 5)]);
  const answer = { to: 1, from: -1, index: 1, logTerm: 5 };
  step(state, messageOf(MSG_STORAGE_APPEND_RESP, { ...answer, term: 4 }));
  assert.equal(state.entryLog.unstable.length, 1);
  step(state, messageOf(MSG_STORAGE_APPEND_RESP, { ...answer, term: 5 }));
  assert.equal(state.entryLog.unstable.length, 0);
});

Deno.test("step() campaigns by trial or in earnest, as told", () => {
  for (const preVote of [true, false]) {
    const { state } = new Member(1, { config: TRIO, preVote });
    step(state, messageOf(MSG_HUP, { to: 1 }));
    assert.equal(state.role, preVote ? "pre-candidate" : "candidate");
  }
});

Deno.test("step() says that a proposal was dropped", () => {
  const { state } = new Member(1, { config: TRIO });
  const entries = [entryOf(0, 0, "a")];
  assert.equal(step(state, messageOf(MSG_PROP, { to: 1, entries })), false);
});
