/*
 * Where we leave etcd's raft on purpose. Each test says which of its rules
 * would fail it.
 */
import { strict as assert } from "node:assert";
import { EMPTY_BYTES, utf8 } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  type ConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  TRANSITION_AUTO,
  TRANSITION_EXPLICIT,
  TRANSITION_IMPLICIT,
} from "../../../src/raft/conf_change.ts";
import { Core } from "../../../src/raft/core.ts";
import { RaftStateMalformedError } from "../../../src/raft/errors.ts";
import { describeConfig, NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PRE_VOTE_RESP,
  MSG_SNAP,
  MSG_STORAGE_APPEND,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import { type Entry, ENTRY_CONF_CHANGE_V2 } from "../../../src/raft/types.ts";
import { MemoryStorage, snapshotOf } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, Network, ofType } from "./network.ts";

const TRIO = { ...NO_CONFIG, voters: [1, 2, 3] };

function change(
  transition: ConfChange["transition"],
  ...changes: ConfChange["changes"]
): ConfChange {
  return { transition, changes, context: EMPTY_BYTES };
}

const add = (id: number) => ({ type: CHANGE_ADD_VOTER, id }) as const;
const remove = (id: number) => ({ type: CHANGE_REMOVE, id }) as const;

// Upstream looks for a lone voter first and answers with the old commit index.
Deno.test("D1 B60: a lone voter reads nothing before a commit in its term", () => {
  const memory = MemoryStorage.from({
    index: 2,
    term: 1,
    confState: { ...NO_CONFIG, voters: [1] },
  });
  memory.append([entryOf(3, 1, "a"), entryOf(4, 1, "acknowledged")]);
  memory.hardState = { term: 1, vote: 1, commit: 3 };
  const member = new Member(1, { memory });
  member.raw.campaign();
  member.storage.hardState = member.raw.ready().hardState ?? memory.hardState;
  member.raw.advance();
  assert.equal(member.state.role, "leader");
  assert.equal(member.state.entryLog.committed, 3);
  member.raw.readIndex(utf8("read"));
  assert.deepEqual(member.state.readStates, []);
  member.settle();
  assert.deepEqual(member.reads, [{ index: 5, token: utf8("read") }]);
});

// Upstream takes any empty list for "leave", then fails on every replica.
for (const transition of [TRANSITION_IMPLICIT, TRANSITION_EXPLICIT] as const) {
  Deno.test(`D2 B34: an empty change with transition ${transition} is refused`, () => {
    for (const vetConfChanges of [true, false]) {
      const config = { voters: [1], votersOutgoing: [1, 2] };
      const member = new Member(1, { config, vetConfChanges });
      member.step(messageOf(MSG_APP, { to: 1, from: 2, term: 1 }));
      const joint = describeConfig(member.state.membership.config);
      const network = new Network(member, new Member(2, { config }));
      network.campaign(1);
      assert.equal(member.state.role, "leader");
      assert.equal(member.proposeChange(change(transition)), true);
      network.settle();
      const last = member.applied.at(-1);
      assert.deepEqual([last?.type, last?.data.length], [0, 0]);
      assert.equal(describeConfig(member.state.membership.config), joint);
    }
  });

  Deno.test(`D2 B34: an empty change with transition ${transition} does nothing when applied`, () => {
    for (const config of [TRIO, { ...TRIO, votersOutgoing: [1, 2] }]) {
      const member = new Member(1, { config });
      const before = describeConfig(member.state.membership.config);
      member.raw.applyConfChange(confEntry(5, change(transition)));
      assert.equal(describeConfig(member.state.membership.config), before);
    }
  });
}

// Upstream leads as soon as the others' votes make a quorum.
Deno.test("D3 B4: a candidate leads only when its own vote is durable", () => {
  const member = new Member(1, { config: TRIO, asyncStorage: true });
  member.raw.campaign();
  const { messages } = member.raw.ready();
  for (const from of [2, 3]) {
    member.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term: 1 }));
  }
  assert.equal(member.state.role, "candidate");
  const [append] = ofType(messages, MSG_STORAGE_APPEND);
  for (const response of append?.responses ?? []) member.step(response);
  assert.equal(member.state.role, "leader");
});

// Same, at the surface of drivers: a crash before `persisted` never led.
Deno.test("D3 B4: Core does not lead a term that a crash would forget", () => {
  const core = coreOf(1, MemoryStorage.from({ confState: TRIO }));
  core.campaign();
  settlePreVote(core, 1, [2, 3]);
  core.pump();
  for (const from of [2, 3]) {
    core.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term: 1 }));
  }
  assert.equal(core.status().role, "candidate");
  core.persisted(1);
  assert.equal(core.status().role, "leader");
});

// Upstream stops with "state.commit is out of range".
Deno.test("D4 B47: a commit index behind the checkpoint is moved up to it", () => {
  const memory = MemoryStorage.from({ index: 7, term: 2, confState: TRIO });
  memory.hardState = { term: 2, vote: 0, commit: 4 };
  const { state } = new Member(1, { memory, applied: 7 });
  assert.equal(state.entryLog.committed, 7);
});

