/* Bugs of other implementations about elections and terms. */
import { strict as assert } from "node:assert";
import { EMPTY_BYTES } from "../../../src/base/bytes.ts";
import {
  CHANGE_ADD_VOTER,
  encodeConfChange,
  TRANSITION_AUTO,
} from "../../../src/raft/conf_change.ts";
import { RaftStateMalformedError } from "../../../src/raft/errors.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  CAMPAIGN_TRANSFER,
  type Message,
  type MessageType,
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_SNAP,
  MSG_TIMEOUT_NOW,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
} from "../../../src/raft/types.ts";
import { MemoryStorage, snapshotOf } from "../../scenario/memory_storage.ts";
import {
  entryOf,
  Member,
  type MemberOptions,
  messageOf,
  Network,
  ofType,
} from "./network.ts";

const TRIO = { voters: [1, 2, 3] };

/** A member of three with entries of these terms, at the last of them. */
function withLog(
  id: number,
  terms: readonly number[],
  options: MemberOptions = {},
): Member {
  const memory = MemoryStorage.from({ confState: { ...NO_CONFIG, ...TRIO } });
  memory.append(terms.map((term, at) => entryOf(at + 1, term)));
  const term = Math.max(0, ...terms);
  memory.hardState = { term, vote: 0, commit: 0 };
  return new Member(id, { memory, ...options });
}

function answers(member: Member, type: MessageType): readonly Message[] {
  return ofType(member.settle(), type);
}

function voteRequest(type: MessageType, fields: Partial<Message>): Message {
  return messageOf(type, { to: 1, from: 2, index: 0, logTerm: 0, ...fields });
}

Deno.test("B1: only entries of the leader's own term commit by being counted", () => {
  const leader = withLog(1, [2, 2]);
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 3 }));
  leader.settle();
  assert.equal(leader.state.role, "leader");
  const ack = { to: 1, from: 2, term: 3 };
  leader.step(messageOf(MSG_APP_RESP, { ...ack, index: 2 }));
  assert.equal(leader.state.entryLog.committed, 0);
  leader.step(messageOf(MSG_APP_RESP, { ...ack, index: 3 }));
  assert.equal(leader.state.entryLog.committed, 3);
});

Deno.test("B2: stepping down within a term keeps the vote", () => {
  const member = new Member(1, { config: TRIO });
  member.raw.campaign();
  member.settle();
  for (const from of [2, 3]) {
    const lost = { to: 1, from, term: 1, reject: true };
    member.step(messageOf(MSG_VOTE_RESP, lost));
  }
  assert.equal(member.state.role, "follower");
  assert.equal(member.state.vote, 1);
  member.step(voteRequest(MSG_VOTE, { term: 1 }));
  assert.equal(answers(member, MSG_VOTE_RESP)[0]?.reject, true);
});

Deno.test("B3: a vote survives a restart in its term", () => {
  const member = new Member(1, { config: TRIO });
  member.step(voteRequest(MSG_VOTE, { term: 4, from: 2 }));
  assert.equal(answers(member, MSG_VOTE_RESP)[0]?.reject, false);
  const again = new Member(1, { memory: member.storage });
  again.step(voteRequest(MSG_VOTE, { term: 4, from: 3 }));
  assert.equal(answers(again, MSG_VOTE_RESP)[0]?.reject, true);
  again.step(voteRequest(MSG_VOTE, { term: 4, from: 2 }));
  assert.equal(answers(again, MSG_VOTE_RESP)[0]?.reject, false);
});

Deno.test("B3: a term below that of the log is refused at the start", () => {
  const memory = MemoryStorage.from({ index: 2, term: 1 });
  memory.append([entryOf(3, 5)]);
  memory.hardState = { term: 4, vote: 0, commit: 2 };
  assert.throws(() => new Member(1, { memory }), RaftStateMalformedError);
});

Deno.test("B5: a granted pre-vote names the term that was asked for", () => {
  const member = new Member(1, { config: TRIO, preVote: true });
  member.step(voteRequest(MSG_PRE_VOTE, { term: 9 }));
  const [answer] = answers(member, MSG_PRE_VOTE_RESP);
  assert.deepEqual([answer?.term, answer?.reject], [9, false]);
  assert.deepEqual([member.state.term, member.state.vote], [0, 0]);
});

Deno.test("B6: a pre-vote of an older term gets a refusal with our term", () => {
  const member = withLog(1, [5], { preVote: true });
  member.step(voteRequest(MSG_PRE_VOTE, { term: 3 }));
  const [answer] = answers(member, MSG_PRE_VOTE_RESP);
  assert.deepEqual([answer?.term, answer?.reject], [5, true]);
});

for (const type of [MSG_HEARTBEAT, MSG_APP]) {
  Deno.test(`B6: a leader of an older term learns ours from type ${type}`, () => {
    for (const option of ["preVote", "checkQuorum"]) {
      const member = withLog(1, [5], { [option]: true });
      member.step(messageOf(type, { to: 1, from: 2, term: 3 }));
      assert.equal(answers(member, MSG_APP_RESP)[0]?.term, 5);
    }
    const plain = withLog(1, [5]);
    plain.step(messageOf(type, { to: 1, from: 2, term: 3 }));
    assert.deepEqual(plain.settle(), []);
  });
}

