import { strict as assert } from "node:assert";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import type { Term } from "../../../src/raft/types.ts";
import { entriesOf, MemoryStorage } from "../../scenario/memory_storage.ts";
import { Member, messageOf, Network, ofType } from "./network.ts";

/** A stable log of voters 1 to `count` with these terms. */
function memoryOf(count: number, ...terms: readonly Term[]): MemoryStorage {
  const voters = Array.from({ length: count }, (_, nth) => nth + 1);
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, voters } });
  memory.append(entriesOf(1, ...terms));
  memory.hardState = { term: terms.at(-1) ?? 0, vote: 0, commit: 0 };
  return memory;
}

Deno.test("onVoteRequest() grants by log, vote and leader", () => {
  // The voter holds entries of terms 2 2 and is at term 3.
  const rows = [
    // Its log is newer.
    { index: 0, logTerm: 0, vote: 0, lead: 0, granted: false },
    { index: 1, logTerm: 2, vote: 0, lead: 0, granted: false },
    { index: 3, logTerm: 1, vote: 0, lead: 0, granted: false },
    { index: 9, logTerm: 1, vote: 2, lead: 0, granted: false },
    // The candidate's log is as new.
    { index: 2, logTerm: 2, vote: 0, lead: 0, granted: true },
    { index: 3, logTerm: 2, vote: 0, lead: 0, granted: true },
    { index: 1, logTerm: 3, vote: 0, lead: 0, granted: true },
    // The vote was given away, or to this very candidate.
    { index: 3, logTerm: 3, vote: 3, lead: 0, granted: false },
    { index: 3, logTerm: 3, vote: 2, lead: 0, granted: true },
    // There is a leader in this term.
    { index: 3, logTerm: 3, vote: 0, lead: 3, granted: false },
    { index: 3, logTerm: 3, vote: 2, lead: 3, granted: true },
  ];
  for (const { index, logTerm, vote, lead, granted } of rows) {
    const memory = memoryOf(3, 2, 2);
    memory.hardState = { term: 3, vote, commit: 0 };
    const member = new Member(1, { memory });
    member.state.lead = lead;
    member.state.electionElapsed = 5;
    member.step(
      messageOf(MSG_VOTE, { to: 1, from: 2, term: 3, index, logTerm }),
    );
    const [answer] = ofType(member.settle(), MSG_VOTE_RESP);
    const shown = JSON.stringify({ index, logTerm, vote, lead });
    assert.equal(answer?.reject, !granted, shown);
    assert.equal(answer?.term, 3, shown);
    assert.equal(member.state.vote, granted ? 2 : vote, shown);
    assert.equal(member.state.electionElapsed, granted ? 0 : 5, shown);
    assert.equal(memory.hardState.vote, granted ? 2 : vote, "durable");
  }
});

Deno.test("onVoteRequest() answers a trial without a trace", () => {
  const memory = memoryOf(3, 1);
  memory.hardState = { term: 1, vote: 3, commit: 0 };
  const member = new Member(1, { memory });
  member.state.lead = 3;
  member.state.electionElapsed = 5;
  const trial = { to: 1, from: 2, index: 1, logTerm: 1 };
  member.step(messageOf(MSG_PRE_VOTE, { ...trial, term: 2 }));
  const [answer] = ofType(member.settle(), MSG_PRE_VOTE_RESP);
  assert.deepEqual([answer?.reject, answer?.term], [false, 2]);
  const { term, vote, lead, electionElapsed } = member.state;
  assert.deepEqual([term, vote, lead, electionElapsed], [1, 3, 3, 5]);

  member.step(messageOf(MSG_PRE_VOTE, { ...trial, index: 0, term: 2 }));
  const [refusal] = ofType(member.settle(), MSG_PRE_VOTE_RESP);
  assert.deepEqual([refusal?.reject, refusal?.term], [true, 1]);
});