Deno.test("D4 B47: a commit index behind the state machine is moved up to it", () => {
  const memory = MemoryStorage.from({ index: 2, term: 1, confState: TRIO });
  memory.append([entryOf(3, 2), entryOf(4, 2)]);
  memory.hardState = { term: 2, vote: 0, commit: 2 };
  const { state } = new Member(1, { memory, applied: 4 });
  assert.equal(state.entryLog.committed, 4);
});

Deno.test("D4 B26: a commit index beyond the log is refused", () => {
  const memory = MemoryStorage.from({ index: 2, term: 1, confState: TRIO });
  memory.hardState = { term: 2, vote: 0, commit: 3 };
  assert.throws(() => new Member(1, { memory }), RaftStateMalformedError);
});

Deno.test("D4: what is persisted never takes the commit index back", () => {
  const memory = MemoryStorage.from({ index: 2, term: 1, confState: TRIO });
  memory.append([entryOf(3, 1), entryOf(4, 1)]);
  memory.hardState = { term: 1, vote: 0, commit: 4 };
  const member = new Member(2, { memory });
  const beat = { to: 2, from: 1, term: 2, commit: 3 };
  member.step(messageOf(MSG_HEARTBEAT, beat));
  assert.deepEqual(member.raw.ready().hardState, {
    term: 2,
    vote: 0,
    commit: 4,
  });
});

// Upstream's applier stops with "config is already joint".
Deno.test("D5 B40: changes that a checkpoint overtook are not applied again", () => {
  const storage = MemoryStorage.from({ index: 2, term: 1, confState: TRIO });
  const core = coreOf(2, storage);
  const entry = confEntry(3, change(TRANSITION_EXPLICIT, add(4), add(5)));
  const append = { to: 2, from: 1, term: 1, index: 2, logTerm: 1, commit: 3 };
  core.step(messageOf(MSG_APP, { ...append, entries: [entry] }));
  const first = core.pump();
  storage.append(first?.persist?.entries ?? []);
  core.persisted(1);
  const second = core.pump();
  assert.equal(second?.apply?.entries.length, 1);
  const joint = {
    ...NO_CONFIG,
    voters: [1, 2, 3, 4, 5],
    votersOutgoing: [1, 2, 3],
  };
  const snapshot = snapshotOf(9, 1, joint);
  core.step(messageOf(MSG_SNAP, { to: 2, from: 1, term: 1, snapshot }));
  core.applied(1);
  assert.deepEqual(core.status().confState, joint);
  assert.equal(core.status().pendingSnapshot, 9);
});

// Upstream's flag stays false; a driver that believes it loses the checkpoint.
Deno.test("D6 B45: a checkpoint has to be durable, whatever the flag of Ready says", () => {
  const snapshot = snapshotOf(9, 1, TRIO);
  const message = messageOf(MSG_SNAP, { to: 2, from: 1, term: 1, snapshot });
  const start = () => {
    const memory = MemoryStorage.from({ index: 2, term: 1, confState: TRIO });
    memory.hardState = { term: 1, vote: 0, commit: 2 };
    return memory;
  };
  const member = new Member(2, { memory: start() });
  member.step(message);
  assert.equal(member.raw.ready().mustSync, false);
  const core = coreOf(2, start());
  core.step(message);
  const { persist } = core.pump() ?? {};
  assert.equal(persist?.mustSync, true);
  assert.equal(persist?.snapshot, snapshot);
  assert.deepEqual(
    persist?.afterDurable.map(({ type, index }) => [type, index]),
    [[MSG_APP_RESP, 9]],
  );
});

// Upstream keeps the list: the old read is answered in the later leadership.
Deno.test("D7: reads that were parked do not survive the leadership", () => {
  const network = Network.of(3);
  const leader = network.at(1);
  network.drop(MSG_APP);
  network.campaign(1);
  leader.raw.readIndex(utf8("parked"));
  assert.equal(leader.state.parkedReads.length, 1);
  leader.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 5 }));
  assert.equal(leader.state.parkedReads.length, 0);
  network.heal();
  network.campaign(1);
  assert.equal(leader.state.role, "leader");
  assert.deepEqual(leader.reads, []);
});

// Upstream waits for a report for the whole term.
Deno.test("D8 B49: a checkpoint nobody reports on counts as failed after a while", () => {
  for (const snapshotTicksMax of [5, 0]) {
    const { leader } = withPendingSnapshot(snapshotTicksMax);
    const progress = leader.state.membership.progress.get(2);
    leader.ticks(4);
    assert.equal(progress?.state, "snapshot");
    leader.ticks(1);
    if (snapshotTicksMax === 0) {
      assert.equal(progress?.state, "snapshot");
    } else {
      assert.equal(progress?.state, "probe");
      assert.equal(progress?.isPaused(), true);
      assert.equal(progress?.next, 1);
    }
  }
});

