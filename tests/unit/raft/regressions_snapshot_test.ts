/* Bugs of other implementations about checkpoints and storage. */
import { strict as assert } from "node:assert";
import { RaftStateMalformedError } from "../../../src/raft/errors.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_SNAP,
  MSG_STORAGE_APPEND,
  MSG_STORAGE_APPEND_RESP,
} from "../../../src/raft/message.ts";
import { MemoryStorage, snapshotOf } from "../../scenario/memory_storage.ts";
import {
  entryOf,
  Member,
  type MemberOptions,
  messageOf,
  Network,
  ofType,
} from "./network.ts";

const TRIO = { ...NO_CONFIG, voters: [1, 2, 3] };

function append(term: number, index: number, terms: number[]): Message {
  return messageOf(MSG_APP, {
    to: 2,
    from: term,
    term,
    index,
    logTerm: index === 0 ? 0 : 1,
    entries: terms.map((entryTerm, at) => entryOf(index + at + 1, entryTerm)),
  });
}

function snapshotMessage(index: number, term = 1): Message {
  const snapshot = snapshotOf(index, term, TRIO);
  return messageOf(MSG_SNAP, { to: 2, from: 1, term, snapshot });
}

function follower(options: MemberOptions = {}): Member {
  return new Member(2, { config: TRIO, ...options });
}

/** What the append thread has to do, from the next Ready. */
function appendWork(member: Member): Message {
  const [work] = ofType(member.raw.ready().messages, MSG_STORAGE_APPEND);
  assert.ok(work !== undefined);
  return work;
}

function storageAnswer(work: Message): Message {
  const [answer] = ofType(work.responses, MSG_STORAGE_APPEND_RESP);
  assert.ok(answer !== undefined);
  return answer;
}

Deno.test("B42: an answer about a replaced write makes nothing stable", () => {
  const member = follower({ asyncStorage: true });
  member.step(append(1, 0, [1]));
  const first = appendWork(member);
  member.step(append(3, 0, [3]));
  const second = appendWork(member);
  const { unstable } = member.state.entryLog;
  member.step(storageAnswer(first));
  assert.equal(unstable.length, 1);
  member.step(storageAnswer(second));
  assert.equal(unstable.length, 0);
});

Deno.test("B43: every answer covers the whole log, so none is missed", () => {
  const member = follower({ asyncStorage: true });
  member.step(append(1, 0, [1]));
  const first = appendWork(member);
  // A higher term without new entries: the first answer comes too late.
  member.step(append(3, 1, []));
  const second = appendWork(member);
  assert.equal(second.entries.length, 0);
  member.step(storageAnswer(first));
  assert.equal(member.state.entryLog.unstable.length, 1);
  member.step(storageAnswer(second));
  assert.equal(member.state.entryLog.unstable.length, 0);
});

Deno.test("an answer of an older term still installs its checkpoint", () => {
  const member = follower({ asyncStorage: true });
  member.step(snapshotMessage(5));
  const work = appendWork(member);
  member.step(append(3, 5, []));
  member.step(storageAnswer(work));
  assert.equal(member.state.entryLog.hasPendingSnapshot(), false);
  assert.equal(member.state.entryLog.applied, 5);
});

Deno.test("B44: a checkpoint and entries after it come in one Ready", () => {
  const member = follower();
  member.step(snapshotMessage(5));
  member.step(append(1, 5, [1, 1]));
  const { snapshot, entries, committedEntries } = member.raw.ready();
  assert.equal(snapshot?.metadata.index, 5);
  assert.deepEqual(entries.map(({ index }) => index), [6, 7]);
  assert.deepEqual(committedEntries, []);
});

Deno.test("nothing is applied while a checkpoint is on its way to the disk", () => {
  const member = follower({ asyncStorage: true });
  member.step(append(1, 0, [1, 1]));
  member.step(messageOf(MSG_APP, {
    to: 2,
    from: 1,
    term: 1,
    index: 2,
    logTerm: 1,
    commit: 2,
  }));
  member.step(snapshotMessage(5));
  const { committedEntries } = member.raw.ready();
  assert.deepEqual(committedEntries, []);
});

Deno.test("B48: the newest of two checkpoints wins, the older answer is ignored", () => {
  const member = follower({ asyncStorage: true });
  member.step(snapshotMessage(5));
  const first = appendWork(member);
  member.step(snapshotMessage(9));
  const second = appendWork(member);
  member.step(storageAnswer(first));
  const { entryLog } = member.state;
  assert.equal(entryLog.unstable.snapshot?.metadata.index, 9);
  member.step(storageAnswer(second));
  assert.deepEqual([entryLog.applied, entryLog.hasPendingSnapshot()], [
    9,
    false,
  ]);
});

