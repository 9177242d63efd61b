/* Bugs of other implementations about replication. */
import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  RaftLogConflictError,
  RaftLogLostError,
} from "../../../src/raft/errors.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PROP,
  MSG_SNAP,
  MSG_STORAGE_APPLY_RESP,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import type { Progress } from "../../../src/raft/progress.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import {
  entryOf,
  Member,
  type MemberOptions,
  messageOf,
  Network,
  ofType,
} from "./network.ts";

const PAIR = { voters: [1, 2] };

function append(fields: Partial<Message>): Message {
  return messageOf(MSG_APP, { to: 2, from: 1, term: 2, ...fields });
}

function follower(terms: readonly number[], commit = 0): Member {
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, ...PAIR } });
  memory.append(terms.map((term, at) => entryOf(at + 1, term)));
  memory.hardState = { term: Math.max(0, ...terms), vote: 0, commit };
  return new Member(2, { memory });
}

/** A leader in term 1 whose other members have not answered yet. */
function leaderOf(voters: number[], options: MemberOptions = {}): Member {
  const leader = new Member(1, { config: { voters }, ...options });
  leader.raw.campaign();
  leader.settle();
  for (const from of voters.slice(1)) {
    leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term: 1 }));
  }
  leader.settle();
  assert.equal(leader.state.role, "leader");
  return leader;
}

function ack(from: number, index: number, term = 1): Message {
  return messageOf(MSG_APP_RESP, { to: 1, from, term, index });
}

function beatAnswer(from: number, term = 1): Message {
  return messageOf(MSG_HEARTBEAT_RESP, { to: 1, from, term });
}

function progressOf(leader: Member, id: number): Progress {
  const progress = leader.state.membership.progress.get(id);
  assert.ok(progress !== undefined);
  return progress;
}

Deno.test("B17: a follower commits no further than its log is proven to match", () => {
  const cases: [entries: number, commit: number, expected: number][] = [
    [0, 9, 1],
    [1, 9, 2],
    [2, 9, 3],
    [2, 2, 2],
  ];
  for (const [count, commit, expected] of cases) {
    const member = follower([1, 1, 1, 1], 0);
    const entries = [entryOf(2, 1), entryOf(3, 1)].slice(0, count);
    member.step(append({ index: 1, logTerm: 1, entries, commit }));
    assert.equal(member.state.entryLog.committed, expected);
  }
});

Deno.test("B18: a heartbeat commits no further than the member's match", () => {
  const leader = leaderOf([1, 2, 3]);
  leader.step(ack(3, 1));
  leader.settle();
  assert.equal(leader.state.entryLog.committed, 1);
  leader.raw.tick();
  const beats = ofType(leader.settle(), MSG_HEARTBEAT);
  assert.deepEqual(beats.map(({ to, commit }) => [to, commit]), [
    [2, 0],
    [3, 1],
  ]);
});

Deno.test("B19: an old append that arrives late truncates nothing", () => {
  const member = follower([1]);
  const late = append({ index: 1, logTerm: 1, entries: [entryOf(2, 2)] });
  const entries = [entryOf(2, 2), entryOf(3, 2), entryOf(4, 2)];
  member.step(append({ index: 1, logTerm: 1, entries }));
  member.settle();
  member.step(late);
  const [answer] = ofType(member.settle(), MSG_APP_RESP);
  assert.equal(answer?.index, 2);
  assert.equal(member.state.entryLog.lastIndex(), 4);
});

Deno.test("B20: an append below the commit index is answered with it", () => {
  const member = follower([1, 1, 1], 3);
  const entries = [entryOf(2, 2)];
  member.step(append({ index: 1, logTerm: 1, entries }));
  const [answer] = ofType(member.settle(), MSG_APP_RESP);
  assert.deepEqual([answer?.index, answer?.reject], [3, false]);
  assert.equal(member.state.entryLog.term(2), 1);
});

Deno.test("B20: a leader that contradicts a committed entry stops the member", () => {
  const member = follower([1, 1, 1], 3);
  const entries = [entryOf(4, 2)];
  member.step(append({ index: 3, logTerm: 1, entries, commit: 4 }));
  member.settle();
  assert.throws(
    () => member.state.entryLog.append([entryOf(4, 3)]),
    RaftLogConflictError,
  );
});