Deno.test("B6 B7: a mixed group with a longer log in an older term gets a leader", () => {
  const network = new Network(
    withLog(1, [1, 1, 1], { preVote: true }),
    withLog(2, [1, 4], { preVote: true }),
    withLog(3, [1, 1], { preVote: true }),
  );
  network.campaign(1);
  network.campaign(2);
  assert.equal(network.at(2).state.role, "leader");
  for (const member of network.members.values()) {
    assert.equal(member.state.term, network.at(2).state.term);
    assert.equal(member.state.lead, 2);
  }
});

Deno.test("B7: a refused pre-candidate learns the higher term", () => {
  const member = withLog(1, [1], { preVote: true });
  member.raw.campaign();
  member.settle();
  const refusal = { to: 1, from: 2, term: 6, reject: true };
  member.step(messageOf(MSG_PRE_VOTE_RESP, refusal));
  assert.deepEqual([member.state.role, member.state.term], ["follower", 6]);
});

Deno.test("B8: a late pre-vote answer is no vote", () => {
  const member = new Member(1, {
    config: { voters: [1, 2, 3, 4, 5] },
    preVote: true,
  });
  member.raw.campaign();
  member.settle();
  const trial = (from: number) =>
    messageOf(MSG_PRE_VOTE_RESP, { to: 1, from, term: 1 });
  member.step(trial(2));
  member.step(trial(3));
  assert.equal(member.state.role, "candidate");
  member.settle();
  member.step(trial(4));
  member.step(trial(5));
  assert.equal(member.state.role, "candidate");
  assert.deepEqual([...member.state.votes.keys()], [1]);
});

Deno.test("B9: a second pre-campaign starts to count anew and knows no leader", () => {
  const config = { voters: [1, 2, 3, 4, 5] };
  const member = new Member(1, { config, preVote: true });
  member.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 5, term: 1 }));
  member.raw.campaign();
  member.settle();
  assert.equal(member.state.lead, 0);
  member.step(messageOf(MSG_PRE_VOTE_RESP, { to: 1, from: 2, term: 2 }));
  member.raw.campaign();
  member.settle();
  assert.deepEqual([...member.state.votes.keys()], [1]);
  member.step(messageOf(MSG_PRE_VOTE_RESP, { to: 1, from: 3, term: 2 }));
  assert.equal(member.state.role, "pre-candidate");
});

Deno.test("B10: learners vote and never campaign", () => {
  const config = { voters: [2, 3], learners: [1] };
  const member = new Member(1, { config });
  member.step(voteRequest(MSG_VOTE, { term: 1 }));
  assert.equal(answers(member, MSG_VOTE_RESP)[0]?.reject, false);
  member.raw.campaign();
  assert.equal(member.state.role, "follower");
  member.step(messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: 1 }));
  member.ticks(40);
  assert.deepEqual([member.state.role, member.state.term], ["follower", 1]);
});

const CAMPAIGNS: [name: string, start: (member: Member) => void][] = [
  ["a timeout", (member) => member.ticks(10)],
  ["a call", (member) => member.raw.campaign()],
  [
    "a transfer",
    (member) =>
      member.step(messageOf(MSG_TIMEOUT_NOW, { to: 1, from: 2, term: 1 })),
  ],
];

for (const [name, start] of CAMPAIGNS) {
  for (const type of [ENTRY_CONF_CHANGE_V1, ENTRY_CONF_CHANGE_V2] as const) {
    for (const preVote of [true, false]) {
      Deno.test(`B11: ${name} starts no campaign before a change of type ${type} is applied, pre-vote ${preVote}`, () => {
        const entry: Entry = {
          type,
          term: 1,
          index: 1,
          data: encodeConfChange({
            transition: TRANSITION_AUTO,
            changes: [{ type: CHANGE_ADD_VOTER, id: 4 }],
            context: EMPTY_BYTES,
          }),
        };
        const member = new Member(1, { config: TRIO, preVote });
        const entries = [entry, entryOf(2, 1)];
        const fields = { to: 1, from: 2, term: 1, entries, commit: 2 };
        member.step(messageOf(MSG_APP, fields));
        start(member);
        assert.equal(member.state.role, "follower");
        member.settle();
        start(member);
        assert.notEqual(member.state.role, "follower");
      });
    }
  }
}

Deno.test("B12: a member with a pending checkpoint does not campaign", () => {
  const member = new Member(1, { config: TRIO });
  const confState = { ...NO_CONFIG, ...TRIO };
  const snapshot = snapshotOf(5, 1, confState);
  member.step(messageOf(MSG_SNAP, { to: 1, from: 2, term: 1, snapshot }));
  member.raw.campaign();
  member.ticks(30);
  assert.equal(member.state.role, "follower");
  member.settle();
  member.raw.campaign();
  assert.equal(member.state.role, "candidate");
});

