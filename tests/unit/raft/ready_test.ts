import { strict as assert } from "node:assert";
import {
  mustSync,
  ReadySource,
  storageAppendResponse,
} from "../../../src/raft/ready.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { MSG_APP, MSG_HEARTBEAT } from "../../../src/raft/message.ts";
import type { HardState } from "../../../src/raft/types.ts";
import { snapshotOf } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf } from "./network.ts";

const PRIOR: HardState = { term: 2, vote: 1, commit: 3 };

const SYNCS: [name: string, next: HardState, entries: number, boolean][] = [
  ["nothing", PRIOR, 0, false],
  ["a commit index", { ...PRIOR, commit: 4 }, 0, false],
  ["a vote in the same term", { ...PRIOR, vote: 2 }, 0, true],
  ["a term", { ...PRIOR, term: 3 }, 0, true],
  ["an entry", PRIOR, 1, true],
];

for (const [name, next, entries, expected] of SYNCS) {
  Deno.test(`mustSync() of ${name} is ${expected}`, () => {
    const added = [entryOf(4, 2)].slice(0, entries);
    assert.equal(mustSync(PRIOR, next, added), expected);
  });
}

function follower(entries: number, commit: number, applyBytesMax = Infinity) {
  const member = new Member(2, { config: { voters: [1, 2] }, applyBytesMax });
  member.step(messageOf(MSG_APP, {
    to: 2,
    from: 1,
    term: 1,
    commit,
    entries: Array.from(
      { length: entries },
      (_, at) => entryOf(at + 1, 1, "x"),
    ),
  }));
  return member;
}

Deno.test("ReadySource tells each thing once", () => {
  const { state } = follower(2, 0);
  const source = new ReadySource(state, { applyUnstable: false });
  state.role = "candidate";
  assert.equal(source.hasAny(), true);
  const first = source.take();
  assert.deepEqual(first.soft, { lead: 1, role: "candidate" });
  assert.equal(first.entries.length, 2);
  assert.equal(first.afterAppend.length, 1);
  assert.equal(source.hasAny(), false);
  const second = source.take();
  assert.deepEqual(
    [second.soft, second.hardState, second.entries, second.afterAppend],
    [null, null, [], []],
  );
});

Deno.test("ReadySource hands out lists that never change later", () => {
  const { state } = follower(1, 0);
  const source = new ReadySource(state, { applyUnstable: false });
  source.take();
  const empty = source.take();
  state.messages.push(messageOf(MSG_HEARTBEAT, { to: 1 }));
  state.afterAppend.push(messageOf(MSG_HEARTBEAT, { to: 1 }));
  state.readStates.push({ index: 1, token: new Uint8Array() });
  assert.deepEqual(
    [empty.messages, empty.afterAppend, empty.readStates],
    [[], [], []],
  );
});

Deno.test("ReadySource lets entries be applied early only if told so", () => {
  for (const applyUnstable of [true, false]) {
    const { state } = follower(2, 2);
    const source = new ReadySource(state, { applyUnstable });
    const { committedEntries } = source.take();
    assert.equal(committedEntries.length, applyUnstable ? 2 : 0);
  }
});

Deno.test("ReadySource applies in portions and waits for each", () => {
  const { state } = follower(3, 3, 1);
  const source = new ReadySource(state, { applyUnstable: true });
  const seen = [];
  for (let i = 1; i <= 3; i += 1) {
    const { committedEntries } = source.take();
    seen.push(...committedEntries.map(({ index }) => index));
    assert.equal(source.hasAny(), false);
    state.entryLog.appliedTo(i, 99);
  }
  assert.deepEqual(seen, [1, 2, 3]);
});

Deno.test("storageAppendResponse() answers for the last entry and a checkpoint", () => {
  const { state } = follower(2, 0);
  const response = storageAppendResponse(state, null);
  assert.deepEqual(
    [response?.index, response?.logTerm, response?.term, response?.from],
    [2, 1, 1, -1],
  );
  state.entryLog.unstable.stableTo(2, 1);
  assert.equal(storageAppendResponse(state, null), null);
  const snapshot = snapshotOf(9, 1, NO_CONFIG);
  const installed = storageAppendResponse(state, snapshot);
  assert.deepEqual([installed?.index, installed?.snapshot], [0, snapshot]);
});
