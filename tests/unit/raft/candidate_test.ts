import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PRE_VOTE_RESP,
  MSG_SNAP,
  MSG_TIMEOUT_NOW,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2, 3] };

Deno.test("a candidate follows whoever leads its term", () => {
  const snapshot = snapshotOf(7, 1, { ...NO_CONFIG, ...VOTERS });
  const cases = [
    { type: MSG_APP, fields: {}, answer: MSG_APP_RESP },
    { type: MSG_HEARTBEAT, fields: {}, answer: MSG_HEARTBEAT_RESP },
    { type: MSG_SNAP, fields: { snapshot }, answer: MSG_APP_RESP },
  ];
  for (const preVote of [false, true]) {
    for (const { type, fields, answer } of cases) {
      const member = new Member(1, { config: VOTERS, preVote });
      // A pre-candidate keeps its term; it gets to 1 by a first message.
      member.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1 }));
      member.raw.campaign();
      member.settle();
      const { term } = member.state;
      const message = { to: 1, from: 2, term, ...fields };
      member.step(messageOf(type, message));
      const { role, lead } = member.state;
      assert.deepEqual([role, lead], ["follower", 2]);
      assert.equal(member.state.term, term);
      assert.equal(ofType(member.settle(), answer).length, 1, "it is handled");
    }
  }
});

Deno.test("a candidate keeps its vote when it follows in its term", () => {
  const member = new Member(1, { config: VOTERS });
  member.raw.campaign();
  member.settle();
  member.step(messageOf(MSG_APP, { to: 1, from: 2, term: 1 }));
  assert.equal(member.state.vote, 1);
  member.step(messageOf(MSG_VOTE, { to: 1, from: 3, term: 1, index: 9 }));
  const [answer] = ofType(member.settle(), MSG_VOTE_RESP);
  assert.equal(answer?.reject, true);
});

Deno.test("a candidate drops proposals and ignores a transfer", () => {
  for (const preVote of [false, true]) {
    const member = new Member(1, { config: VOTERS, preVote });
    member.raw.campaign();
    member.settle();
    const { role, term } = member.state;
    assert.equal(member.propose("x"), false);
    member.step(
      messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: term || 0 }),
    );
    assert.deepEqual([member.state.role, member.state.term], [role, term]);
    assert.equal(member.state.entryLog.lastIndex(), 0);
  }
});

Deno.test("a pre-candidate campaigns in earnest with a majority", () => {
  const member = new Member(1, { config: VOTERS, preVote: true });
  member.raw.campaign();
  member.settle();
  assert.deepEqual([member.state.role, member.state.term], [
    "pre-candidate",
    0,
  ]);
  member.step(messageOf(MSG_PRE_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  assert.deepEqual([member.state.role, member.state.term], ["candidate", 1]);
  assert.equal(ofType(member.settle(), MSG_VOTE).length, 2);
});

Deno.test("a pre-candidate that is refused follows in its term", () => {
  const member = new Member(1, { config: VOTERS, preVote: true });
  member.raw.campaign();
  member.settle();
  const refusal = { to: 1, term: member.state.term, reject: true };
  for (const from of [2, 3]) {
    member.step(messageOf(MSG_PRE_VOTE_RESP, { ...refusal, from }));
  }
  assert.deepEqual([member.state.role, member.state.term], ["follower", 0]);
});

Deno.test("a candidate whose campaign times out starts the next term", () => {
  const member = new Member(1, { config: VOTERS });
  member.ticks(10);
  assert.deepEqual([member.state.role, member.state.term], ["candidate", 1]);
  member.settle();
  member.ticks(10);
  assert.deepEqual([member.state.role, member.state.term], ["candidate", 2]);
  assert.equal(ofType(member.settle(), MSG_VOTE).length, 2);
});

Deno.test("a winner sends an entry of its term to everyone at once", () => {
  const member = new Member(1, { config: VOTERS });
  member.raw.campaign();
  member.settle();
  member.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  const appends = ofType(member.settle(), MSG_APP);
  assert.deepEqual(
    appends.map(({ to, index, logTerm, entries }) => [
      to,
      index,
      logTerm,
      entries,
    ]),
    [2, 3].map((to) => [to, 0, 0, [entryOf(1, 1)]]),
  );
});