Deno.test("B13: a member that was cut off does not move the term", () => {
  const network = Network.of(3, { preVote: true, checkQuorum: true });
  network.campaign(1);
  network.isolate(3);
  const { term } = network.at(1).state;
  network.ticks(3, 60);
  assert.equal(network.at(3).state.term, term);
  network.heal();
  network.ticks(1, 1);
  network.ticks(3, 9);
  network.ticks(1, 1);
  assert.deepEqual([network.at(1).state.role, network.at(1).state.term], [
    "leader",
    term,
  ]);
  assert.equal(network.at(3).state.lead, 1);
});

Deno.test("B14: a leader that hears nobody steps down within two timeouts", () => {
  const network = Network.of(3, { checkQuorum: true });
  network.campaign(1);
  const leader = network.at(1);
  for (const type of [MSG_APP_RESP, MSG_HEARTBEAT_RESP]) network.drop(type);
  network.ticks(1, 19);
  network.ticks(1, 1);
  assert.equal(leader.state.role, "follower");
});

Deno.test("B14: learners that answer are no quorum", () => {
  const config = { voters: [1, 2, 3], learners: [4, 5] };
  const ids = [1, 2, 3, 4, 5];
  const network = new Network(
    ...ids.map((id) => new Member(id, { config, checkQuorum: true })),
  );
  network.campaign(1);
  network.isolate(2);
  network.isolate(3);
  network.ticks(1, 20);
  assert.equal(network.at(1).state.role, "follower");
});

Deno.test("B15: granting a vote puts off an own campaign, a pre-vote does not", () => {
  for (const type of [MSG_VOTE, MSG_PRE_VOTE]) {
    const member = new Member(1, { config: TRIO });
    member.ticks(9);
    const term = type === MSG_VOTE ? 0 : 1;
    member.state.term = term;
    member.step(voteRequest(type, { term: 1 + term }));
    const expected = type === MSG_VOTE ? 0 : 9;
    assert.equal(member.state.electionElapsed, expected);
  }
  const same = new Member(1, { config: TRIO });
  same.state.term = 1;
  same.ticks(9);
  same.step(voteRequest(MSG_VOTE, { term: 1 }));
  assert.equal(same.state.electionElapsed, 0);
});

Deno.test("B16: a transfer overrides the lease, nothing else does", () => {
  for (const context of [CAMPAIGN_TRANSFER, new Uint8Array([1])]) {
    for (const type of [MSG_VOTE, MSG_PRE_VOTE]) {
      const member = new Member(1, { config: TRIO, checkQuorum: true });
      member.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 3, term: 1 }));
      member.settle();
      member.step(voteRequest(type, { term: 2, context }));
      const answered = member.settle().length > 0;
      assert.equal(answered, context === CAMPAIGN_TRANSFER);
    }
  }
});

Deno.test("B16: the lease ends after an election timeout without the leader", () => {
  const member = new Member(1, { config: TRIO, checkQuorum: true });
  member.state.electionTimeout = 19;
  member.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 3, term: 1 }));
  member.state.electionTimeout = 19;
  member.settle();
  member.ticks(9);
  member.step(voteRequest(MSG_VOTE, { term: 2 }));
  assert.deepEqual(member.settle(), []);
  member.ticks(1);
  member.step(voteRequest(MSG_VOTE, { term: 2 }));
  assert.equal(answers(member, MSG_VOTE_RESP)[0]?.reject, false);
});

Deno.test("a voter that knows its leader refuses others in that term", () => {
  const member = new Member(1, { config: TRIO });
  member.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 3, term: 2 }));
  member.settle();
  member.step(voteRequest(MSG_VOTE, { term: 2 }));
  assert.equal(answers(member, MSG_VOTE_RESP)[0]?.reject, true);
});

Deno.test("a vote needs a log that is at least as new", () => {
  const cases: [index: number, logTerm: number, granted: boolean][] = [
    [3, 2, true],
    [2, 2, false],
    [9, 1, false],
    [1, 3, true],
  ];
  for (const [index, logTerm, granted] of cases) {
    const member = withLog(1, [1, 2, 2]);
    member.step(voteRequest(MSG_VOTE, { term: 4, index, logTerm }));
    const [answer] = answers(member, MSG_VOTE_RESP);
    assert.equal(answer?.reject, !granted, `${logTerm}/${index}`);
  }
});

Deno.test("only a leader's message of a higher term names the leader", () => {
  const confState = { ...NO_CONFIG, ...TRIO };
  const snapshot = snapshotOf(5, 1, confState);
  const cases: [MessageType, number][] = [
    [MSG_APP, 2],
    [MSG_HEARTBEAT, 2],
    [MSG_SNAP, 2],
    [MSG_APP_RESP, 0],
    [MSG_VOTE, 0],
  ];
  for (const [type, lead] of cases) {
    const member = new Member(1, { config: TRIO });
    const fields = { to: 1, from: 2, term: 7, snapshot, index: 0 };
    member.step(messageOf(type, fields));
    assert.deepEqual([member.state.term, member.state.lead], [7, lead]);
  }
});
