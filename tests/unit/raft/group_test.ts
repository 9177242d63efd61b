// What a whole group does: members that hear each other at once.
import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_HEARTBEAT,
  MSG_PRE_VOTE_RESP,
  MSG_READ_INDEX_RESP,
  MSG_TIMEOUT_NOW,
  MSG_VOTE,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { Term } from "../../../src/raft/types.ts";
import {
  entriesOf,
  MemoryStorage,
  snapshotOf,
} from "../../scenario/memory_storage.ts";
import { entryOf, Member, messageOf, Network, ofType } from "./network.ts";

/** Member `id` of `count` voters whose log has these terms. */
function memberOf(id: number, count: number, terms: readonly Term[]): Member {
  const voters = Array.from({ length: count }, (_, nth) => nth + 1);
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, voters } });
  memory.append(entriesOf(1, ...terms));
  memory.hardState = { term: terms.at(-1) ?? 0, vote: 0, commit: 0 };
  return new Member(id, { memory });
}

function termsOf(member: Member): readonly Term[] {
  const { entryLog } = member.state;
  const read = entryLog.slice(1, entryLog.lastIndex() + 1, Infinity);
  assert.notEqual(typeof read, "string");
  return typeof read === "string" ? [] : read.map(({ term }) => term);
}

Deno.test("an election is decided by who answers and by their logs", () => {
  const rows: { logs: (Term[] | null)[]; role: string; term: Term }[] = [
    // Null is a member that is down.
    { logs: [[], [], []], role: "leader", term: 1 },
    { logs: [[], [], null], role: "leader", term: 1 },
    { logs: [[], null, null], role: "candidate", term: 1 },
    { logs: [[], null, null, []], role: "candidate", term: 1 },
    { logs: [[], null, null, [], []], role: "leader", term: 1 },
    // Logs that are ahead refuse; three of five refuse is a defeat.
    { logs: [[], [1], [1], [1, 1], []], role: "follower", term: 1 },
    { logs: [[], [1], [1], [], []], role: "leader", term: 1 },
  ];
  for (const { logs, role, term } of rows) {
    const members = logs.map((log, nth) => {
      const member = memberOf(nth + 1, logs.length, log ?? []);
      member.storage.hardState = { term: 0, vote: 0, commit: 0 };
      return member;
    });
    // What is refused by its log keeps the term of the request.
    for (const member of members) member.state.term = 0;
    const network = new Network(...members);
    for (const [nth, log] of logs.entries()) {
      if (log === null) network.isolate(nth + 1);
    }
    network.campaign(1);
    const { state } = network.at(1);
    assert.deepEqual([state.role, state.term], [role, term], `${logs}`);
  }
});

Deno.test("every member can win in turn", () => {
  for (const preVote of [false, true]) {
    const network = Network.of(3, { preVote });
    for (const id of [1, 2, 3, 1, 2, 3]) {
      network.campaign(id);
      for (const other of [1, 2, 3]) {
        const { role, lead } = network.at(other).state;
        assert.equal(role, other === id ? "leader" : "follower");
        assert.equal(lead, id);
      }
    }
  }
});

// The winner never saw the newer entries, which no majority held.
Deno.test("an elected leader replaces newer entries that were not committed", () => {
  const network = new Network(
    memberOf(1, 5, [1]),
    memberOf(2, 5, [1]),
    memberOf(3, 5, [2]),
    memberOf(4, 5, []),
    memberOf(5, 5, []),
  );
  // 4 and 5 voted for 3 in term 2, so 1 loses it at first.
  for (const id of [4, 5]) {
    const { state } = network.at(id);
    state.term = 2;
    state.vote = 3;
  }
  network.campaign(1);
  assert.equal(network.at(1).state.role, "follower");
  assert.equal(network.at(1).state.term, 2);
  network.campaign(1);
  assert.equal(network.at(1).state.role, "leader");
  for (const id of [1, 2, 3, 4, 5]) {
    assert.deepEqual(termsOf(network.at(id)), [1, 3], `${id}`);
  }
});

