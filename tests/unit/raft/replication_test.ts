import { strict as assert } from "node:assert";
import { present } from "../../../src/base/assert.ts";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_SNAP,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { Progress } from "../../../src/raft/progress.ts";
import {
  broadcastAppend,
  sendAppend,
  sendEntries,
} from "../../../src/raft/replication.ts";
import {
  entriesOf,
  MemoryStorage,
  snapshotOf,
} from "../../scenario/memory_storage.ts";
import {
  entryOf,
  Member,
  type MemberOptions,
  messageOf,
  ofType,
} from "./network.ts";

const CONFIG = { ...NO_CONFIG, voters: [1, 2] };

/** Leader 1 over 2 at term 1, whose log holds only its first entry. */
function leaderOf(options: MemberOptions = {}): Member {
  const leader = new Member(1, { config: CONFIG, ...options });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  leader.settle();
  return leader;
}

function recordOf(leader: Member): Progress {
  return present(leader.state.membership.progress.get(2), "a record");
}

Deno.test("sendAppend() sends one probe until a sign of life", () => {
  const leader = leaderOf();
  const record = recordOf(leader);
  for (let round = 0; round < 3; round += 1) {
    // The first append of the leadership is such a probe.
    if (round > 0) {
      const { term } = leader.state;
      leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term }));
      assert.equal(ofType(leader.settle(), MSG_APP).length, 1);
    }
    assert.equal(record.isPaused(), true);
    for (let i = 0; i < 10; i += 1) {
      leader.propose("x");
      assert.equal(sendAppend(leader.state, 2), false);
    }
    assert.deepEqual(ofType(leader.settle(), MSG_APP), []);
    // Heartbeats go on meanwhile.
    leader.ticks(1);
    assert.equal(ofType(leader.settle(), MSG_HEARTBEAT).length, 1);
  }
});

Deno.test("sendEntries() streams without waiting", () => {
  const leader = leaderOf();
  recordOf(leader).becomeReplicate();
  for (let i = 0; i < 5; i += 1) {
    leader.propose(`${i}`);
    const appends = ofType(leader.settle(), MSG_APP);
    assert.equal(appends.length, 1);
    assert.equal(appends[0]?.entries.at(-1)?.index, 2 + i);
  }
  assert.equal(sendEntries(leader.state, 2), false, "nothing is left");
});

Deno.test("sendAppend() sends nothing beside a checkpoint", () => {
  const leader = leaderOf();
  recordOf(leader).becomeSnapshot(10);
  leader.propose("x");
  broadcastAppend(leader.state);
  assert.deepEqual(leader.settle(), []);
});

Deno.test("sendAppend() fills messages up to their limit", () => {
  // Eight bytes of data make fourteen on the wire.
  const rows = [
    { messageBytesMax: 0, sizes: [1, 1, 1, 1, 1] },
    { messageBytesMax: 14, sizes: [1, 1, 1, 1, 1] },
    { messageBytesMax: 27, sizes: [1, 1, 1, 1, 1] },
    { messageBytesMax: 28, sizes: [2, 2, 1] },
    { messageBytesMax: 1_000, sizes: [5] },
  ];
  for (const { messageBytesMax, sizes } of rows) {
    const leader = leaderOf({ messageBytesMax });
    for (let i = 0; i < 5; i += 1) leader.propose("12345678");
    leader.settle();
    // Its answer to the probe makes the member stream.
    leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1, index: 1 }));
    const appends = ofType(leader.settle(), MSG_APP)
      .filter(({ entries }) => entries.length > 0);
    assert.deepEqual(
      appends.map(({ entries }) => entries.length),
      sizes,
      `${messageBytesMax}`,
    );
  }
});

Deno.test("sendAppend() stops at the window and goes on as it frees", () => {
  const leader = leaderOf({ inflightCountMax: 3 });
  const record = recordOf(leader);
  record.maybeUpdate(1);
  record.becomeReplicate();
  for (let i = 0; i < 6; i += 1) leader.propose(`${i}`);
  const first = ofType(leader.settle(), MSG_APP);
  assert.deepEqual(first.map(({ index }) => index), [1, 2, 3]);
  assert.equal(record.inflights.isFull(), true);
  // Old news free nothing; each later answer frees what it covers.
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1, index: 1 }));
  assert.deepEqual(ofType(leader.settle(), MSG_APP), []);
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1, index: 3 }));
  const rest = ofType(leader.settle(), MSG_APP)
    .filter(({ entries }) => entries.length > 0);
  assert.deepEqual(rest.map(({ index, entries }) => [index, entries.length]), [
    [4, 3],
  ]);
});

Deno.test("a full window gets one empty append per sign of life", () => {
  const leader = leaderOf({ inflightCountMax: 1 });
  const record = recordOf(leader);
  record.maybeUpdate(1);
  record.becomeReplicate();
  leader.propose("a");
  leader.propose("b");
  leader.settle();
  for (let i = 0; i < 3; i += 1) {
    leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term: 1 }));
    const [probe, ...more] = ofType(leader.settle(), MSG_APP);
    assert.deepEqual([probe?.index, probe?.entries.length], [2, 0]);
    assert.equal(more.length, 0);
    assert.equal(record.inflights.count, 1);
  }
});