Deno.test("B21: a refusal that comes late moves nothing back", () => {
  const leader = leaderOf([1, 2]);
  const progress = progressOf(leader, 2);
  const refusal = (index: number) =>
    messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1, index, reject: true });
  leader.step(ack(2, 1));
  leader.step(refusal(0));
  leader.step(refusal(1));
  assert.deepEqual([progress.match, progress.next], [1, 2]);
  progress.becomeProbe();
  leader.step(refusal(5));
  leader.step(refusal(0));
  assert.ok(progress.match < progress.next);
  assert.equal(progress.next, 2);
});

Deno.test("B22: a full window that got lost is probed after a heartbeat", () => {
  const leader = leaderOf([1, 2, 3], { inflightCountMax: 2 });
  leader.step(ack(2, 1));
  leader.settle();
  for (const text of ["a", "b", "c"]) leader.propose(text);
  assert.equal(
    ofType(leader.settle(), MSG_APP).filter((m) => m.to === 2).length,
    2,
  );
  assert.ok(progressOf(leader, 2).isPaused());
  leader.step(beatAnswer(2));
  const [probe] = ofType(leader.settle(), MSG_APP);
  assert.deepEqual([probe?.to, probe?.index, probe?.entries.length], [2, 3, 0]);
});

Deno.test("B23: an acknowledged member that was unreachable streams again", () => {
  const leader = leaderOf([1, 2]);
  leader.step(ack(2, 1));
  leader.settle();
  leader.raw.reportUnreachable(2);
  assert.equal(progressOf(leader, 2).state, "probe");
  leader.step(beatAnswer(2));
  const [probe] = ofType(leader.settle(), MSG_APP);
  assert.equal(probe?.entries.length, 0);
  leader.step(ack(2, 1));
  assert.equal(progressOf(leader, 2).state, "replicate");
});

function compactedLeader(options: MemberOptions = {}): Member {
  const confState = { ...NO_CONFIG, voters: [1, 2, 3] };
  const memory = MemoryStorage.from({ index: 5, term: 1, confState });
  memory.hardState = { term: 0, vote: 0, commit: 5 };
  const leader = new Member(1, { memory, ...options });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 3, term: 1 }));
  leader.settle();
  return leader;
}

Deno.test("B24 B25: a checkpoint goes out below the log, its answer ends it", () => {
  const leader = compactedLeader();
  const refusal = { to: 1, from: 2, term: 1, index: 5, reject: true };
  leader.step(messageOf(MSG_APP_RESP, refusal));
  const [sent] = ofType(leader.settle(), MSG_SNAP);
  assert.equal(sent?.snapshot?.metadata.index, 5);
  const progress = progressOf(leader, 2);
  assert.equal(progress.state, "snapshot");
  leader.step(ack(2, 5));
  assert.equal(progress.state, "replicate");
  assert.deepEqual([progress.match, progress.next], [5, 7]);
});

Deno.test("a checkpoint is not sent to a member that does not answer", () => {
  const leader = compactedLeader();
  const progress = progressOf(leader, 2);
  progress.next = 3;
  progress.recentActive = false;
  leader.propose("a");
  assert.equal(ofType(leader.settle(), MSG_SNAP).length, 0);
  assert.equal(progress.state, "probe");
});

Deno.test("a report moves on from a checkpoint, and waits for a sign of life", () => {
  for (const failed of [true, false]) {
    const leader = compactedLeader();
    const progress = progressOf(leader, 2);
    progress.becomeSnapshot(5);
    leader.raw.reportSnapshot(2, { failed });
    assert.equal(progress.state, "probe");
    assert.equal(progress.next, failed ? 1 : 6);
    assert.equal(progress.isPaused(), true);
  }
});

Deno.test("B26: a member that lost acknowledged entries refuses to go on", () => {
  const member = follower([1, 1]);
  const beat = { to: 2, from: 1, term: 2, commit: 3 };
  assert.throws(
    () => member.step(messageOf(MSG_HEARTBEAT, beat)),
    RaftLogLostError,
  );
});

Deno.test("B26: a leader survives an answer beyond its log", () => {
  const leader = leaderOf([1, 2]);
  leader.step(ack(2, 99));
  leader.settle();
  assert.equal(progressOf(leader, 2).match, 0);
  assert.equal(leader.state.entryLog.committed, 0);
});

Deno.test("B27: an old answer makes the leader tell the commit index again", () => {
  const leader = leaderOf([1, 2, 3]);
  leader.step(ack(2, 1));
  leader.step(ack(3, 1));
  leader.settle();
  leader.propose("a");
  leader.settle();
  leader.step(ack(3, 2));
  leader.settle();
  assert.equal(leader.state.entryLog.committed, 2);
  const progress = progressOf(leader, 2);
  progress.sentCommit = 1;
  leader.step(ack(2, 2));
  const [bump] = ofType(leader.settle(), MSG_APP);
  assert.deepEqual([bump?.to, bump?.commit], [2, 2]);
});

