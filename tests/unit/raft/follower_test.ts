import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_FORGET_LEADER,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
  MSG_TIMEOUT_NOW,
  MSG_TRANSFER_LEADER,
  MSG_VOTE,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { Term } from "../../../src/raft/types.ts";
import { entriesOf, MemoryStorage } from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, ofType } from "./network.ts";

const VOTERS = { voters: [1, 2, 3] };

/** A follower of 2 at `term` whose stable log has these terms. */
function followerOf(
  term: Term,
  terms: readonly Term[],
  options: { readonly commit?: number } & Record<string, unknown> = {},
): Member {
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, ...VOTERS } });
  memory.append(entriesOf(1, ...terms));
  memory.hardState = { term, vote: 0, commit: options.commit ?? 0 };
  const { commit: _, ...rest } = options;
  const member = new Member(1, { memory, ...rest });
  member.state.lead = 2;
  member.settle();
  return member;
}

function termsOf(member: Member): readonly Term[] {
  const { entryLog } = member.state;
  const read = entryLog.slice(1, entryLog.lastIndex() + 1, Infinity);
  assert.notEqual(typeof read, "string");
  return typeof read === "string" ? [] : read.map(({ term }) => term);
}

Deno.test("onAppend() answers, appends and commits", () => {
  // The log holds terms 1 2, at term 2.
  const rows = [
    // The entry before differs, or is missing.
    { index: 2, logTerm: 3, terms: [], commit: 3, reject: true, committed: 0 },
    { index: 3, logTerm: 3, terms: [], commit: 3, reject: true, committed: 0 },
    // It matches.
    { index: 1, logTerm: 1, terms: [], commit: 1, last: 2, committed: 1 },
    { index: 0, logTerm: 0, terms: [2], commit: 1, last: 1, committed: 1 },
    { index: 2, logTerm: 2, terms: [2, 2], commit: 3, last: 4, committed: 3 },
    { index: 2, logTerm: 2, terms: [2], commit: 4, last: 3, committed: 3 },
    { index: 1, logTerm: 1, terms: [2], commit: 4, last: 2, committed: 2 },
    // The commit goes no further than what the message proves to match.
    { index: 1, logTerm: 1, terms: [], commit: 3, last: 2, committed: 1 },
    { index: 1, logTerm: 1, terms: [2], commit: 3, last: 2, committed: 2 },
    { index: 2, logTerm: 2, terms: [], commit: 3, last: 2, committed: 2 },
    { index: 2, logTerm: 2, terms: [], commit: 4, last: 2, committed: 2 },
  ];
  for (const row of rows) {
    const { index, logTerm, terms, commit, committed } = row;
    const member = followerOf(2, [1, 2]);
    const entries = entriesOf(index + 1, ...terms);
    const fields = { to: 1, from: 2, term: 2, index, logTerm, entries, commit };
    member.step(messageOf(MSG_APP, fields));
    const { entryLog } = member.state;
    const shown = JSON.stringify(row);
    if (row.last !== undefined) {
      assert.equal(entryLog.lastIndex(), row.last, shown);
    }
    assert.equal(entryLog.committed, committed, shown);
    const [answer, ...more] = ofType(member.settle(), MSG_APP_RESP);
    assert.equal(more.length, 0);
    assert.equal(answer?.reject ?? false, row.reject ?? false, shown);
    const proven = row.reject === true ? index : index + terms.length;
    assert.equal(answer?.index, proven, shown);
  }
});

Deno.test("onAppend() replaces what differs, and nothing else", () => {
  // Raft figure 7 in small: terms 1 2.
  const rows = [
    { index: 2, logTerm: 2, terms: [3], want: [1, 2, 3], written: [3] },
    { index: 1, logTerm: 1, terms: [3, 4], want: [1, 3, 4], written: [3, 4] },
    { index: 0, logTerm: 0, terms: [1], want: [1, 2], written: [] },
    { index: 0, logTerm: 0, terms: [3], want: [3], written: [3] },
    { index: 0, logTerm: 0, terms: [1, 2, 4], want: [1, 2, 4], written: [4] },
  ];
  for (const { index, logTerm, terms, want, written } of rows) {
    const member = followerOf(4, [1, 2]);
    const entries = entriesOf(index + 1, ...terms);
    const fields = { to: 1, from: 2, term: 4, index, logTerm, entries };
    member.step(messageOf(MSG_APP, fields));
    assert.deepEqual(termsOf(member), want);
    const { entries: unstable } = member.raw.ready();
    assert.deepEqual(unstable.map(({ term }) => term), written);
  }
});

// Each answer lets the leader skip a whole term of ours.
Deno.test("onAppend() hints at the last place that may match", () => {
  const rows = [
    { terms: [1, 2], index: 3, logTerm: 3, hint: [2, 2] },
    { terms: [1, 2], index: 2, logTerm: 1, hint: [1, 1] },
    { terms: [1, 3, 3, 3], index: 4, logTerm: 2, hint: [1, 1] },
    { terms: [1, 3, 3, 3], index: 9, logTerm: 3, hint: [4, 3] },
    { terms: [1, 3, 3, 3], index: 9, logTerm: 5, hint: [4, 3] },
    { terms: [3, 3], index: 2, logTerm: 1, hint: [0, 0] },
    { terms: [], index: 5, logTerm: 1, hint: [0, 0] },
  ];
  for (const { terms, index, logTerm, hint } of rows) {
    const member = followerOf(5, terms);
    const fields = { to: 1, from: 2, term: 5, index, logTerm };
    member.step(messageOf(MSG_APP, fields));
    const [answer] = ofType(member.settle(), MSG_APP_RESP);
    assert.equal(answer?.reject, true);
    assert.equal(answer?.index, index);
    assert.deepEqual([answer?.rejectHint, answer?.logTerm], hint);
  }
});