Deno.test("entries of an old term commit with the first of the new one", () => {
  const network = Network.of(5);
  network.campaign(1);
  // 1 can reach 2 only: nothing commits.
  for (const id of [3, 4, 5]) network.cut(1, id);
  network.propose(1, "a");
  network.propose(1, "b");
  assert.equal(network.at(1).state.entryLog.committed, 1);
  network.heal();
  // The new leader must not commit the old entries by counting them.
  network.drop(MSG_APP);
  network.campaign(2);
  assert.equal(network.at(2).state.entryLog.committed, 1);
  network.heal();
  network.ticks(2, 1);
  network.propose(2, "c");
  for (const id of [1, 2, 3, 4, 5]) {
    assert.deepEqual(network.at(id).appliedTexts(), ["a", "b", "c"], `${id}`);
  }
});

Deno.test("learners get all entries and count for nothing", () => {
  const config = { voters: [1, 2], learners: [3] };
  const network = new Network(
    ...[1, 2, 3].map((id) => new Member(id, { config })),
  );
  network.campaign(1);
  network.propose(1, "a");
  assert.deepEqual(network.at(3).appliedTexts(), ["a"]);
  assert.equal(network.at(1).state.membership.progress.get(3)?.match, 2);
  network.isolate(2);
  network.propose(1, "b");
  assert.equal(network.at(3).state.entryLog.lastIndex(), 3);
  assert.deepEqual(network.at(1).appliedTexts(), ["a"], "2 is needed");
});

Deno.test("an old leader's messages change nothing", () => {
  const network = Network.of(3);
  for (const id of [1, 2, 1]) network.campaign(id);
  // What leader 2 of term 2 sent arrives late.
  const stale = {
    from: 2,
    term: 2,
    index: 2,
    logTerm: 2,
    entries: [entryOf(3, 2)],
  };
  network.send(...[1, 3].map((to) => messageOf(MSG_APP, { ...stale, to })));
  network.propose(1, "x");
  for (const id of [1, 2, 3]) {
    assert.deepEqual(termsOf(network.at(id)), [1, 2, 3, 3], `${id}`);
    assert.deepEqual(network.at(id).appliedTexts(), ["x"]);
  }
});

Deno.test("a proposal commits when a majority is there", () => {
  const rows = [
    { count: 1, down: [], commits: true },
    { count: 3, down: [3], commits: true },
    { count: 3, down: [2, 3], commits: false },
    { count: 4, down: [3, 4], commits: false },
    { count: 5, down: [4, 5], commits: true },
    { count: 5, down: [3, 4, 5], commits: false },
  ];
  for (const { count, down, commits } of rows) {
    for (const through of [1, 2]) {
      if (through > count || down.includes(through)) continue;
      const network = Network.of(count);
      network.campaign(1);
      for (const id of down) network.isolate(id);
      assert.equal(network.propose(through, "x"), true);
      const want = commits ? ["x"] : [];
      const shown = JSON.stringify({ count, down, through });
      assert.deepEqual(network.at(1).appliedTexts(), want, shown);
      // Followers hear of the commit with the next message.
      network.ticks(1, 1);
      assert.deepEqual(network.at(through).appliedTexts(), want, shown);
    }
  }
});

Deno.test("a leader with a lease is replaced only after it went silent", () => {
  const network = Network.of(3, { checkQuorum: true });
  network.campaign(1);
  network.ticks(1, 1);
  network.campaign(3);
  assert.equal(network.at(3).state.role, "candidate");
  assert.equal(network.at(1).state.role, "leader", "2 still hears it");
  // 2 hears nothing for a timeout, then helps.
  network.isolate(1);
  network.at(2).state.electionTimeout = 100;
  network.ticks(2, 10);
  network.campaign(3);
  assert.equal(network.at(3).state.role, "leader");
  assert.equal(network.at(2).state.lead, 3);
});

Deno.test("a member that was cut off rejoins without a new term", () => {
  const network = Network.of(3, { preVote: true, checkQuorum: true });
  network.campaign(1);
  network.isolate(3);
  network.ticks(3, 60);
  network.propose(1, "x");
  assert.equal(network.at(3).state.role, "pre-candidate");
  network.heal();
  network.campaign(3);
  network.ticks(1, 2);
  for (const id of [1, 2, 3]) {
    assert.equal(network.at(id).state.term, 1, `${id}`);
    assert.equal(network.at(id).state.lead, 1, `${id}`);
  }
  assert.deepEqual(network.at(3).appliedTexts(), ["x"]);
});