Deno.test("B28: the limit of uncommitted data lets one batch and empty entries pass", () => {
  const leader = leaderOf([1, 2, 3], { uncommittedBytesMax: 10 });
  assert.equal(leader.propose("x".repeat(50)), true);
  assert.equal(leader.propose("y"), false);
  assert.equal(leader.propose(""), true);
  leader.step(ack(2, 3));
  leader.step(ack(3, 3));
  assert.equal(leader.state.entryLog.committed, 3);
  // Credit comes back when entries are applied, not when they are committed.
  assert.equal(leader.propose("y"), false);
  leader.settle();
  assert.equal(leader.state.uncommittedBytes, 0);
  assert.equal(leader.propose("y"), true);
});

Deno.test("B28: credit never falls below zero, and goes with the leadership", () => {
  const leader = leaderOf([1, 2, 3], { uncommittedBytesMax: 10 });
  leader.propose("x".repeat(9));
  const entries = [entryOf(1, 1, "z".repeat(50))];
  leader.step(ack(2, 2));
  leader.step(messageOf(MSG_STORAGE_APPLY_RESP, { to: 1, from: -2, entries }));
  assert.equal(leader.state.uncommittedBytes, 0);
  leader.propose("x".repeat(9));
  leader.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 9 }));
  assert.equal(leader.state.uncommittedBytes, 0);
});

Deno.test("B31: what is on its way is bounded by count and by bytes", () => {
  const leader = leaderOf([1, 2], {
    inflightCountMax: 100,
    inflightBytesMax: 10,
    messageBytesMax: 10,
  });
  leader.step(ack(2, 1));
  leader.settle();
  for (let i = 0; i < 9; i += 1) leader.propose("xxxxx");
  const sent = ofType(leader.settle(), MSG_APP);
  assert.equal(sent.length, 2);
  assert.ok(progressOf(leader, 2).inflights.isFull());
});

Deno.test("an append holds no more than its limit, but at least one entry", () => {
  const cases: [number, number][] = [[0, 1], [16, 2], [Infinity, 4]];
  for (const [messageBytesMax, count] of cases) {
    const leader = leaderOf([1, 2], { messageBytesMax });
    for (const text of ["a", "b", "c"]) leader.propose(text.repeat(3));
    leader.settle();
    const refusal = { to: 1, from: 2, term: 1, index: 0, reject: true };
    leader.step(ack(2, 0));
    leader.step(beatAnswer(2));
    leader.step(messageOf(MSG_APP_RESP, refusal));
    progressOf(leader, 2).becomeProbe();
    leader.step(beatAnswer(2));
    const message = ofType(leader.settle(), MSG_APP).at(-1);
    assert.equal(message?.entries.length, count);
  }
});

Deno.test("a follower forwards proposals unless it should not", () => {
  for (const forwardProposals of [true, false]) {
    const member = new Member(2, { config: PAIR, forwardProposals });
    assert.equal(member.propose("nobody leads"), false);
    member.step(messageOf(MSG_HEARTBEAT, { to: 2, from: 1, term: 1 }));
    member.settle();
    assert.equal(member.propose("a"), forwardProposals);
    const sent = ofType(member.settle(), MSG_PROP);
    assert.deepEqual(
      sent.map(({ to, from, term }) => [to, from, term]),
      forwardProposals ? [[1, 2, 0]] : [],
    );
  }
});

Deno.test("B72: a proposal that was taken may still be lost, a dropped one is not taken", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.isolate(1);
  assert.equal(network.propose(1, "lost"), true);
  network.campaign(2);
  assert.equal(network.propose(2, "kept"), true);
  network.heal();
  network.ticks(2, 1);
  for (const member of network.members.values()) {
    assert.deepEqual(member.appliedTexts(), ["kept"]);
  }
  assert.equal(network.at(1).raw.propose(utf8("")), null);
});

Deno.test("a checkpoint ends when the log reaches it, whichever arrived", () => {
  const leader = compactedLeader();
  const progress = progressOf(leader, 2);
  progress.becomeSnapshot(20);
  leader.step(ack(2, 4));
  assert.equal(progress.state, "snapshot");
  leader.step(ack(2, 5));
  assert.equal(progress.state, "replicate");
});
