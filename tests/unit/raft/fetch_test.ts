import { strict as assert } from "node:assert";
import { Core } from "../../../src/raft/core.ts";
import {
  appliableOf,
  claimTicket,
  requestEntries,
} from "../../../src/raft/fetch.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_SNAP,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import type { Entry, LogMiss } from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, ofType } from "./network.ts";

/** A log of which only entries from `cachedFrom` on are in memory. */
class DiskLog extends MemoryStorage {
  cachedFrom = 1;

  override entries(
    from: number,
    until: number,
    bytesMax: number,
  ): readonly Entry[] | LogMiss {
    const entries = super.entries(from, until, bytesMax);
    return from < this.cachedFrom && typeof entries !== "string"
      ? "not-cached"
      : entries;
  }

  fetch(from: number, until: number): readonly Entry[] {
    const entries = super.entries(from, until, Infinity);
    assert.ok(typeof entries !== "string");
    return entries;
  }
}

function startLog(commit: number): DiskLog {
  const log = new DiskLog();
  const confState = { ...NO_CONFIG, voters: [1, 2] };
  log.applySnapshot({
    data: new Uint8Array(),
    metadata: { index: 2, term: 1, confState },
  });
  log.append([3, 4, 5, 6].map((index) => entryOf(index, 1, `${index}`)));
  log.hardState = { term: 1, vote: 0, commit };
  return log;
}

/** Leads in term 2 with entry 7 its own; member 2 has not answered. */
function lead(log: DiskLog): Core {
  const core = new Core(raftOptions({
    id: 1,
    storage: log,
    applied: 6,
    preVote: false,
    randomTicks: () => 0,
  }));
  core.campaign();
  settle(core, log);
  core.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 2 }));
  settle(core, log);
  assert.equal(core.status().role, "leader");
  return core;
}

function settle(core: Core, log: DiskLog) {
  const seen = [];
  for (let next = core.pump(); next !== null; next = core.pump()) {
    seen.push(next);
    if (next.persist !== undefined) {
      log.append(next.persist.entries);
      core.persisted(next.persist.seq);
    }
    if (next.apply !== undefined) core.applied(next.apply.seq);
  }
  return seen;
}

function refuseAt(core: Core, index: number, rejectHint: number): void {
  const fields = { to: 1, from: 2, term: 2, index, rejectHint, reject: true };
  core.step(messageOf(MSG_APP_RESP, fields));
}

Deno.test("Core asks for entries that are on disk only, once, and waits", () => {
  const log = startLog(6);
  log.cachedFrom = 6;
  const core = lead(log);
  refuseAt(core, 6, 3);
  const [first] = settle(core, log);
  const [need] = first?.needEntries ?? [];
  assert.deepEqual([need?.peer, need?.from, need?.until], [2, 4, 8]);
  core.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term: 2 }));
  core.propose(new Uint8Array(1));
  const later = settle(core, log);
  assert.deepEqual(later.flatMap(({ needEntries }) => needEntries), []);
  assert.deepEqual(later.flatMap(({ send }) => ofType(send, MSG_APP)), []);
  core.entriesFetched(need?.ticket ?? 0, log.fetch(4, 7));
  const sent = settle(core, log).flatMap(({ send }) => ofType(send, MSG_APP));
  assert.deepEqual(
    sent.map(({ index, entries }) => [index, entries.length]),
    [[3, 3]],
  );
});

Deno.test("Core keeps telling such a member that it leads", () => {
  const log = startLog(6);
  log.cachedFrom = 6;
  const core = lead(log);
  refuseAt(core, 6, 3);
  settle(core, log);
  core.tick();
  const sent = settle(core, log).flatMap(({ send }) => send);
  assert.equal(ofType(sent, MSG_HEARTBEAT).length, 1);
});

Deno.test("Core sends a checkpoint when the entries are gone meanwhile", () => {
  const log = startLog(6);
  log.cachedFrom = 6;
  const core = lead(log);
  refuseAt(core, 6, 3);
  const [first] = settle(core, log);
  log.compact(5);
  core.entriesFetched(first?.needEntries[0]?.ticket ?? 0, []);
  const sent = settle(core, log).flatMap(({ send }) => send);
  assert.equal(ofType(sent, MSG_SNAP).length, 1);
});

Deno.test("Core ignores what was fetched for an older leadership", () => {
  const log = startLog(6);
  log.cachedFrom = 6;
  const core = lead(log);
  refuseAt(core, 6, 3);
  const [first] = settle(core, log);
  core.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 3 }));
  settle(core, log);
  core.entriesFetched(first?.needEntries[0]?.ticket ?? 0, log.fetch(4, 7));
  assert.equal(core.pump(), null);
});

Deno.test("Core has entries fetched that it is to apply", () => {
  const log = startLog(6);
  log.cachedFrom = 99;
  const core = new Core(raftOptions({
    id: 1,
    storage: log,
    applied: 2,
    randomTicks: () => 0,
  }));
  const effects = core.pump();
  assert.equal(effects?.apply, undefined);
  const [need] = effects?.needEntries ?? [];
  assert.deepEqual([need?.peer, need?.from, need?.until], [1, 3, 7]);
  assert.equal(core.pump(), null);
  core.entriesFetched(need?.ticket ?? 0, log.fetch(3, 6));
  const next = core.pump();
  assert.deepEqual(next?.apply?.entries.map(({ index }) => index), [3, 4, 5]);
  core.applied(next?.apply?.seq ?? 0);
  const [rest] = core.pump()?.needEntries ?? [];
  assert.deepEqual([rest?.from, rest?.until], [6, 7]);
});

Deno.test("claimTicket() answers once, for the newest ticket", () => {
  const { state } = new Member(1);
  requestEntries(state, 2, { from: 1, until: 2 }, 9);
  requestEntries(state, 2, { from: 1, until: 3 }, 9);
  assert.deepEqual(state.needs.map(({ ticket }) => ticket), [1, 2]);
  assert.equal(claimTicket(state, 1), null);
  assert.equal(claimTicket(state, 2), 2);
  assert.equal(claimTicket(state, 2), null);
});

Deno.test("appliableOf() takes what follows, within range and budget", () => {
  const entries = [entryOf(3, 1), entryOf(4, 1), entryOf(5, 1)];
  const count = (from: number, until: number, bytesMax: number) =>
    appliableOf(entries, { from, until }, bytesMax).length;
  assert.equal(count(3, 9, Infinity), 3);
  assert.equal(count(3, 5, Infinity), 2);
  assert.equal(count(3, 9, 0), 1);
  assert.equal(count(4, 9, Infinity), 0);
});