Deno.test("split votes end when one campaigns first", () => {
  const network = Network.of(3, { preVote: true });
  network.campaign(1);
  network.isolate(1);
  // Both see no leader and win their trials at the same time.
  for (const id of [2, 3]) network.at(id).raw.campaign();
  network.settle();
  const roles = [2, 3].map((id) => network.at(id).state.role);
  assert.deepEqual(roles, ["candidate", "candidate"]);
  assert.equal(network.at(2).state.term, network.at(3).state.term);
  network.campaign(2);
  assert.equal(network.at(2).state.role, "leader");
  assert.equal(network.at(3).state.role, "follower");
});

Deno.test("a refusal of a trial with a higher term is taken over", () => {
  const network = Network.of(3, { preVote: true });
  const member = network.at(1);
  member.raw.campaign();
  member.settle();
  const fields = { to: 1, from: 2, term: 5, reject: true };
  member.step(messageOf(MSG_PRE_VOTE_RESP, fields));
  assert.deepEqual([member.state.role, member.state.term], ["follower", 5]);
});

Deno.test("a slow member gets a checkpoint and then the rest", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.isolate(3);
  for (let i = 0; i < 20; i += 1) network.propose(1, `${i}`);
  const { storage, state } = network.at(1);
  const index = state.entryLog.applied;
  const term = state.entryLog.termOrZero(index);
  storage.checkpoint = snapshotOf(index, term, state.membership.config);
  storage.compact(index);
  network.heal();
  network.ticks(1, 1);
  assert.equal(network.at(3).state.entryLog.lastIndex(), index);
  assert.equal(network.at(3).storage.checkpoint.metadata.index, index);
  network.at(1).raw.reportSnapshot(3, { failed: false });
  network.propose(1, "after");
  network.ticks(1, 1);
  assert.deepEqual(network.at(3).appliedTexts(), ["after"]);
  assert.equal(state.membership.progress.get(3)?.state, "replicate");
});

Deno.test("a member that is not in its group ignores a transfer", () => {
  const member = new Member(1, { config: { voters: [2, 3, 4] } });
  member.step(messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: 0 }));
  assert.deepEqual(ofType(member.settle(), MSG_VOTE), []);
  assert.equal(member.state.role, "follower");
});

Deno.test("a transfer hands leadership over with all that was proposed", () => {
  const network = Network.of(3, { checkQuorum: true, preVote: true });
  network.campaign(1);
  network.isolate(3);
  network.propose(1, "x");
  network.heal();
  network.at(1).raw.transferLeader(3);
  network.settle();
  assert.equal(network.at(3).state.role, "leader");
  assert.equal(network.at(1).state.lead, 3);
  assert.deepEqual(network.at(3).appliedTexts(), ["x"]);
  network.at(1).raw.transferLeader(1);
  network.settle();
  assert.equal(network.at(1).state.role, "leader", "asked for by a follower");
});

Deno.test("a transfer that takes too long is given up", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.isolate(3);
  const leader = network.at(1);
  leader.raw.transferLeader(3);
  assert.equal(leader.propose("no"), false);
  network.ticks(1, 9);
  assert.equal(leader.state.leadTransferee, 3);
  network.ticks(1, 1);
  assert.equal(leader.state.leadTransferee, 0);
  assert.equal(leader.state.role, "leader");
  assert.equal(leader.propose("yes"), true);
});

Deno.test("reads are answered at every member, at what was committed", () => {
  const network = Network.of(3);
  network.campaign(1);
  const token = (id: number) => new Uint8Array([id]);
  for (const id of [1, 2, 3]) {
    network.propose(1, `${id}`);
    const { committed } = network.at(1).state.entryLog;
    network.at(id).raw.readIndex(token(id));
    network.settle();
    const { reads } = network.at(id);
    assert.deepEqual(
      reads.map((read) => [read.index, [...read.token]]),
      [[committed, [id]]],
    );
  }
  assert.equal(network.at(1).state.reads.length, 0, "nothing is kept");
  const answers = ofType(network.traffic, MSG_READ_INDEX_RESP);
  assert.deepEqual(answers.map(({ to }) => to), [2, 3]);
});

Deno.test("heartbeats alone keep followers from campaigning", () => {
  const network = Network.of(3);
  network.campaign(1);
  for (let i = 0; i < 30; i += 1) {
    for (const id of [1, 2, 3]) network.ticks(id, 1);
  }
  assert.equal(network.at(1).state.term, 1);
  assert.ok(ofType(network.traffic, MSG_HEARTBEAT).length >= 60);
});
