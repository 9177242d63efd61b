import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_BEAT,
  MSG_CHECK_QUORUM,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_SNAP_STATUS,
  MSG_TRANSFER_LEADER,
  MSG_UNREACHABLE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { ConfState, Term } from "../../../src/raft/types.ts";
import { entriesOf, MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, Network, ofType } from "./network.ts";

/** Leader 1 of `config` whose log held `terms` before it won. */
function leaderOf(
  config: Partial<ConfState>,
  terms: readonly Term[] = [],
): Member {
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, ...config } });
  memory.append(entriesOf(1, ...terms));
  memory.hardState = { term: terms.at(-1) ?? 0, vote: 0, commit: 0 };
  const member = new Member(1, { memory });
  member.raw.campaign();
  member.settle();
  const { term, membership } = member.state;
  const { voters, votersOutgoing } = membership.config;
  for (const from of [...voters, ...votersOutgoing]) {
    if (from !== 1) {
      member.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term }));
    }
  }
  member.settle();
  assert.equal(member.state.role, "leader");
  return member;
}

/** Lets `from` acknowledge everything up to `index`. */
function acknowledge(member: Member, from: number, index: number): void {
  const { term } = member.state;
  member.step(messageOf(MSG_APP_RESP, { to: 1, from, term, index }));
}

Deno.test("a leader commits what a majority of voters holds", () => {
  const rows = [
    { voters: [1], acks: [], commits: true },
    { voters: [1, 2], acks: [], commits: false },
    { voters: [1, 2], acks: [2], commits: true },
    { voters: [1, 2, 3], acks: [], commits: false },
    { voters: [1, 2, 3], acks: [2], commits: true },
    { voters: [1, 2, 3], acks: [2, 3], commits: true },
    { voters: [1, 2, 3, 4], acks: [2], commits: false },
    { voters: [1, 2, 3, 4], acks: [2, 3], commits: true },
    { voters: [1, 2, 3, 4, 5], acks: [2], commits: false },
    { voters: [1, 2, 3, 4, 5], acks: [2, 4], commits: true },
    { voters: [1, 2, 3], learners: [4, 5], acks: [4, 5], commits: false },
    { voters: [1, 2], votersOutgoing: [1, 3], acks: [2], commits: false },
    { voters: [1, 2], votersOutgoing: [1, 3], acks: [2, 3], commits: true },
  ];
  for (const { acks, commits, ...config } of rows) {
    const member = leaderOf(config);
    member.propose("x");
    member.settle();
    const { entryLog } = member.state;
    for (const from of acks) acknowledge(member, from, 2);
    const shown = JSON.stringify({ ...config, acks });
    assert.equal(entryLog.committed, commits ? 2 : 0, shown);
    member.settle();
    assert.deepEqual(member.appliedTexts(), commits ? ["x"] : []);
  }
});

// Raft figure 8: entries of older terms commit with one of the own term.
Deno.test("a leader commits older entries by one of its own term", () => {
  for (const terms of [[], [2], [1, 2], [1]]) {
    const member = leaderOf({ voters: [1, 2, 3] }, terms);
    const { entryLog } = member.state;
    if (terms.length > 0) {
      acknowledge(member, 2, terms.length);
      assert.equal(entryLog.committed, 0, "not by counting old entries");
    }
    acknowledge(member, 2, terms.length + 1);
    assert.equal(entryLog.committed, terms.length + 1);
  }
});

Deno.test("a leader tells everyone what it committed", () => {
  const member = leaderOf({ voters: [1, 2, 3] });
  acknowledge(member, 2, 1);
  member.settle();
  member.propose("x");
  member.settle();
  acknowledge(member, 2, 2);
  const commits = ofType(member.settle(), MSG_APP)
    .map(({ to, commit }) => [to, commit]);
  assert.deepEqual(commits, [[2, 2]], "3 is paused: it never answered");
  acknowledge(member, 3, 2);
  const [told] = ofType(member.settle(), MSG_APP);
  assert.deepEqual([told?.to, told?.commit], [3, 2]);
});

Deno.test("a leader sends what is proposed to who streams", () => {
  const member = leaderOf({ voters: [1, 2, 3] });
  for (const from of [2, 3]) acknowledge(member, from, 1);
  member.settle();
  member.propose("x");
  const appends = ofType(member.settle(), MSG_APP);
  assert.deepEqual(
    appends.map(({ to, index, logTerm, entries, commit }) => [
      to,
      index,
      logTerm,
      entries,
      commit,
    ]),
    [2, 3].map((to) => [to, 1, 1, [entryOf(2, 1, "x")], 1]),
  );
});

