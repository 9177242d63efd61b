/* Bugs of other implementations about reads and transfer. */
import { strict as assert } from "node:assert";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  MSG_APP,
  MSG_APP_RESP,
  MSG_HEARTBEAT,
  MSG_HEARTBEAT_RESP,
  MSG_READ_INDEX,
  MSG_READ_INDEX_RESP,
  MSG_TIMEOUT_NOW,
  MSG_TRANSFER_LEADER,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import {
  Member,
  type MemberOptions,
  messageOf,
  Network,
  ofType,
} from "./network.ts";

const TRIO = { voters: [1, 2, 3] };
const TOKEN = utf8("token");

/** A leader of three in term 1 with its first entry not yet committed. */
function freshLeader(options: MemberOptions = {}): Member {
  const leader = new Member(1, { config: TRIO, ...options });
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 1 }));
  leader.settle();
  return leader;
}

function ack(from: number, index: number) {
  return messageOf(MSG_APP_RESP, { to: 1, from, term: 1, index });
}

/** The answer of `from` to the newest heartbeat in `sent`. */
function echo(sent: ReturnType<Member["settle"]>, from: number) {
  const beat = ofType(sent, MSG_HEARTBEAT).findLast(({ to }) => to === from);
  const context = beat?.context ?? new Uint8Array();
  return messageOf(MSG_HEARTBEAT_RESP, { to: 1, from, term: 1, context });
}

Deno.test("B59: a new leader answers reads after the first commit in its term", () => {
  const leader = freshLeader();
  leader.raw.readIndex(TOKEN);
  assert.equal(ofType(leader.settle(), MSG_HEARTBEAT).length, 0);
  leader.step(ack(2, 1));
  const sent = leader.settle();
  assert.deepEqual(leader.reads, []);
  leader.step(echo(sent, 2));
  leader.settle();
  assert.deepEqual(leader.reads, [{ index: 1, token: TOKEN }]);
});

Deno.test("B61: a token that is used twice confirms nothing early", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.settle();
  leader.raw.readIndex(TOKEN);
  const first = leader.settle();
  leader.propose("between");
  leader.settle();
  leader.step(ack(2, 2));
  leader.settle();
  leader.raw.readIndex(TOKEN);
  leader.settle();
  // Only the first heartbeat is answered: the second read stays unconfirmed.
  leader.step(echo(first, 3));
  leader.settle();
  assert.deepEqual(leader.reads, [{ index: 1, token: TOKEN }]);
});

Deno.test("B61: answers to an older leadership confirm nothing", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.settle();
  leader.raw.readIndex(TOKEN);
  const old = leader.settle();
  leader.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 2 }));
  leader.settle();
  leader.raw.campaign();
  leader.settle();
  leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from: 2, term: 3 }));
  leader.settle();
  const fields = { to: 1, from: 2, term: 3, index: 2 };
  leader.step(messageOf(MSG_APP_RESP, fields));
  leader.settle();
  leader.raw.readIndex(TOKEN);
  leader.settle();
  leader.step(echo(old, 2));
  leader.settle();
  assert.deepEqual(leader.reads, []);
});

Deno.test("reads need a quorum of both halves, in the order they came", () => {
  const config = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
  const leader = new Member(1, { config });
  leader.raw.campaign();
  leader.settle();
  for (const from of [2, 4]) {
    leader.step(messageOf(MSG_VOTE_RESP, { to: 1, from, term: 1 }));
  }
  leader.settle();
  for (const from of [2, 4]) leader.step(ack(from, 1));
  leader.settle();
  leader.raw.readIndex(utf8("a"));
  leader.raw.readIndex(utf8("b"));
  const sent = leader.settle();
  leader.step(echo(sent, 2));
  leader.step(echo(sent, 3));
  leader.settle();
  assert.deepEqual(leader.reads, []);
  leader.step(echo(sent, 5));
  leader.settle();
  assert.deepEqual(leader.reads.map(({ token }) => token), [
    utf8("a"),
    utf8("b"),
  ]);
});

Deno.test("a lost round of heartbeats is made up for by the next one", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.settle();
  leader.raw.readIndex(TOKEN);
  leader.settle();
  leader.raw.tick();
  leader.step(echo(leader.settle(), 3));
  leader.settle();
  assert.equal(leader.reads.length, 1);
});

