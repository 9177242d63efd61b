import { strict as assert } from "node:assert";
import { RaftStateMalformedError } from "../../../src/raft/errors.ts";
import { describeConfig, NO_CONFIG } from "../../../src/raft/membership.ts";
import { MSG_APP_RESP, MSG_SNAP } from "../../../src/raft/message.ts";
import type { ConfState, Term } from "../../../src/raft/types.ts";
import {
  entriesOf,
  MemoryStorage,
  snapshotOf,
} from "../../scenario/memory_storage.ts";
import { Member, messageOf, ofType } from "./network.ts";

const CONFIG: ConfState = { ...NO_CONFIG, voters: [1, 2, 3] };

/** Follower 1 at term 11 whose log has these terms. */
function followerOf(
  config: ConfState,
  terms: readonly Term[] = [],
  commit = 0,
): Member {
  const memory = MemoryStorage.from({ confState: config });
  memory.append(entriesOf(1, ...terms));
  memory.hardState = { term: 11, vote: 0, commit };
  const member = new Member(1, { memory });
  member.settle();
  return member;
}

function receive(
  member: Member,
  index: number,
  confState: ConfState,
): ReturnType<Member["settle"]> {
  const snapshot = snapshotOf(index, 11, confState);
  member.step(messageOf(MSG_SNAP, { to: 1, from: 2, term: 11, snapshot }));
  return ofType(member.settle(), MSG_APP_RESP);
}

Deno.test("onSnapshot() restarts log and membership", () => {
  const configs: ConfState[] = [
    CONFIG,
    { ...NO_CONFIG, voters: [2, 3], learners: [1] },
    { ...NO_CONFIG, voters: [2, 3], votersOutgoing: [1, 2, 3] },
    {
      ...NO_CONFIG,
      voters: [2],
      votersOutgoing: [1, 2],
      learnersNext: [1],
      autoLeave: true,
    },
  ];
  for (const config of configs) {
    const member = followerOf(CONFIG, [1, 1]);
    const [answer] = receive(member, 11, config);
    assert.deepEqual([answer?.reject, answer?.index], [false, 11]);
    const { entryLog, membership, lead, isLearner } = member.state;
    assert.deepEqual(
      [entryLog.firstIndex(), entryLog.lastIndex(), entryLog.committed],
      [12, 11, 11],
    );
    assert.equal(entryLog.term(11), 11);
    assert.equal(describeConfig(membership.config), describeConfig(config));
    assert.equal(lead, 2);
    assert.equal(isLearner, config.learners.includes(1));
    assert.equal(member.storage.checkpoint.metadata.index, 11, "installed");
    assert.equal(entryLog.applied, 11);
  }
});

Deno.test("onSnapshot() twice is answered with the commit", () => {
  const member = followerOf(CONFIG);
  receive(member, 11, CONFIG);
  const [answer] = receive(member, 11, CONFIG);
  assert.deepEqual([answer?.reject, answer?.index], [false, 11]);
  const [older] = receive(member, 7, CONFIG);
  assert.equal(older?.index, 11);
  assert.equal(member.state.entryLog.lastIndex(), 11);
});

Deno.test("onSnapshot() refuses a group that it is not in", () => {
  const member = followerOf(CONFIG, [1, 1]);
  const others = { ...NO_CONFIG, voters: [2, 3, 4] };
  const [answer] = receive(member, 11, others);
  assert.equal(answer?.index, 0);
  assert.equal(member.state.entryLog.lastIndex(), 2);
  assert.equal(
    describeConfig(member.state.membership.config),
    describeConfig(CONFIG),
  );
});

Deno.test("onSnapshot() of a known entry only commits", () => {
  const member = followerOf(CONFIG, [1, 11, 11], 1);
  const [answer] = receive(member, 2, CONFIG);
  assert.equal(answer?.index, 2);
  const { entryLog } = member.state;
  assert.deepEqual([entryLog.committed, entryLog.lastIndex()], [2, 3]);
  assert.equal(entryLog.unstable.snapshot, null);
});

Deno.test("onSnapshot() of an entry in another term replaces the log", () => {
  const member = followerOf(CONFIG, [1, 1, 1, 1], 1);
  const [answer] = receive(member, 2, CONFIG);
  assert.equal(answer?.index, 2);
  assert.equal(member.state.entryLog.lastIndex(), 2);
});

Deno.test("onSnapshot() names the leader of a higher term", () => {
  const member = followerOf(CONFIG);
  const snapshot = snapshotOf(11, 11, CONFIG);
  member.step(messageOf(MSG_SNAP, { to: 1, from: 3, term: 12, snapshot }));
  assert.deepEqual([member.state.lead, member.state.term], [3, 12]);
});

Deno.test("onSnapshot() refuses a membership that cannot be", () => {
  const member = followerOf(CONFIG);
  const config = { ...NO_CONFIG, learners: [1] };
  assert.throws(() => receive(member, 11, config), RaftStateMalformedError);
});

Deno.test("a member may not campaign while its checkpoint is not installed", () => {
  const member = followerOf(CONFIG);
  assert.equal(member.state.isPromotable(), true);
  const snapshot = snapshotOf(11, 11, CONFIG);
  member.step(messageOf(MSG_SNAP, { to: 1, from: 2, term: 11, snapshot }));
  assert.equal(member.state.isPromotable(), false);
  member.ticks(30);
  assert.equal(member.state.role, "follower");
  // The time it waited counts: a tick later it campaigns.
  member.settle();
  assert.equal(member.state.isPromotable(), true);
  member.ticks(1);
  assert.equal(member.state.role, "candidate");
});

Deno.test("a member that joined by a checkpoint votes and leads", () => {
  const memory = new MemoryStorage();
  const member = new Member(4, { memory });
  member.ticks(30);
  assert.equal(member.state.term, 0, "nobody campaigns without a group");
  const confState = { ...NO_CONFIG, voters: [1, 4] };
  const snapshot = snapshotOf(11, 3, confState);
  member.step(messageOf(MSG_SNAP, { to: 4, from: 1, term: 3, snapshot }));
  member.settle();
  member.ticks(30);
  assert.equal(member.state.role, "candidate");
});
