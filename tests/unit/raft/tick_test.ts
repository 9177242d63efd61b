import { strict as assert } from "node:assert";
import { MSG_HEARTBEAT } from "../../../src/raft/message.ts";
import { Member, Network, ofType } from "./network.ts";

const TRIO = { voters: [1, 2, 3] };

Deno.test("tick() campaigns when the drawn timeout is over, not before", () => {
  for (const drawn of [0, 4, 9]) {
    const member = new Member(1, { config: TRIO, randomTicks: () => drawn });
    member.ticks(9 + drawn);
    assert.equal(member.state.role, "follower");
    member.ticks(1);
    assert.equal(member.state.role, "candidate");
  }
});

Deno.test("tick() draws a new timeout for each campaign", () => {
  const draws = [0, 3, 7];
  const member = new Member(1, {
    config: TRIO,
    randomTicks: () => draws.shift() ?? 0,
  });
  member.ticks(10);
  assert.deepEqual([member.state.term, member.state.electionTimeout], [1, 13]);
  member.ticks(12);
  assert.equal(member.state.term, 1);
  member.ticks(1);
  assert.deepEqual([member.state.term, member.state.electionTimeout], [2, 17]);
});

Deno.test("tick() sends heartbeats at their own pace", () => {
  const network = Network.of(3, { heartbeatTicks: 3 });
  network.campaign(1);
  const before = ofType(network.traffic, MSG_HEARTBEAT).length;
  network.ticks(1, 2);
  assert.equal(ofType(network.traffic, MSG_HEARTBEAT).length, before);
  network.ticks(1, 1);
  assert.equal(ofType(network.traffic, MSG_HEARTBEAT).length, before + 2);
});

Deno.test("tick() checks the quorum only if told so", () => {
  for (const checkQuorum of [true, false]) {
    const network = Network.of(3, { checkQuorum });
    network.campaign(1);
    network.isolate(1);
    network.ticks(1, 20);
    const { role } = network.at(1).state;
    assert.equal(role, checkQuorum ? "follower" : "leader");
  }
});

Deno.test("tick() keeps a leader that hears a majority", () => {
  const network = Network.of(3, { checkQuorum: true });
  network.campaign(1);
  network.cut(1, 3);
  network.ticks(1, 50);
  assert.equal(network.at(1).state.role, "leader");
});

Deno.test("tick() does not let members campaign that must not", () => {
  const learner = new Member(1, { config: { voters: [2], learners: [1] } });
  const stranger = new Member(1, { config: { voters: [2] } });
  for (const member of [learner, stranger]) {
    member.ticks(50);
    assert.deepEqual([member.state.role, member.state.term], ["follower", 0]);
  }
});
