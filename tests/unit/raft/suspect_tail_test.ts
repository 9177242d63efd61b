import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_TIMEOUT_NOW,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { CoreGroup, DrivenCore } from "./core_group.ts";
import { messageOf, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2, 3] };
/** The log starts at 2: one entry more may have been acknowledged. */
const SUSPECT = { tailSuspect: 3 };

function votesOf(member: DrivenCore) {
  const { term } = member.core.state;
  for (const type of [MSG_PRE_VOTE, MSG_VOTE]) {
    const request = { to: 1, from: 2, term: term + 1, index: 9, logTerm: 9 };
    member.core.step(messageOf(type, request));
  }
  const sent = member.settle();
  return [
    ...ofType(sent, MSG_PRE_VOTE_RESP),
    ...ofType(sent, MSG_VOTE_RESP),
  ].filter(({ reject }) => !reject).length;
}

Deno.test("Core votes for nobody while its tail is suspect", () => {
  const member = new DrivenCore(1, VOTERS, SUSPECT);
  assert.equal(votesOf(member), 0);
  assert.equal(member.core.state.vote, 0);
  assert.equal(votesOf(new DrivenCore(1, VOTERS)), 2, "unlike others");
});

Deno.test("Core does not campaign while its tail is suspect, whoever asks", () => {
  const member = new DrivenCore(1, VOTERS, SUSPECT);
  const { core } = member;
  member.ticks(100);
  core.campaign();
  core.step(messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: 5 }));
  assert.deepEqual(member.settle().filter(({ type }) => type === MSG_VOTE), []);
  assert.equal(core.state.role, "follower");
});

Deno.test("Core with a suspect tail does not let an election through", () => {
  const group = CoreGroup.of(3);
  group.members.set(3, new DrivenCore(3, VOTERS, SUSPECT));
  group.isolated.add(2);
  group.campaign(1);
  assert.equal(group.leader(), null, "its vote would have made a quorum");
  group.isolated.delete(2);
  group.campaign(1);
  assert.equal(group.leader(), 1, "all the others do");
});

Deno.test("Core trusts its tail when the commit index passes it", () => {
  const group = CoreGroup.of(3);
  // Entry 3 is what a leader begins with.
  group.members.set(3, new DrivenCore(3, VOTERS, { tailSuspect: 4 }));
  const { state } = group.core(3);
  group.campaign(1);
  assert.equal(state.entryLog.committed, 3);
  assert.ok(state.isTailSuspect() && !state.isPromotable());
  group.core(1).propose(utf8("a"));
  group.settle();
  group.ticks(2);
  assert.equal(state.entryLog.committed, 4);
  assert.ok(!state.isTailSuspect() && state.isPromotable());
  group.isolated.add(1);
  group.ticks(60);
  group.campaign(3);
  assert.ok([2, 3].includes(group.core(3).state.lead));
});

Deno.test("Core.trustTail() makes it campaign and vote again", () => {
  const member = new DrivenCore(1, VOTERS, SUSPECT);
  member.core.trustTail();
  assert.equal(votesOf(member), 2);
  const lone = new DrivenCore(1, { voters: [1] }, SUSPECT);
  lone.core.campaign();
  lone.settle();
  assert.equal(lone.core.state.role, "follower");
  lone.core.trustTail();
  lone.core.campaign();
  lone.settle();
  assert.equal(lone.core.state.role, "leader");
});

Deno.test("Core takes a tail for whole that was committed before", () => {
  for (const [tailSuspect, isSuspect] of [[0, false], [2, false], [3, true]]) {
    const given = { tailSuspect: Number(tailSuspect) };
    const { core } = new DrivenCore(1, VOTERS, given);
    assert.equal(core.state.isTailSuspect(), isSuspect, `${tailSuspect}`);
  }
});