Deno.test("onVoteRequest() of any role is answered at a higher term", () => {
  for (const type of [MSG_VOTE, MSG_PRE_VOTE]) {
    for (const role of ["follower", "pre-candidate", "candidate", "leader"]) {
      const preVote = role === "pre-candidate";
      const member = new Member(1, { config: { voters: [1, 2, 3] }, preVote });
      if (role !== "follower") member.raw.campaign();
      member.settle();
      if (role === "leader") {
        member.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
      }
      member.settle();
      assert.equal(member.state.role, role);
      const term = member.state.term + 1;
      const fields = { to: 1, from: 3, term, logTerm: term, index: 42 };
      member.step(messageOf(type, fields));
      const answers = ofType(
        member.settle(),
        type === MSG_VOTE ? MSG_VOTE_RESP : MSG_PRE_VOTE_RESP,
      ).filter(({ to }) => to === 3);
      assert.equal(answers[0]?.reject, false, role);
      assert.equal(member.state.role, type === MSG_VOTE ? "follower" : role);
      assert.equal(
        member.state.vote,
        type === MSG_VOTE ? 3 : member.state.vote,
      );
      assert.equal(member.state.term, type === MSG_VOTE ? term : term - 1);
    }
  }
});

Deno.test("campaign() wins, loses or waits by the answers", () => {
  const rows = [
    { count: 1, answers: "", role: "leader" },
    { count: 3, answers: "y_", role: "leader" },
    { count: 3, answers: "yy", role: "leader" },
    { count: 3, answers: "n_", role: "candidate" },
    { count: 3, answers: "nn", role: "follower" },
    { count: 5, answers: "yy__", role: "leader" },
    { count: 5, answers: "ynn_", role: "candidate" },
    { count: 5, answers: "ynnn", role: "follower" },
    { count: 5, answers: "nny_", role: "candidate" },
    { count: 4, answers: "ny_", role: "candidate" },
    { count: 4, answers: "nyy", role: "leader" },
    { count: 4, answers: "nny", role: "follower" },
  ];
  for (const { count, answers, role } of rows) {
    const voters = Array.from({ length: count }, (_, nth) => nth + 1);
    const member = new Member(1, { config: { voters } });
    member.raw.campaign();
    member.settle();
    for (const [nth, answer] of [...answers].entries()) {
      if (answer === "_") continue;
      const reject = answer === "n";
      const fields = { to: 1, from: nth + 2, term: 1, reject };
      member.step(messageOf(MSG_VOTE_RESP, fields));
      member.settle();
    }
    assert.equal(member.state.role, role, `${count} ${answers}`);
    assert.equal(member.state.term, 1);
  }
});

Deno.test("campaign() asks both halves once, with its last entry", () => {
  for (const preVote of [true, false]) {
    const config = { voters: [1, 3], votersOutgoing: [1, 2, 3], learners: [4] };
    const memory = MemoryStorage.from({
      confState: { ...NO_CONFIG, ...config },
    });
    memory.append(entriesOf(1, 1, 2));
    memory.hardState = { term: 2, vote: 0, commit: 0 };
    const member = new Member(1, { memory, preVote });
    member.raw.campaign();
    const sent = member.settle();
    assert.deepEqual(
      sent.map(({ type, to, term, index, logTerm }) => [
        type,
        to,
        term,
        index,
        logTerm,
      ]),
      [2, 3].map((to) => [preVote ? MSG_PRE_VOTE : MSG_VOTE, to, 3, 2, 2]),
    );
    assert.equal(member.state.term, preVote ? 2 : 3);
  }
});

Deno.test("hup() needs a member that may campaign", () => {
  const cases = [
    { id: 1, config: { voters: [1, 2] }, campaigns: true },
    { id: 1, config: { voters: [2, 3] }, campaigns: false },
    { id: 1, config: { voters: [2], learners: [1] }, campaigns: false },
    {
      id: 1,
      config: { voters: [2], votersOutgoing: [1, 2], learnersNext: [1] },
      campaigns: true,
    },
  ];
  for (const { id, config, campaigns } of cases) {
    const member = new Member(id, { config });
    member.ticks(25);
    assert.equal(member.state.term > 0, campaigns, JSON.stringify(config));
  }
});

Deno.test("hup() does nothing at a leader", () => {
  const network = Network.of(3);
  network.campaign(1);
  const { term } = network.at(1).state;
  network.campaign(1);
  assert.equal(network.at(1).state.term, term);
  assert.equal(network.at(1).state.role, "leader");
});

// The answer of the disk to a campaign that is over must not count later.
Deno.test("campaign() does not count its own vote after it lost", () => {
  for (const preVote of [false, true]) {
    const member = new Member(1, {
      config: { voters: [1, 2, 3] },
      preVote,
      asyncStorage: true,
    });
    member.raw.campaign();
    const ready = member.raw.ready();
    const own = ready.messages
      .flatMap(({ responses }) => responses)
      .filter(({ to, from }) => to === 1 && from === 1);
    assert.equal(own.length, 1);
    // A leader appears before the disk answers.
    const term = member.state.term || 1;
    member.step(messageOf(MSG_APP, { to: 1, from: 2, term }));
    for (const message of own) member.step(message);
    assert.equal(member.state.role, "follower");
    assert.equal(member.state.votes.get(1), undefined);
  }
});

