import { strict as assert } from "node:assert";
import { MSG_APP, MSG_STORAGE_APPLY } from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { ENTRY_NORMAL } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, Network, ofType } from "./network.ts";

Deno.test("committed entries come in pages, in order, each once", () => {
  for (const applyBytesMax of [1, 30, 100, Infinity]) {
    const member = new Member(1, { config: { voters: [1] }, applyBytesMax });
    member.raw.campaign();
    member.settle();
    const texts = Array.from({ length: 20 }, (_, nth) => `entry ${nth}`);
    for (const text of texts) member.propose(text);
    const pages: number[] = [];
    while (member.raw.hasReady()) {
      const ready = member.raw.ready();
      if (ready.hardState !== null) {
        member.storage.hardState = ready.hardState;
      }
      member.storage.append(ready.entries);
      pages.push(ready.committedEntries.length);
      member.applied.push(...ready.committedEntries);
      member.raw.advance();
    }
    assert.deepEqual(member.appliedTexts(), texts, `${applyBytesMax}`);
    if (applyBytesMax === 1) assert.equal(Math.max(...pages), 1);
    if (applyBytesMax === Infinity) assert.equal(Math.max(...pages), 20);
  }
});

// A restarted member must not skip what did not fit in its first page.
Deno.test("pages go on after a restart where applying stopped", () => {
  const memory = MemoryStorage.from({
    confState: { ...NO_CONFIG, voters: [1] },
  });
  const count = 10;
  for (let index = 1; index <= count; index += 1) {
    memory.append([entryOf(index, 1, "a".repeat(10))]);
  }
  memory.hardState = { term: 1, vote: 1, commit: count - 1 };
  const member = new Member(1, { memory, applyBytesMax: 40, applied: 2 });
  member.settle();
  assert.deepEqual(
    member.applied.map(({ index }) => index),
    [3, 4, 5, 6, 7, 8, 9],
    "the last one is not committed",
  );
});

Deno.test("async storage waits with pages that are not applied yet", () => {
  const member = new Member(1, {
    config: { voters: [1, 2, 3] },
    asyncStorage: true,
    applyBytesMax: 40,
  });
  const entries = Array.from(
    { length: 6 },
    (_, nth) => entryOf(nth + 1, 1, "a".repeat(10)),
  );
  const fields = { to: 1, from: 2, term: 1, entries, commit: 6 };
  member.step(messageOf(MSG_APP, fields));
  const written = member.raw.ready().messages;
  member.storage.append(entries);
  for (const { responses } of written) {
    for (const message of responses) {
      if (message.to === 1) member.step(message);
    }
  }
  const [first] = ofType(member.raw.ready().messages, MSG_STORAGE_APPLY);
  assert.deepEqual(first?.entries.map(({ index }) => index), [1, 2]);
  assert.equal(
    ofType(member.raw.ready().messages, MSG_STORAGE_APPLY).length,
    0,
    "until the first page is applied",
  );
  for (const message of first?.responses ?? []) member.step(message);
  const [second] = ofType(member.raw.ready().messages, MSG_STORAGE_APPLY);
  assert.deepEqual(second?.entries.map(({ index }) => index), [3, 4]);
});

// Without its followers a leader must not collect proposals without end.
Deno.test("a leader that cannot commit takes proposals up to its limit", () => {
  const network = Network.of(3, { uncommittedBytesMax: 100 });
  network.campaign(1);
  network.isolate(1);
  const leader = network.at(1);
  let taken = 0;
  for (let i = 0; i < 1_000; i += 1) {
    if (leader.propose("a".repeat(20))) taken += 1;
    network.settle();
  }
  assert.equal(taken, 5);
  assert.equal(leader.state.uncommittedBytes, 100);
  network.heal();
  network.ticks(1, 2);
  assert.equal(leader.state.uncommittedBytes, 0);
  assert.equal(network.at(3).appliedTexts().length, 5);
  assert.equal(leader.propose("again"), true);
});

Deno.test("an empty entry of a new leader is handed out like any other", () => {
  const member = new Member(1, { config: { voters: [1] } });
  member.raw.campaign();
  member.settle();
  assert.deepEqual(
    member.applied.map(({ type, index, data }) => [type, index, data.length]),
    [[ENTRY_NORMAL, 1, 0]],
  );
});