Deno.test("a checkpoint at or below the commit index is answered with it", () => {
  const member = follower();
  member.step(snapshotMessage(5));
  member.settle();
  for (const index of [4, 5]) {
    member.step(snapshotMessage(index));
    const [answer] = ofType(member.settle(), MSG_APP_RESP);
    assert.equal(answer?.index, 5);
    assert.equal(member.state.entryLog.committed, 5);
  }
});

Deno.test("a checkpoint that the log holds already only commits", () => {
  const member = follower();
  member.step(append(1, 0, [1, 1, 1]));
  member.settle();
  member.step(snapshotMessage(2));
  const [answer] = ofType(member.settle(), MSG_APP_RESP);
  assert.deepEqual(
    [answer?.index, member.state.entryLog.lastIndex()],
    [2, 3],
  );
  assert.equal(member.state.entryLog.committed, 2);
});

Deno.test("a checkpoint that does not name the member is refused", () => {
  const cases: [Partial<typeof TRIO>, boolean][] = [
    [{ voters: [1, 3] }, false],
    [{ voters: [1, 2] }, true],
    [{ voters: [1], learners: [2] }, true],
    [{ voters: [1], votersOutgoing: [1, 2], learnersNext: [2] }, true],
  ];
  for (const [config, taken] of cases) {
    const member = follower();
    const snapshot = snapshotOf(5, 1, { ...NO_CONFIG, ...config });
    member.step(messageOf(MSG_SNAP, { to: 2, from: 1, term: 1, snapshot }));
    assert.equal(member.state.entryLog.committed, taken ? 5 : 0);
  }
});

Deno.test("a checkpoint drops the log it replaces", () => {
  const member = follower();
  member.step(append(1, 0, [1, 1, 1]));
  member.settle();
  member.step(snapshotMessage(2, 2));
  assert.equal(member.state.entryLog.lastIndex(), 2);
  assert.equal(member.state.entryLog.term(3), "unavailable");
  assert.equal(member.state.entryLog.lastTerm(), 2);
});

Deno.test("B47: a state machine behind the log's start is refused", () => {
  const memory = MemoryStorage.from({ index: 7, term: 1, confState: TRIO });
  assert.throws(
    () => new Member(2, { memory, applied: 6 }),
    RaftStateMalformedError,
  );
});

Deno.test("B49: a report about a checkpoint ends the wait", () => {
  const memory = MemoryStorage.from({ index: 5, term: 1, confState: TRIO });
  const leader = new Member(1, { memory });
  const network = new Network(leader, new Member(3, { memory: copyOf() }));
  network.campaign(1);
  const refusal = { to: 1, from: 2, term: 1, index: 5, reject: true };
  leader.step(messageOf(MSG_APP_RESP, refusal));
  const progress = leader.state.membership.progress.get(2);
  assert.equal(progress?.state, "snapshot");
  leader.raw.reportSnapshot(2, { failed: false });
  assert.deepEqual([progress?.state, progress?.next], ["probe", 6]);
});

Deno.test("B50: entries after a restored checkpoint continue without a gap", () => {
  const member = follower();
  member.step(append(1, 0, [1]));
  member.settle();
  member.step(snapshotMessage(5, 2));
  member.settle();
  assert.equal(member.storage.firstIndex(), 6);
  const entries = [entryOf(6, 2)];
  const fields = { to: 2, from: 1, term: 2, index: 5, logTerm: 2, entries };
  member.step(messageOf(MSG_APP, fields));
  member.settle();
  assert.equal(member.storage.lastIndex(), 6);
});

Deno.test("B53: async storage applies nothing that is not durable", () => {
  const member = new Member(1, { config: { voters: [1] }, asyncStorage: true });
  member.raw.campaign();
  for (const response of appendWork(member).responses) member.step(response);
  const work = appendWork(member);
  assert.deepEqual(member.raw.ready().committedEntries, []);
  member.storage.append(work.entries);
  for (const response of work.responses) member.step(response);
  assert.equal(member.raw.ready().committedEntries.length, 1);
});

function copyOf(): MemoryStorage {
  return MemoryStorage.from({ index: 5, term: 1, confState: TRIO });
}