Deno.test("campaign() in earnest does not count the vote for the trial", () => {
  const member = new Member(1, {
    config: { voters: [1, 2, 3] },
    preVote: true,
    asyncStorage: true,
  });
  member.raw.campaign();
  const own = member.raw.ready().messages
    .flatMap(({ responses }) => responses)
    .filter(({ to, from }) => to === 1 && from === 1);
  for (const from of [2, 3]) {
    member.step(messageOf(MSG_PRE_VOTE_RESP, { to: 1, from, term: 1 }));
  }
  assert.equal(member.state.role, "candidate");
  for (const message of own) member.step(message);
  assert.equal(member.state.votes.size, 0);
  member.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  assert.equal(member.state.role, "candidate", "one answer is no majority");
});

Deno.test("countVote() takes the first answer of each member", () => {
  const member = new Member(1, { config: { voters: [1, 2, 3, 4, 5] } });
  member.raw.campaign();
  member.settle();
  const answer = (from: number, reject: boolean) => {
    member.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term: 1, reject }));
  };
  answer(2, true);
  answer(2, false);
  answer(3, false);
  answer(3, false);
  assert.equal(member.state.role, "candidate");
  answer(4, false);
  assert.equal(member.state.role, "leader");
});

Deno.test("two candidates at once leave one leader, the other follows", () => {
  for (const preVote of [false, true]) {
    const network = Network.of(3, { preVote });
    network.cut(1, 3);
    network.campaign(1);
    network.campaign(3);
    assert.equal(network.at(1).state.role, "leader");
    assert.equal(
      network.at(3).state.role,
      preVote ? "follower" : "candidate",
    );
    network.heal();
    network.campaign(3);
    const roles = [1, 2, 3].map((id) => network.at(id).state.role);
    // Its log is older, so it cannot win, but in earnest it moves the term.
    assert.deepEqual(
      roles,
      preVote
        ? ["leader", "follower", "follower"]
        : ["follower", "follower", "follower"],
    );
    assert.equal(network.at(2).state.term, preVote ? 1 : 2);
    network.campaign(1);
    network.ticks(1, 1);
    assert.equal(network.at(1).state.role, "leader");
    assert.equal(network.at(3).state.lead, 1);
    assert.equal(network.at(3).state.entryLog.lastIndex() > 0, true);
  }
});

Deno.test("a candidate of an older term concedes to the leader", () => {
  const network = Network.of(3);
  network.isolate(1);
  network.campaign(1);
  network.campaign(3);
  network.heal();
  network.ticks(3, 1);
  network.propose(3, "x");
  const { role, term, lead } = network.at(1).state;
  assert.deepEqual([role, term, lead], ["follower", 1, 3]);
  assert.deepEqual(network.at(1).appliedTexts(), ["x"]);
});

// A member behind a partition comes back with a higher term and an old log.
Deno.test("a member whose term ran ahead is freed by the leader's step-down", () => {
  const network = Network.of(3, { checkQuorum: true });
  network.campaign(1);
  network.isolate(3);
  network.campaign(3);
  network.campaign(3);
  const ahead = network.at(3).state.term;
  assert.equal(network.at(3).state.role, "candidate");
  network.heal();
  network.campaign(3);
  assert.equal(network.at(2).state.role, "follower");
  assert.equal(network.at(2).state.term, 1, "in lease: the request is ignored");
  // The leader's next message is answered with the higher term.
  network.ticks(1, 1);
  assert.equal(network.at(1).state.role, "follower");
  assert.ok(network.at(1).state.term > ahead);
  network.campaign(1);
  assert.equal(network.at(3).state.lead, 1);
});

Deno.test("an answer of a newer term makes a leader follow", () => {
  const network = Network.of(3);
  network.campaign(1);
  const leader = network.at(1);
  leader.step(messageOf(MSG_APP_RESP, { to: 1, from: 3, term: 9 }));
  assert.deepEqual(
    [leader.state.role, leader.state.term, leader.state.lead],
    ["follower", 9, 0],
  );
});