Deno.test("onAppend() below the commit answers with the commit", () => {
  const member = followerOf(2, [1, 1, 2], { commit: 2 });
  const entries = entriesOf(2, 1);
  const fields = { to: 1, from: 2, term: 2, index: 1, logTerm: 1, entries };
  member.step(messageOf(MSG_APP, fields));
  const [answer] = ofType(member.settle(), MSG_APP_RESP);
  assert.deepEqual([answer?.reject, answer?.index], [false, 2]);
  assert.deepEqual(termsOf(member), [1, 1, 2]);
});

Deno.test("onHeartbeat() commits forward and echoes the context", () => {
  const context = new Uint8Array([1, 2, 3]);
  for (const [commit, want] of [[3, 3], [1, 2]] as const) {
    const member = followerOf(3, [1, 2, 3], { commit: 2 });
    const fields = { to: 1, from: 2, term: 3, commit, context };
    member.step(messageOf(MSG_HEARTBEAT, fields));
    assert.equal(member.state.entryLog.committed, want);
    const [answer] = ofType(member.settle(), MSG_HEARTBEAT_RESP);
    assert.deepEqual(answer?.context, context);
  }
});

Deno.test("a follower hears its leader", () => {
  for (const type of [MSG_APP, MSG_HEARTBEAT]) {
    const member = followerOf(1, [1]);
    member.state.lead = 0;
    member.state.electionElapsed = 7;
    member.step(messageOf(type, { to: 1, from: 3, term: 1 }));
    assert.deepEqual(
      [member.state.lead, member.state.electionElapsed],
      [3, 0],
    );
  }
});

Deno.test("a follower campaigns after its own timeout, not before", () => {
  for (const drawn of [0, 4, 9]) {
    const member = followerOf(1, [1], { randomTicks: () => drawn });
    member.ticks(10 + drawn - 1);
    assert.equal(member.state.role, "follower");
    member.ticks(1);
    assert.equal(member.state.role, "candidate");
  }
});

Deno.test("a follower draws a new timeout for each term", () => {
  const draws = [0, 3, 7, 5];
  const member = followerOf(1, [1], {
    randomTicks: () => draws.shift() ?? 0,
  });
  assert.equal(member.state.electionTimeout, 10);
  member.step(messageOf(MSG_APP, { to: 1, from: 3, term: 2 }));
  assert.equal(member.state.electionTimeout, 13);
  member.step(messageOf(MSG_APP, { to: 1, from: 3, term: 3 }));
  assert.equal(member.state.electionTimeout, 17);
});

Deno.test("a follower passes on what only a leader can do", () => {
  const entries = [entryOf(0, 0, "x")];
  for (const type of [MSG_PROP, MSG_READ_INDEX, MSG_TRANSFER_LEADER]) {
    const member = followerOf(1, [1]);
    member.step(messageOf(type, { to: 1, from: 3, entries }));
    const [sent, ...more] = member.settle();
    assert.equal(more.length, 0);
    assert.deepEqual([sent?.type, sent?.to, sent?.from], [type, 2, 3]);
    assert.equal(sent?.term, type === MSG_TRANSFER_LEADER ? 1 : 0);
    assert.deepEqual(sent?.entries, entries);

    member.state.lead = 0;
    const taken = member.step(messageOf(type, { to: 1, from: 3, entries }));
    assert.equal(taken, type !== MSG_PROP, "only proposals are reported");
    assert.deepEqual(member.settle(), []);
  }
});

Deno.test("a follower hands out the answer to its read", () => {
  const member = followerOf(1, [1]);
  const entries = [entryOf(0, 0, "token")];
  const fields = { to: 1, from: 2, term: 1, index: 7, entries };
  member.step(messageOf(MSG_READ_INDEX_RESP, fields));
  member.settle();
  assert.deepEqual(
    member.reads.map(({ index, token }) => [
      index,
      new TextDecoder().decode(token),
    ]),
    [[7, "token"]],
  );
  const none = { to: 1, from: 2, term: 1, index: 7 };
  member.step(messageOf(MSG_READ_INDEX_RESP, none));
  member.settle();
  assert.equal(member.reads.length, 1);
});

Deno.test("a follower told to campaign does so without a trial", () => {
  const member = followerOf(1, [1], { preVote: true });
  member.step(messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: 1 }));
  assert.deepEqual([member.state.role, member.state.term], ["candidate", 2]);
  const [request] = ofType(member.settle(), MSG_VOTE);
  assert.equal(
    new TextDecoder().decode(request?.context),
    "CampaignTransfer",
  );
});

Deno.test("a follower forgets its leader, and only that", () => {
  const member = followerOf(1, [1]);
  member.state.electionElapsed = 4;
  member.step(messageOf(MSG_FORGET_LEADER, { to: 1, from: 1 }));
  const { lead, term, electionElapsed, role } = member.state;
  assert.deepEqual([lead, term, electionElapsed, role], [0, 1, 4, "follower"]);
  const leased = followerOf(1, [1], { leaseReads: true, checkQuorum: true });
  leased.step(messageOf(MSG_FORGET_LEADER, { to: 1, from: 1 }));
  assert.equal(leased.state.lead, 2);
});

Deno.test("a follower ignores what is older than its term", () => {
  const member = followerOf(3, [1]);
  const entries = entriesOf(2, 2);
  const fields = { to: 1, from: 3, term: 2, index: 1, logTerm: 1, entries };
  member.step(messageOf(MSG_APP, fields));
  assert.deepEqual(termsOf(member), [1]);
  assert.equal(member.state.lead, 2);
  assert.deepEqual(member.settle(), []);
});