/** Leader 1 over 2 with a log that starts after a checkpoint at 11. */
function compactedLeader(): Member {
  const memory = MemoryStorage.from({ index: 11, term: 1, confState: CONFIG });
  memory.hardState = { term: 1, vote: 0, commit: 11 };
  const leader = new Member(1, { memory });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 2 }));
  leader.settle();
  return leader;
}

Deno.test("a member behind the log's start gets the checkpoint", () => {
  const leader = compactedLeader();
  const record = recordOf(leader);
  record.next = leader.state.entryLog.firstIndex();
  record.recentActive = true;
  const fields = { to: 1, from: 2, term: 2, index: 11, reject: true };
  leader.step(messageOf(MSG_APP_RESP, { ...fields, rejectHint: 0 }));
  const [sent, ...more] = ofType(leader.settle(), MSG_SNAP);
  assert.equal(more.length, 0);
  assert.equal(sent?.snapshot?.metadata.index, 11);
  assert.deepEqual([record.state, record.pendingSnapshot, record.next], [
    "snapshot",
    11,
    12,
  ]);
});

Deno.test("a checkpoint waits for a sign of life of its member", () => {
  const leader = compactedLeader();
  const record = recordOf(leader);
  record.next = 1;
  record.recentActive = false;
  record.appendsPaused = false;
  leader.propose("x");
  assert.deepEqual(leader.settle(), []);
  assert.equal(record.state, "probe");
  leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term: 2 }));
  assert.equal(ofType(leader.settle(), MSG_SNAP).length, 1);
});

Deno.test("a checkpoint that is being made is asked for again", () => {
  const leader = compactedLeader();
  const record = recordOf(leader);
  const made = leader.storage.checkpoint;
  leader.storage.snapshot = () => null;
  record.next = 1;
  record.recentActive = true;
  record.appendsPaused = false;
  assert.equal(sendAppend(leader.state, 2), false);
  assert.equal(record.state, "probe");
  leader.storage.snapshot = () => made;
  assert.equal(sendAppend(leader.state, 2), true);
  assert.equal(record.state, "snapshot");
});

Deno.test("a checkpoint that arrived or failed decides where to go on", () => {
  const rows = [
    { failed: false, next: 12 },
    { failed: true, next: 1 },
  ];
  for (const { failed, next } of rows) {
    const leader = compactedLeader();
    const record = recordOf(leader);
    record.becomeSnapshot(11);
    leader.raw.reportSnapshot(2, { failed });
    assert.deepEqual(
      [record.state, record.next, record.pendingSnapshot, record.isPaused()],
      ["probe", next, 0, true],
    );
  }
});

Deno.test("an answer ends a checkpoint once the logs meet", () => {
  const rows = [
    // Below the start of the log another checkpoint is needed.
    { index: 9, state: "snapshot" },
    { index: 10, state: "snapshot" },
    { index: 11, state: "replicate" },
  ];
  for (const { index, state } of rows) {
    const leader = compactedLeader();
    const record = recordOf(leader);
    record.becomeSnapshot(30);
    const fields = { to: 1, from: 2, term: 2, index };
    leader.step(messageOf(MSG_APP_RESP, fields));
    assert.equal(record.state, state, `${index}`);
    if (state === "replicate") {
      const [sent] = ofType(leader.settle(), MSG_APP);
      assert.deepEqual([sent?.index, sent?.entries.length], [11, 1]);
    } else {
      assert.equal(record.pendingSnapshot, 30, "the same one is waited for");
      assert.deepEqual(leader.settle(), []);
    }
  }
});

Deno.test("entries that are not in memory are asked for, and sent then", () => {
  const memory = MemoryStorage.from({ confState: CONFIG });
  memory.append(entriesOf(1, 1, 1, 1));
  memory.hardState = { term: 1, vote: 0, commit: 0 };
  const read = memory.entries.bind(memory);
  let isCached = true;
  memory.entries = (from, until, bytesMax) =>
    isCached ? read(from, until, bytesMax) : "not-cached";
  const leader = new Member(1, { memory });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 2 }));
  leader.settle();
  isCached = false;
  const fields = { to: 1, from: 2, term: 2, index: 3, reject: true };
  leader.step(messageOf(MSG_APP_RESP, { ...fields, rejectHint: 0 }));
  assert.deepEqual(ofType(leader.settle(), MSG_APP), []);
  const [need, ...more] = leader.state.needs;
  assert.equal(more.length, 0);
  assert.deepEqual([need?.peer, need?.from], [2, 1]);
  assert.equal(sendAppend(leader.state, 2), false, "it waits");
  assert.equal(leader.state.needs.length, 1);
});

Deno.test("an append names the commit, the entry before and the term", () => {
  const leader = leaderOf();
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term: 1, index: 1 }));
  leader.settle();
  leader.propose("x");
  const [sent] = ofType(leader.settle(), MSG_APP);
  assert.deepEqual(sent && { ...sent }, {
    ...messageOf(MSG_APP, {
      to: 2,
      from: 1,
      term: 1,
      index: 1,
      logTerm: 1,
      commit: 1,
      entries: [entryOf(2, 1, "x")],
    }),
  });
  assert.equal(recordOf(leader).sentCommit, 1);
});

Deno.test("a pending checkpoint of its own is what a member would send", () => {
  const leader = compactedLeader();
  const pending = snapshotOf(40, 2, CONFIG);
  leader.state.entryLog.unstable.snapshot = pending;
  assert.equal(leader.state.entryLog.snapshot(), pending);
});
