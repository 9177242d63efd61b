import { strict as assert } from "node:assert";
import {
  type Message,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { present } from "../../../src/base/assert.ts";
import type { Progress } from "../../../src/raft/progress.ts";
import type { Term } from "../../../src/raft/types.ts";
import { entriesOf, MemoryStorage } from "../../scenario/memory_storage.ts";
import { Member, messageOf, Network, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2] };

/** A member of {1, 2} with these terms in its log, at `term` or the last. */
function memberOf(
  id: number,
  terms: readonly Term[],
  options: { readonly term?: Term } = {},
): Member {
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, ...VOTERS } });
  memory.append(entriesOf(1, ...terms));
  const term = options.term ?? terms.at(-1) ?? 0;
  memory.hardState = { term, vote: 0, commit: 0 };
  return new Member(id, { memory });
}

/** Leader 1 over 2, at the term after `term` or the last of `terms`. */
function leaderOf(
  terms: readonly Term[],
  options: { readonly term?: Term } = {},
): Member {
  const leader = memberOf(1, terms, options);
  leader.raw.campaign();
  leader.settle();
  const { term } = leader.state;
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term }));
  return leader;
}

function recordOf(leader: Member, id = 2): Progress {
  return present(leader.state.membership.progress.get(id), "a record");
}

function answer(leader: Member, fields: Partial<Message>): readonly Message[] {
  const { term } = leader.state;
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 2, term, ...fields }));
  return ofType(leader.settle(), MSG_APP);
}

// One refusal for each term on either side, however long the logs are.
Deno.test("a refusal takes the leader back over whole terms", () => {
  const rows: {
    leader: Term[];
    follower: Term[];
    /** Hint and its term in the answer. */
    hint: [number, Term];
    /** Where the leader tries next. */
    next: [number, Term];
  }[] = [
    // The leader finds the follower's last term in its own log.
    {
      leader: [1, 2, 2, 4, 4, 4, 4],
      follower: [1, 2, 2, 4, 4, 4, 4, 5, 5, 5, 5],
      hint: [8, 5],
      next: [7, 4],
    },
    {
      leader: [1, 2, 2, 3, 4, 4, 4, 5],
      follower: [1, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4],
      hint: [9, 4],
      next: [7, 4],
    },
    // The follower's log is short.
    { leader: [1, 1, 1, 2, 2], follower: [1, 1], hint: [2, 1], next: [2, 1] },
    { leader: [1, 1], follower: [], hint: [0, 0], next: [0, 0] },
    // The follower's tail has terms that the leader never had.
    {
      leader: [1, 1, 1, 1, 5],
      follower: [1, 2, 2, 3, 3],
      hint: [5, 3],
      next: [4, 1],
    },
    {
      leader: [1, 1, 1, 6, 6],
      follower: [1, 4, 4, 4, 5],
      hint: [5, 5],
      next: [3, 1],
    },
  ];
  for (const row of rows) {
    const leader = leaderOf(row.leader, { term: 20 });
    leader.settle();
    const follower = memberOf(2, row.follower);
    recordOf(leader).next = leader.state.entryLog.lastIndex() + 1;
    const { term } = leader.state;
    leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term }));
    const [first] = ofType(leader.settle(), MSG_APP);
    follower.step(present(first, "an append"));
    const [refusal] = ofType(follower.settle(), MSG_APP_RESP);
    const shown = JSON.stringify(row);
    if (refusal?.reject !== true) return assert.fail(`not refused: ${shown}`);
    assert.deepEqual([refusal.rejectHint, refusal.logTerm], row.hint, shown);
    leader.step(refusal);
    const [second] = ofType(leader.settle(), MSG_APP);
    assert.deepEqual([second?.index, second?.logTerm], row.next, shown);
  }
});

Deno.test("members of any two logs agree after a few messages", () => {
  const logs: Term[][] = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];
  for (const log of logs) {
    const leader = memberOf(1, logs[0] ?? []);
    const follower = memberOf(2, log);
    const network = new Network(leader, follower);
    // The leader wins at a term above all others, whatever the other's log.
    leader.state.term = 7;
    leader.raw.campaign();
    leader.settle();
    leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 8 }));
    network.settle();
    const termsOf = ({ state }: Member) => {
      const { entryLog } = state;
      const read = entryLog.slice(1, entryLog.lastIndex() + 1, Infinity);
      return typeof read === "string" ? read : read.map(({ term }) => term);
    };
    assert.deepEqual(termsOf(follower), [...logs[0] ?? [], 8]);
    const appends = ofType(network.traffic, MSG_APP);
    assert.ok(appends.length <= 8, `${appends.length} messages`);
  }
});

