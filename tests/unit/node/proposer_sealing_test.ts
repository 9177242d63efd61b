import assert from "node:assert/strict";
import { encodeClock, encodeClusterInit } from "../../../src/fsm/payload.ts";
import { UNPERSISTED_PROPOSALS_MAX } from "../../../src/node/limits.ts";
import { settle } from "../../sim/io/clock.ts";

import { ANNOUNCEMENT, Bench, registrationOf } from "./proposer_bench.ts";

/** Everything that a leader makes entries of, once. */
function askAll(bench: Bench): void {
  bench.announcement = ANNOUNCEMENT;
  bench.registration = registrationOf("n1");
  bench.proposer.wantClock(5_000);
  bench.write("a");
  assert.equal(bench.ask(), null, "it waits");
  assert.equal(bench.ask(), null, "it is in line already");
  assert.ok(bench.proposer.propose(7, encodeClock(6_000)));
  bench.clock.advance(2_000);
  bench.proposer.run();
}

const ALL = [
  ...["batch 900", "clock 7", "clock 0", "announcement 0"],
  ...["encryption 0", "batch 100"],
].sort();

function kindsOf(bench: Bench): readonly string[] {
  return bench.log().map(({ id, payload }) => `${payload.kind} ${id}`).sort();
}

Deno.test("Proposer makes no entry through a closed gate, and all of them behind it", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.gate.close(0);
  askAll(bench);
  assert.deepEqual([bench.log(), bench.packets], [[], []]);
  assert.equal(bench.proposals.waitingCount, 1, "not in a proposal yet");
  bench.gate.open();
  bench.proposer.run();
  assert.deepEqual(kindsOf(bench), ALL);
  assert.deepEqual(bench.verdicts(), ["1 taken"]);
});

Deno.test("Proposer of a new leader makes no entry before it has applied its first", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.appliedTerm = bench.term - 1;
  bench.init = encodeClusterInit(new Uint8Array(16).fill(1), "c", []);
  askAll(bench);
  assert.deepEqual([bench.log(), bench.packets], [[], []]);
  bench.appliedTerm = null;
  bench.proposer.run();
  assert.deepEqual(kindsOf(bench), [...ALL, "cluster-init 0"].sort());
});

Deno.test("Proposer answers a forward when it is sealed and in the log, not before", async () => {
  const bench = new Bench(1);
  bench.elect();
  bench.keyId = 9;
  assert.equal(bench.ask(), null);
  assert.equal(bench.ask(), null);
  assert.equal(bench.ask({ sequence: 2 }), null);
  const [first, second] = bench.seals;
  second!.end(second!.payload);
  await settle();
  bench.proposer.run();
  assert.deepEqual(bench.verdicts(), []);
  first!.end(first!.payload);
  await settle();
  assert.equal(bench.wakes, 2);
  bench.proposer.run();
  assert.deepEqual(bench.verdicts(), ["1 taken", "2 taken"]);
  assert.equal(bench.log().length, 2);
});

Deno.test("Proposer that loses the lead while it seals takes its writes back, and tells nobody", async () => {
  const bench = new Bench(1);
  bench.elect();
  bench.keyId = 9;
  bench.write("a");
  assert.equal(bench.ask(), null);
  let dropped = 0;
  const onDropped = () => dropped += 1;
  assert.ok(bench.proposer.propose(7, encodeClock(1), onDropped));
  assert.equal(bench.proposals.inFlightCount, 1);
  bench.group.core(1).transferLeader(2);
  bench.group.settle();
  assert.equal(bench.group.core(2).state.role, "leader");
  for (const { end, payload } of bench.seals) end(payload);
  await settle();
  bench.proposer.onRole(false);
  bench.takesWrites = false;
  bench.proposer.run();
  assert.deepEqual([bench.log(), bench.packets, dropped], [[], [], 1]);
  const { waitingCount, inFlightCount } = bench.proposals;
  assert.deepEqual([waitingCount, inFlightCount], [1, 0]);
});

Deno.test("Proposer hands no more over while proposals are sealed than while they are synced", async () => {
  const bench = new Bench(1);
  bench.elect();
  bench.keyId = 9;
  bench.write("abc");
  assert.equal(bench.seals.length, UNPERSISTED_PROPOSALS_MAX);
  assert.equal(bench.proposer.takeProposed(), 0, "none is in the log");
  for (const { end, payload } of bench.seals) end(payload);
  await settle();
  bench.proposer.run();
  assert.equal(bench.proposer.takeProposed(), UNPERSISTED_PROPOSALS_MAX);
  bench.proposer.persisted(UNPERSISTED_PROPOSALS_MAX);
  bench.proposer.run();
  assert.equal(bench.seals.length, UNPERSISTED_PROPOSALS_MAX + 1);
});
