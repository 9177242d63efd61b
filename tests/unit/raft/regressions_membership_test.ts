/* Bugs of other implementations about membership. */
import { strict as assert } from "node:assert";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type SingleChange,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
} from "../../../src/raft/conf_change.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_PROP,
  MSG_TIMEOUT_NOW,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import { type Entry, ENTRY_CONF_CHANGE_V2 } from "../../../src/raft/types.ts";
import { Member, messageOf, Network, ofType } from "./network.ts";

const add = (id: number) => ({ type: CHANGE_ADD_VOTER, id }) as const;
const learn = (id: number) => ({ type: CHANGE_ADD_LEARNER, id }) as const;
const remove = (id: number) => ({ type: CHANGE_REMOVE, id }) as const;

function change(
  changes: readonly SingleChange[],
  transition: ConfChange["transition"] = TRANSITION_AUTO,
): ConfChange {
  return { transition, changes, context: EMPTY_BYTES };
}

function entryFor(index: number, wanted: ConfChange, term = 1): Entry {
  const data = encodeConfChange(wanted);
  return { type: ENTRY_CONF_CHANGE_V2, term, index, data };
}

/** Types of the entries above `index` in the leader's log. */
function typesAbove({ entryLog }: RaftState, index: number): number[] {
  const entries = entryLog.entries(index + 1, Infinity);
  assert.ok(typeof entries !== "string");
  return entries.map(({ type }) => type);
}

Deno.test("B29: a leader outside its group is no vote in a quorum", () => {
  const network = Network.of(3);
  network.campaign(1);
  const leader = network.at(1);
  leader.proposeChange(change([remove(1)]));
  network.settle();
  assert.deepEqual(leader.state.membership.config.voters, [2, 3]);
  assert.equal(leader.state.role, "leader");
  const { committed } = leader.state.entryLog;
  assert.equal(leader.propose("from nobody"), false);
  network.cut(1, 3);
  network.cut(2, 3);
  network.settle();
  assert.equal(leader.state.entryLog.committed, committed);
});

Deno.test("B29: a removed or demoted leader steps down if it should", () => {
  for (const wanted of [remove(1), learn(1)]) {
    for (const stepDownOnRemoval of [true, false]) {
      const network = Network.of(3, { stepDownOnRemoval });
      network.campaign(1);
      network.at(1).proposeChange(change([wanted]));
      network.settle();
      const { role, lead } = network.at(1).state;
      assert.equal(role, stepDownOnRemoval ? "follower" : "leader");
      assert.equal(lead, stepDownOnRemoval ? 0 : 1);
    }
  }
});

Deno.test("B32: a change of an earlier leader blocks another one until applied", () => {
  const leader = new Member(1, { config: { voters: [1, 2, 3] } });
  const old = entryFor(1, change([add(4)]), 1);
  leader.step(messageOf(MSG_APP, { to: 1, from: 2, term: 1, entries: [old] }));
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 3, term: 2 }));
  leader.settle();
  assert.equal(leader.state.pendingConfIndex, 1);
  leader.proposeChange(change([add(5)]));
  assert.deepEqual(typesAbove(leader.state, 2), [0]);
  leader.settle();
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 3, term: 2, index: 3 }));
  leader.settle();
  assert.deepEqual(leader.state.membership.config.voters, [1, 2, 3, 4]);
  leader.proposeChange(change([add(5)]));
  assert.deepEqual(typesAbove(leader.state, 3), [ENTRY_CONF_CHANGE_V2]);
});

Deno.test("B33: one change at a time, also within one proposal", () => {
  const network = Network.of(3);
  network.campaign(1);
  const leader = network.at(1);
  const last = leader.state.entryLog.lastIndex();
  leader.proposeChange(change([add(4)]));
  leader.proposeChange(change([add(5)]));
  assert.deepEqual(typesAbove(leader.state, last), [ENTRY_CONF_CHANGE_V2, 0]);
  assert.equal(leader.state.pendingConfIndex, last + 1);
});