Deno.test("an acknowledgement starts the stream right after it", () => {
  const leader = leaderOf([1, 1]);
  leader.settle();
  const sent = answer(leader, { index: 2 });
  assert.deepEqual(sent.map(({ index }) => index), [2]);
  const record = recordOf(leader);
  assert.deepEqual([record.state, record.match, record.next], [
    "replicate",
    2,
    4,
  ]);
});

Deno.test("an acknowledgement twice changes nothing", () => {
  const leader = leaderOf([1, 1]);
  leader.settle();
  answer(leader, { index: 3 });
  const before = recordOf(leader).describe();
  assert.deepEqual(answer(leader, { index: 3 }), []);
  assert.deepEqual(answer(leader, { index: 1 }), []);
  assert.equal(recordOf(leader).describe(), before);
});

Deno.test("answers in any order end with the highest match", () => {
  const leader = leaderOf([]);
  leader.settle();
  answer(leader, { index: 1 });
  for (const text of ["a", "b", "c"]) leader.propose(text);
  leader.settle();
  answer(leader, { index: 3 });
  answer(leader, { index: 2 });
  answer(leader, { index: 2, reject: true, rejectHint: 1, logTerm: 1 });
  const record = recordOf(leader);
  assert.deepEqual([record.match, record.next], [3, 5]);
  assert.equal(record.state, "replicate");
  assert.equal(record.inflights.count, 1);
  answer(leader, { index: 4 });
  assert.equal(record.inflights.count, 0);
  assert.equal(leader.state.entryLog.committed, 4);
});

Deno.test("a refusal while streaming starts a search after the match", () => {
  const leader = leaderOf([]);
  leader.settle();
  answer(leader, { index: 1 });
  for (const text of ["a", "b", "c"]) leader.propose(text);
  leader.settle();
  const fields = { index: 3, reject: true, rejectHint: 1, logTerm: 1 };
  const sent = answer(leader, fields);
  const record = recordOf(leader);
  assert.equal(record.state, "probe");
  assert.deepEqual([record.match, record.next], [1, 2]);
  assert.deepEqual(sent.map(({ index, entries }) => [index, entries.length]), [
    [1, 3],
  ]);
  assert.equal(record.isPaused(), true);
});

Deno.test("an answer to a heartbeat sends what is missing, else nothing", () => {
  const leader = leaderOf([1]);
  leader.settle();
  const beatAnswer = () => {
    const { term } = leader.state;
    leader.step(messageOf(MSG_HEARTBEAT_RESP, { to: 1, from: 2, term }));
    return ofType(leader.settle(), MSG_APP);
  };
  // Nothing is known yet: each answer repeats the probe.
  for (let i = 0; i < 2; i += 1) {
    const sent = beatAnswer();
    assert.deepEqual(sent.map(({ index }) => index), [1]);
  }
  answer(leader, { index: 2 });
  assert.deepEqual(beatAnswer(), [], "all of it matches");
});

Deno.test("a lagging member is told the commit by its own answer", () => {
  const leader = leaderOf([]);
  leader.settle();
  const sent = answer(leader, { index: 1 });
  assert.deepEqual(
    sent.map(({ index, commit, entries }) => [index, commit, entries.length]),
    [[1, 1, 0]],
  );
  assert.deepEqual(answer(leader, { index: 1 }), [], "told once");
});

Deno.test("a lost member is probed, not streamed to, until it answers", () => {
  const leader = leaderOf([]);
  leader.settle();
  answer(leader, { index: 1 });
  leader.propose("a");
  leader.settle();
  leader.raw.reportUnreachable(2);
  const record = recordOf(leader);
  assert.deepEqual([record.state, record.match, record.next], ["probe", 1, 2]);
  leader.propose("b");
  const [probe] = ofType(leader.settle(), MSG_APP);
  assert.deepEqual([probe?.index, probe?.entries.length], [1, 2]);
  leader.propose("c");
  assert.deepEqual(ofType(leader.settle(), MSG_APP), [], "one at a time");
  const sent = answer(leader, { index: 3 });
  assert.deepEqual(
    sent.map(({ index }) => index),
    [3, 3].slice(0, sent.length),
  );
  assert.equal(record.state, "replicate");
});

Deno.test("an answer makes its sender count as active", () => {
  for (const type of [MSG_APP_RESP, MSG_HEARTBEAT_RESP]) {
    const leader = leaderOf([]);
    leader.settle();
    recordOf(leader).recentActive = false;
    const { term } = leader.state;
    leader.step(messageOf(type, { to: 1, from: 2, term, index: 0 }));
    assert.equal(recordOf(leader).recentActive, true);
  }
});

Deno.test("a beat in between leaves the member's log alone", () => {
  const leader = leaderOf([1]);
  leader.settle();
  leader.ticks(1);
  const beats = ofType(leader.settle(), MSG_HEARTBEAT);
  assert.deepEqual(beats.map(({ to, commit }) => [to, commit]), [[2, 0]]);
});