Deno.test("D8: a checkpoint that is sent again has its full time again", () => {
  const { leader } = withPendingSnapshot(5);
  const progress = leader.state.membership.progress.get(2);
  leader.ticks(4);
  leader.raw.reportSnapshot(2, { failed: true });
  progress?.becomeProbe();
  leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term: 1 }));
  assert.equal(progress?.state, "snapshot");
  leader.ticks(4);
  assert.equal(progress?.state, "snapshot");
});

Deno.test("D9: members pre-vote, check their quorum and step down when removed", () => {
  const storage = MemoryStorage.from({ confState: TRIO });
  const options = raftOptions({ id: 1, storage, randomTicks: () => 0 });
  const { preVote, checkQuorum, stepDownOnRemoval, leaseReads } = options;
  assert.deepEqual(
    [preVote, checkQuorum, stepDownOnRemoval, leaseReads],
    [true, true, true, false],
  );
  assert.ok(options.snapshotTicksMax > 0);
});

Deno.test("D9 B37: Core refuses changes that may leave nobody able to lead", () => {
  const cases: [string, number[], ConfChange, RegExp | null][] = [
    ["leader", [1, 2, 3], change(TRANSITION_AUTO, remove(1)), /transfer/],
    ["pair", [1, 2], change(TRANSITION_IMPLICIT, add(3)), /3 voters/],
    [
      "shrink",
      [1, 2, 3, 4],
      change(TRANSITION_AUTO, remove(3), remove(4)),
      /3/,
    ],
    ["grow", [1], change(TRANSITION_AUTO, add(2), add(3)), null],
    ["swap", [1, 2, 3], change(TRANSITION_AUTO, add(4), remove(3)), null],
  ];
  for (const [name, voters, wanted, reason] of cases) {
    const core = leadingCore(voters);
    const refusal = core.proposeConfChange(wanted);
    if (reason === null) assert.equal(refusal, null, name);
    else assert.match(refusal ?? "", reason, name);
  }
});

// Upstream takes the proposal and stops every replica when it is applied.
Deno.test("a change that no membership allows is refused, and harmless applied", () => {
  const member = new Member(1, { config: { voters: [1] } });
  member.raw.campaign();
  member.settle();
  assert.equal(member.proposeChange(change(TRANSITION_AUTO, remove(1))), true);
  member.settle();
  assert.equal(member.applied.at(-1)?.type, 0);
  member.raw.applyConfChange(confEntry(9, change(TRANSITION_AUTO, remove(1))));
  member.raw.applyConfChange(confEntry(10, LEAVE_JOINT));
  assert.deepEqual(member.state.membership.config.voters, [1]);
});

// Upstream asks only how many voters there are.
Deno.test("a removed leader is not the lone voter that may answer reads", () => {
  const network = Network.of(2);
  network.campaign(1);
  const leader = network.at(1);
  leader.proposeChange(change(TRANSITION_AUTO, remove(1)));
  network.settle();
  assert.deepEqual(leader.state.membership.config.voters, [2]);
  network.isolate(1);
  leader.raw.readIndex(utf8("read"));
  network.settle();
  assert.deepEqual(leader.reads, []);
});

function confEntry(index: number, wanted: ConfChange): Entry {
  const data = encodeConfChange(wanted);
  return { type: ENTRY_CONF_CHANGE_V2, term: 1, index, data };
}

function coreOf(id: number, storage: MemoryStorage): Core {
  return new Core(raftOptions({ id, storage, randomTicks: () => 0 }));
}

function settlePreVote(
  core: Core,
  id: number,
  voters: readonly number[],
): void {
  core.pump();
  for (const from of voters) {
    if (from === id) continue;
    const term = core.status().term + 1;
    core.step(messageOf(MSG_PRE_VOTE_RESP, { to: id, from, term }));
  }
}

function leadingCore(voters: number[]): Core {
  const storage = MemoryStorage.from({ confState: { ...NO_CONFIG, voters } });
  const core = coreOf(1, storage);
  core.campaign();
  settlePreVote(core, 1, voters);
  for (let turn = 0; turn < 5; turn += 1) {
    const effects = core.pump();
    if (effects?.persist !== undefined) {
      storage.append(effects.persist.entries);
      core.persisted(effects.persist.seq);
    }
    if (effects?.apply !== undefined) core.applied(effects.apply.seq);
    const { term, lastIndex: index } = core.status();
    for (const from of voters.slice(1)) {
      core.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term }));
      core.step(messageOf(MSG_APP_RESP, { to: 1, from, term, index }));
    }
  }
  assert.equal(core.status().role, "leader");
  return core;
}

/** A leader of two whose log starts after what member 2 has. */
function withPendingSnapshot(snapshotTicksMax: number): { leader: Member } {
  const config = { ...NO_CONFIG, voters: [1, 2] };
  const memory = MemoryStorage.from({ index: 5, term: 1, confState: config });
  const leader = new Member(1, { memory, snapshotTicksMax });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  leader.settle();
  const refusal = { to: 1, from: 2, term: 1, index: 5, reject: true };
  leader.step(messageOf(MSG_APP_RESP, refusal));
  const sent: readonly Message[] = leader.settle();
  assert.equal(ofType(sent, MSG_SNAP).length, 1);
  return { leader };
}