Deno.test("B33: a batch of changes keeps only its first", () => {
  const leader = new Member(1, { config: { voters: [1] } });
  leader.raw.campaign();
  leader.settle();
  const entries = [change([add(2)]), change([add(3)])]
    .map((wanted) => ({ ...entryFor(0, wanted), term: 0 }));
  leader.step(messageOf(MSG_PROP, { to: 1, from: 1, entries }));
  assert.deepEqual(typesAbove(leader.state, 1), [ENTRY_CONF_CHANGE_V2, 0]);
  assert.equal(leader.state.pendingConfIndex, 2);
});

Deno.test("B33: refusals by state: joint needs a leave, others refuse one", () => {
  const voters = [1, 2, 3];
  const cases: [number[], ConfChange, boolean][] = [
    [[], change([add(4)]), true],
    [[], LEAVE_JOINT, false],
    [voters, change([add(4)]), false],
    [voters, LEAVE_JOINT, true],
  ];
  for (const [votersOutgoing, wanted, taken] of cases) {
    const config = { ...NO_CONFIG, voters, votersOutgoing };
    for (const vetConfChanges of [true, false]) {
      const ids = voters.map((id) =>
        new Member(id, { config, vetConfChanges })
      );
      const network = new Network(...ids);
      network.campaign(1);
      const { state } = network.at(1);
      const last = state.entryLog.lastIndex();
      network.at(1).proposeChange(wanted);
      const expected = taken || !vetConfChanges ? ENTRY_CONF_CHANGE_V2 : 0;
      assert.deepEqual(typesAbove(state, last), [expected]);
    }
  }
});

const AUTO_JOINT = {
  ...NO_CONFIG,
  voters: [1, 2, 3],
  votersOutgoing: [1, 2],
  autoLeave: true,
};

Deno.test("B35: a new leader leaves a joint group that its predecessor entered", () => {
  const ids = [1, 2, 3].map((id) => new Member(id, { config: AUTO_JOINT }));
  const network = new Network(...ids);
  network.campaign(2);
  for (const member of network.members.values()) {
    assert.deepEqual(member.state.membership.config, {
      ...AUTO_JOINT,
      votersOutgoing: [],
      autoLeave: false,
    });
  }
});

Deno.test("B35: leaving is proposed once while it is not applied", () => {
  const leader = new Member(1, { config: AUTO_JOINT });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  leader.settle();
  const acked = (index: number) => {
    for (const from of [2, 3]) {
      const fields = { to: 1, from, term: 1, index };
      leader.step(messageOf(MSG_APP_RESP, fields));
    }
  };
  leader.propose("a");
  leader.settle();
  acked(1);
  leader.settle();
  acked(2);
  leader.settle();
  const entries = leader.state.entryLog.entries(1, Infinity);
  assert.ok(typeof entries !== "string");
  const changes = entries.filter(({ type }) => type === ENTRY_CONF_CHANGE_V2);
  assert.equal(changes.length, 1);
});

Deno.test("B35: a leave that a transfer held up is proposed again", () => {
  const ids = [1, 2, 3].map((id) => new Member(id, { config: AUTO_JOINT }));
  const network = new Network(...ids);
  network.drop(MSG_APP);
  network.campaign(1);
  const leader = network.at(1);
  leader.raw.transferLeader(3);
  network.heal();
  network.drop(MSG_TIMEOUT_NOW);
  network.ticks(1, 1);
  assert.equal(leader.state.membership.config.autoLeave, true);
  network.ticks(1, 10);
  assert.equal(leader.state.leadTransferee, 0);
  network.propose(1, "next");
  assert.equal(leader.state.membership.config.autoLeave, false);
});