Deno.test("a leader's heartbeats tell no more than the match", () => {
  const member = leaderOf({ voters: [1, 2, 3] });
  acknowledge(member, 2, 1);
  member.settle();
  member.step(messageOf(MSG_BEAT, { to: 1 }));
  const beats = ofType(member.settle(), MSG_HEARTBEAT);
  assert.deepEqual(
    beats.map(({ to, commit, index, entries }) => [
      to,
      commit,
      index,
      entries.length,
    ]),
    [[2, 1, 0, 0], [3, 0, 0, 0]],
  );
});

Deno.test("a leader sends heartbeats as often as it should", () => {
  const network = Network.of(2, { heartbeatTicks: 3 });
  network.campaign(1);
  const before = network.traffic.length;
  network.ticks(1, 9);
  const beats = ofType(network.traffic.slice(before), MSG_HEARTBEAT);
  assert.equal(beats.length, 3);
});

// The disk answers for entries of an older leadership: they may be replaced.
Deno.test("a leader's own old acknowledgement counts for nothing later", () => {
  const member = new Member(1, {
    config: { voters: [1, 2, 3] },
    asyncStorage: true,
  });
  const release = () => {
    const { messages } = member.raw.ready();
    return messages.flatMap(({ responses }) => responses)
      .filter(({ to, from }) => to === 1 && from === 1);
  };
  member.raw.campaign();
  for (const message of release()) member.step(message);
  member.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  member.propose("lost");
  const stale = release();
  assert.ok(stale.length > 0);
  // Another leader replaces the entries, then this one leads again.
  const entries = entriesOf(1, 2);
  member.step(messageOf(MSG_APP, { to: 1, from: 3, term: 2, entries }));
  member.raw.campaign();
  for (const message of release()) member.step(message);
  member.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 3 }));
  assert.equal(member.state.role, "leader");
  const { match } = member.state.ownProgress();
  for (const message of stale) member.step(message);
  assert.equal(member.state.ownProgress().match, match);
});

Deno.test("checkQuorum() counts voters heard since the last check", () => {
  const rows = [
    { voters: [1], heard: [], stays: true },
    { voters: [1, 2, 3], heard: [2], stays: true },
    { voters: [1, 2, 3], heard: [], stays: false },
    { voters: [1, 2, 3, 4], heard: [2], stays: false },
    { voters: [1, 2, 3, 4], heard: [2, 3], stays: true },
    { voters: [1, 2, 3], learners: [4, 5], heard: [4, 5], stays: false },
    { voters: [1, 2], votersOutgoing: [1, 3], heard: [2], stays: false },
    { voters: [1, 2], votersOutgoing: [1, 3], heard: [2, 3], stays: true },
  ];
  for (const { heard, stays, ...config } of rows) {
    const member = leaderOf(config);
    member.step(messageOf(MSG_CHECK_QUORUM, { to: 1 }));
    member.state.role = "leader";
    for (const from of heard) {
      const fields = { to: 1, from, term: member.state.term };
      member.step(messageOf(MSG_HEARTBEAT_RESP, fields));
    }
    const { term } = member.state;
    member.step(messageOf(MSG_CHECK_QUORUM, { to: 1 }));
    const shown = JSON.stringify({ ...config, heard });
    assert.equal(member.state.role, stays ? "leader" : "follower", shown);
    assert.equal(member.state.term, term, "no new term");
  }
});

Deno.test("a leader that is heard by half of its group steps down in time", () => {
  const network = Network.of(4, { checkQuorum: true });
  network.campaign(1);
  network.ticks(1, 10);
  network.cut(1, 3);
  network.cut(1, 4);
  network.ticks(1, 20);
  assert.equal(network.at(1).state.role, "follower");
});

Deno.test("a leader ignores who it does not know", () => {
  const types = [
    MSG_APP_RESP,
    MSG_HEARTBEAT_RESP,
    MSG_UNREACHABLE,
    MSG_SNAP_STATUS,
    MSG_TRANSFER_LEADER,
  ];
  for (const type of types) {
    const member = leaderOf({ voters: [1, 2, 3] });
    member.settle();
    const { term } = member.state;
    member.step(messageOf(type, { to: 1, from: 9, term, index: 1 }));
    assert.deepEqual(member.settle(), []);
    assert.equal(member.state.leadTransferee, 0);
    assert.equal(member.state.entryLog.committed, 0);
  }
});

// Proposed again it would be refused, and leave an empty entry each time.
Deno.test("a leader proposes to leave a joint state once until it is applied", () => {
  const member = leaderOf({
    voters: [1, 2],
    votersOutgoing: [1, 3],
    autoLeave: true,
  });
  member.propose("x");
  member.settle();
  for (const index of [1, 2]) {
    for (const from of [2, 3]) acknowledge(member, from, index);
    member.settle();
    assert.equal(member.state.entryLog.applied, index);
    assert.equal(member.state.entryLog.lastIndex(), 3);
  }
  for (const from of [2, 3]) acknowledge(member, from, 3);
  member.settle();
  assert.equal(member.state.membership.config.votersOutgoing.length, 0);
  assert.equal(member.state.entryLog.lastIndex(), 3);
});