Deno.test("B62: a follower passes reads on and never answers them itself", () => {
  const network = Network.of(3);
  const follower = network.at(2);
  follower.raw.readIndex(TOKEN);
  network.settle();
  assert.deepEqual(follower.reads, []);
  network.campaign(1);
  follower.raw.readIndex(TOKEN);
  network.settle();
  assert.deepEqual(follower.reads, [{ index: 1, token: TOKEN }]);
  network.drop(MSG_READ_INDEX_RESP);
  follower.raw.readIndex(utf8("lost"));
  network.settle();
  assert.equal(follower.reads.length, 1);
  assert.equal(ofType(network.traffic, MSG_READ_INDEX)[0]?.term, 0);
});

Deno.test("B63: lease reads are answered at once, after a commit in the term", () => {
  const leader = freshLeader({ leaseReads: true, checkQuorum: true });
  leader.raw.readIndex(TOKEN);
  leader.settle();
  assert.deepEqual(leader.reads, []);
  leader.step(ack(2, 1));
  leader.settle();
  assert.equal(leader.reads.length, 1);
  assert.equal(ofType(leader.settle(), MSG_HEARTBEAT).length, 0);
});

Deno.test("B64: a deposed leader answers no read", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.isolate(1);
  network.campaign(2);
  network.propose(2, "new");
  network.at(1).raw.readIndex(TOKEN);
  network.settle();
  network.heal();
  network.ticks(2, 1);
  assert.deepEqual(network.at(1).reads, []);
});

Deno.test("B65: proposals are refused while leadership is handed over", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.raw.transferLeader(3);
  assert.equal(leader.state.leadTransferee, 3);
  assert.equal(leader.propose("too late"), false);
  leader.ticks(9);
  assert.equal(leader.propose("too late"), false);
  leader.ticks(1);
  assert.equal(leader.propose("in time"), true);
});

Deno.test("B66: a transfer does not outlive its leadership", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.raw.transferLeader(3);
  leader.step(messageOf(MSG_HEARTBEAT, { to: 1, from: 2, term: 2 }));
  assert.equal(leader.state.leadTransferee, 0);
});

Deno.test("B65: the target campaigns only when it has everything", () => {
  const leader = freshLeader();
  leader.step(ack(2, 1));
  leader.settle();
  leader.raw.transferLeader(3);
  const sent = leader.settle();
  assert.equal(ofType(sent, MSG_TIMEOUT_NOW).length, 0);
  leader.step(ack(3, 0));
  assert.equal(ofType(leader.settle(), MSG_TIMEOUT_NOW).length, 0);
  leader.step(ack(3, 1));
  const [now] = ofType(leader.settle(), MSG_TIMEOUT_NOW);
  assert.deepEqual([now?.to, now?.term], [3, 1]);
});

for (const options of [{}, { preVote: true, checkQuorum: true }]) {
  Deno.test(`B67: a transfer needs no pre-vote and no lease to end: ${JSON.stringify(options)}`, () => {
    const network = Network.of(3, options);
    network.campaign(1);
    network.at(1).raw.transferLeader(3);
    network.settle();
    assert.equal(network.at(3).state.role, "leader");
    assert.equal(network.at(1).state.lead, 3);
    assert.equal(network.at(1).state.term, 2);
  });
}

Deno.test("B68: a transfer to a learner, to itself or to a stranger is ignored", () => {
  const config = { voters: [1, 2], learners: [3] };
  const network = new Network(
    ...[1, 2, 3].map((id) => new Member(id, { config })),
  );
  network.campaign(1);
  for (const target of [3, 1, 9]) {
    network.at(1).raw.transferLeader(target);
    network.settle();
    assert.equal(network.at(1).state.leadTransferee, 0);
    assert.equal(network.at(1).state.role, "leader");
  }
});

Deno.test("a transfer to another target replaces the first, to itself ends it", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.drop(MSG_TIMEOUT_NOW);
  const leader = network.at(1);
  leader.raw.transferLeader(2);
  leader.raw.tick();
  const { electionElapsed } = leader.state;
  leader.raw.transferLeader(2);
  assert.equal(leader.state.electionElapsed, electionElapsed);
  leader.raw.transferLeader(3);
  assert.equal(leader.state.leadTransferee, 3);
  assert.equal(leader.state.electionElapsed, 0);
  leader.raw.transferLeader(1);
  assert.equal(leader.state.leadTransferee, 0);
});

Deno.test("a follower passes a transfer on to its leader", () => {
  const network = Network.of(3);
  network.campaign(1);
  network.at(2).raw.transferLeader(3);
  network.settle();
  assert.equal(network.at(3).state.role, "leader");
  const [sent] = ofType(network.traffic, MSG_TRANSFER_LEADER);
  assert.deepEqual([sent?.from, sent?.to, sent?.term], [3, 1, 1]);
  assert.ok(ofType(network.traffic, MSG_APP).length > 0);
});