Deno.test("B36: a demoted voter becomes a learner when the joint state ends", () => {
  const network = Network.of(3);
  network.campaign(1);
  const leader = network.at(1);
  leader.proposeChange(change([learn(3)], TRANSITION_EXPLICIT));
  network.settle();
  assert.deepEqual(leader.state.membership.config.learnersNext, [3]);
  assert.equal(network.at(3).state.isLearner, false);
  leader.proposeChange(LEAVE_JOINT);
  network.settle();
  assert.deepEqual(leader.state.membership.config.learners, [3]);
  assert.equal(network.at(3).state.isLearner, true);
});

Deno.test("B38 B58: answers of members that are not there are refused", () => {
  const network = Network.of(3);
  network.campaign(1);
  const leader = network.at(1);
  const answer = messageOf(MSG_APP_RESP, { to: 1, from: 9, term: 1, index: 1 });
  assert.equal(leader.raw.step(answer), "unknown-peer");
  leader.step(answer);
  assert.equal(leader.state.role, "leader");
});

Deno.test("B39: a removed member with pre-vote does not depose the leader", () => {
  const network = Network.of(3, { preVote: true, checkQuorum: true });
  network.campaign(1);
  const { term } = network.at(1).state;
  network.isolate(3);
  network.at(1).proposeChange(change([remove(3)]));
  network.settle();
  network.heal();
  network.ticks(3, 40);
  network.ticks(1, 1);
  const { role, term: now } = network.at(1).state;
  assert.deepEqual([role, now], ["leader", term]);
});

Deno.test("B41: a joint change of {1,2,3} to {3} needs both halves", () => {
  const network = Network.of(3);
  network.campaign(3);
  const leader = network.at(3);
  const wanted = change([remove(1), remove(2)], TRANSITION_EXPLICIT);
  leader.proposeChange(wanted);
  network.settle();
  assert.deepEqual(leader.state.membership.config.votersOutgoing, [1, 2, 3]);
  network.isolate(3);
  const { committed } = leader.state.entryLog;
  leader.propose("held by the old half");
  network.settle();
  assert.equal(leader.state.entryLog.committed, committed);
  network.heal();
  network.ticks(3, 1);
  leader.proposeChange(LEAVE_JOINT);
  network.settle();
  assert.deepEqual(leader.state.membership.config.voters, [3]);
});

Deno.test("a smaller group commits at once what it already holds", () => {
  const network = Network.of(2);
  network.campaign(1);
  const leader = network.at(1);
  network.cut(1, 2);
  leader.propose("held by one of two");
  network.settle();
  const { committed } = leader.state.entryLog;
  leader.raw.applyConfChange(entryFor(9, change([remove(2)])));
  assert.equal(leader.state.entryLog.committed, committed + 1);
});

Deno.test("a member that joined is fed at once", () => {
  const network = Network.of(1);
  network.campaign(1);
  const leader = network.at(1);
  leader.raw.applyConfChange(entryFor(9, change([add(2)])));
  const [sent] = ofType(leader.settle(), MSG_APP);
  assert.equal(sent?.to, 2);
});

Deno.test("a transfer ends when its target stops to be a voter", () => {
  for (const wanted of [remove(2), learn(2)]) {
    const network = Network.of(3);
    network.campaign(1);
    const leader = network.at(1);
    network.drop(MSG_TIMEOUT_NOW);
    leader.raw.transferLeader(2);
    leader.raw.applyConfChange(entryFor(9, change([wanted])));
    assert.equal(leader.state.leadTransferee, 0);
  }
});

Deno.test("a member applies no change at or below the one it got its membership from", () => {
  const member = new Member(1, { config: { voters: [1, 2, 3] } });
  member.raw.applyConfChange(entryFor(5, change([add(4)])));
  member.raw.applyConfChange(entryFor(5, change([add(5)])));
  member.raw.applyConfChange(entryFor(4, change([add(6)])));
  assert.deepEqual(member.state.membership.config.voters, [1, 2, 3, 4]);
});
