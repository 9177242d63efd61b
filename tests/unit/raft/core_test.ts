import { strict as assert } from "node:assert";
import { InvariantError } from "../../../src/base/assert.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_LEARNER,
  LEAVE_JOINT,
  TRANSITION_AUTO,
} from "../../../src/raft/conf_change.ts";
import { Core, type Effects } from "../../../src/raft/core.ts";
import {
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HUP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
} from "../../../src/raft/message.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import type { Entry } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, messageOf } from "./network.ts";

const LONE = {
  voters: [1],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

interface Driven {
  readonly core: Core;
  readonly storage: MemoryStorage;
  readonly applied: Entry[];
  readonly seen: Effects[];
}

function startLone(): Driven {
  const storage = MemoryStorage.from({ index: 2, term: 1, confState: LONE });
  const core = new Core(raftOptions({
    id: 1,
    storage,
    applied: 2,
    randomTicks: () => 0,
  }));
  return { core, storage, applied: [], seen: [] };
}

/** Carries out everything at once. */
function drive({ core, storage, applied, seen }: Driven): void {
  for (let next = core.pump(); next !== null; next = core.pump()) {
    seen.push(next);
    if (next.persist !== undefined) {
      storage.append(next.persist.entries);
      if (next.persist.hardState !== undefined) {
        storage.hardState = next.persist.hardState;
      }
      core.persisted(next.persist.seq);
    }
    if (next.apply !== undefined) {
      applied.push(...next.apply.entries);
      core.applied(next.apply.seq);
    }
  }
}

Deno.test("Core elects a lone voter, commits and answers reads", () => {
  const driven = startLone();
  const { core } = driven;
  assert.equal(core.propose(utf8("too early")), false);
  for (let i = 0; i < 10; i += 1) core.tick();
  drive(driven);
  assert.equal(core.status().role, "leader");
  assert.equal(core.propose(utf8("a")), true);
  assert.equal(core.propose(utf8("b")), true);
  drive(driven);
  const { committed, applied, lastIndex, term } = core.status();
  assert.deepEqual([committed, applied, lastIndex, term], [5, 5, 5, 1]);
  assert.deepEqual(
    driven.applied.map(({ index, data }) => [index, data]),
    [[3, new Uint8Array()], [4, utf8("a")], [5, utf8("b")]],
  );
  core.readIndex(7);
  const effects = core.pump();
  assert.deepEqual(effects?.reads, [{ round: 7, index: 5 }]);
});

/** Member 2 of two, led by member 1 in term 1 at index 2. */
function startFollower(): { core: Core; storage: MemoryStorage } {
  const confState = { ...LONE, voters: [1, 2] };
  const storage = MemoryStorage.from({ index: 2, term: 1, confState });
  storage.hardState = { term: 1, vote: 0, commit: 2 };
  const core = new Core(raftOptions({
    id: 2,
    storage,
    applied: 2,
    randomTicks: () => 0,
  }));
  return { core, storage };
}

function append(index: number, count: number, commit = 2): Message {
  const entries = Array.from(
    { length: count },
    (_, at) => entryOf(index + at + 1, 1, "x"),
  );
  const fields = { to: 2, from: 1, term: 1, index, logTerm: 1 };
  return messageOf(MSG_APP, { ...fields, entries, commit });
}

Deno.test("Core.pump() holds promises back until what they promise is durable", () => {
  const { core } = startFollower();
  core.step(append(2, 2));
  const effects = core.pump();
  assert.deepEqual(effects?.send, []);
  assert.equal(effects?.persist?.mustSync, true);
  assert.deepEqual(
    effects?.persist?.afterDurable.map(({ type, index }) => [type, index]),
    [[MSG_APP_RESP, 4]],
  );
});

Deno.test("Core.pump() lets promises about durable things leave at once", () => {
  const { core, storage } = startFollower();
  core.step(append(2, 1));
  const first = core.pump();
  core.step(append(3, 0, 3));
  const second = core.pump();
  // Still waits: the entry before it is on its way.
  assert.equal(second?.persist?.afterDurable.length, 1);
  assert.equal(second?.persist?.mustSync, false);
  storage.append(first?.persist?.entries ?? []);
  core.persisted(second?.persist?.seq ?? 0);
  core.pump();
  core.step(append(3, 0, 3));
  const third = core.pump();
  assert.deepEqual(third?.send.map(({ index }) => index), [3]);
  assert.equal(third?.persist, undefined);
});

Deno.test("Core.pump() makes a mark of promises that only wait for others", () => {
  const { core } = startFollower();
  core.step(append(2, 1));
  core.pump();
  core.step(append(2, 1));
  const { persist } = core.pump() ?? {};
  assert.deepEqual([persist?.entries, persist?.hardState], [[], undefined]);
  assert.deepEqual([persist?.seq, persist?.afterDurable.length], [2, 1]);
});

Deno.test("Core.persisted() and applied() cover all before", () => {
  const { core, storage } = startFollower();
  for (let index = 2; index < 6; index += 1) {
    core.step(append(index, 1, index));
    storage.append(core.pump()?.persist?.entries ?? []);
  }
  core.persisted(4);
  const effects = core.pump();
  assert.deepEqual(effects?.apply?.entries.map(({ index }) => index), [
    3,
    4,
    5,
  ]);
  core.step(append(6, 0, 6));
  const next = core.pump();
  assert.deepEqual(next?.apply?.entries.map(({ index }) => index), [6]);
  core.applied(next?.apply?.seq ?? 0);
  assert.equal(core.status().applied, 6);
  assert.throws(() => core.applied(99), InvariantError);
  assert.throws(() => core.persisted(99), InvariantError);
});

Deno.test("Core.step() refuses what cannot be", () => {
  const { core } = startFollower();
  const beat = { to: 2, from: 1, term: 1 };
  assert.equal(core.step(messageOf(MSG_HEARTBEAT, beat)), null);
  const cases: [Message, string][] = [
    [messageOf(MSG_HEARTBEAT, { ...beat, to: 3 }), "malformed-message"],
    [messageOf(MSG_HEARTBEAT, { ...beat, term: 0 }), "malformed-message"],
    [messageOf(MSG_HUP, beat), "local-message"],
    [messageOf(MSG_APP_RESP, { ...beat, from: 9 }), "unknown-peer"],
  ];
  for (const [message, refusal] of cases) {
    assert.equal(core.step(message), refusal);
  }
});

Deno.test("Core.readIndex() knows when there is nobody to ask", () => {
  const { core } = startFollower();
  assert.equal(core.readIndex(1), false);
  core.step(messageOf(MSG_HEARTBEAT, { to: 2, from: 1, term: 1 }));
  core.pump();
  assert.equal(core.readIndex(2), true);
  const [asked] = core.pump()?.send ?? [];
  assert.deepEqual([asked?.type, asked?.to, asked?.from], [
    MSG_READ_INDEX,
    1,
    2,
  ]);
  const entries = asked?.entries ?? [];
  const fields = { to: 2, from: 1, term: 1, index: 2, entries };
  core.step(messageOf(MSG_READ_INDEX_RESP, fields));
  assert.deepEqual(core.pump()?.reads, [{ round: 2, index: 2 }]);
});

Deno.test("Core.proposeConfChange() says why not, or switches when applied", () => {
  const driven = startLone();
  const { core } = driven;
  const change = {
    transition: TRANSITION_AUTO,
    changes: [{ type: CHANGE_ADD_LEARNER, id: 2 }],
    context: new Uint8Array(),
  } as const;
  assert.match(core.proposeConfChange(change) ?? "", /dropped/);
  core.campaign();
  drive(driven);
  assert.match(core.proposeConfChange(LEAVE_JOINT) ?? "", /joint/);
  assert.equal(core.proposeConfChange(change), null);
  assert.match(core.proposeConfChange(change) ?? "", /unapplied/);
  drive(driven);
  assert.deepEqual(core.status().confState.learners, [2]);
  assert.deepEqual(core.members().map(({ id }) => id), [1, 2]);
});

Deno.test("Core starts again from what was stored, and goes on", () => {
  const driven = startLone();
  driven.core.campaign();
  drive(driven);
  driven.core.propose(utf8("a"));
  drive(driven);
  const { storage } = driven;
  const core = new Core(raftOptions({
    id: 1,
    storage,
    applied: 3,
    randomTicks: () => 0,
  }));
  const again = { core, storage, applied: [], seen: [] };
  core.campaign();
  drive(again);
  const { term, lastIndex, applied } = core.status();
  assert.deepEqual([term, lastIndex, applied], [2, 5, 5]);
});

Deno.test("Core reports steer how members are fed", () => {
  const driven = startLone();
  const { core } = driven;
  core.campaign();
  drive(driven);
  core.reportUnreachable(9);
  core.reportSnapshot(9, { failed: true });
  core.transferLeader(9);
  core.forgetLeader();
  core.entriesFetched(1, []);
  assert.equal(core.pump(), null);
  assert.equal(core.status().role, "leader");
});
