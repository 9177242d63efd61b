import assert from "node:assert/strict";
import { encodeEncryption } from "../../../src/fsm/encryption_payload.ts";
import {
  encodeBatch,
  encodeClock,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";
import {
  FORWARDED_PROPOSALS_MAX,
  UNPERSISTED_PROPOSALS_MAX,
} from "../../../src/node/limits.ts";

import {
  ANNOUNCEMENT,
  Bench,
  BOOT,
  type Proposed,
  registrationOf,
  set,
} from "./proposer_bench.ts";

const FOREIGN: [name: string, payload: Uint8Array, verdict: string][] = [
  ["registration", registrationOf("n2"), "taken"],
  ["registration of a third one", registrationOf("n3"), "refused"],
  ["registration of the leader", registrationOf("n1"), "refused"],
  ["registration of a stranger", registrationOf("n9"), "refused"],
  ["registration of no name", registrationOf(""), "refused"],
  [
    "change of encryption",
    encodeEncryption({ kind: "retire-dek", keyId: 1 }),
    "refused",
  ],
];

function keysOf({ payload }: Proposed): string {
  assert.ok(payload.kind === "batch");
  return payload.writes
    .map(({ changes }) => new TextDecoder().decode(changes[0]!.key)).join("");
}

Deno.test("Proposer proposes nothing while nobody leads", () => {
  const bench = new Bench(1);
  bench.announcement = ANNOUNCEMENT;
  bench.write("a");
  assert.deepEqual([bench.proposals.waitingCount, bench.packets], [1, []]);
});

Deno.test("Proposer of a leader proposes with its clock", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.clock.advance(5);
  bench.write("a");
  const [proposed] = bench.log();
  assert.equal(proposed?.id, 100);
  assert.ok(proposed.payload.kind === "batch");
  assert.equal(proposed.payload.nowMs, bench.clock.wallMs());
  assert.deepEqual(bench.packets, []);
});

Deno.test("Proposer of a leader gathers while proposals are not durable", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.write("abcde");
  const { proposer } = bench;
  assert.deepEqual(bench.log().map(keysOf), ["a", "b"]);
  assert.equal(proposer.takeProposed(), UNPERSISTED_PROPOSALS_MAX);
  assert.equal(proposer.takeProposed(), 0);
  proposer.run();
  assert.equal(bench.proposals.waitingCount, 3);
  proposer.persisted(1);
  proposer.run();
  assert.deepEqual(bench.log().map(keysOf), ["a", "b", "cde"]);
});

Deno.test("Proposer of a leader is held by a transfer, until a tick", () => {
  const bench = new Bench(1);
  bench.elect();
  const core = bench.group.core(1);
  bench.group.isolated.add(3);
  core.transferLeader(3);
  bench.write("a");
  assert.equal(bench.proposals.waitingCount, 1, "it waits as before");
  assert.equal(bench.proposals.inFlightCount, 0);
  assert.equal(bench.ask(), "refused");
  core.transferLeader(1);
  assert.equal(core.state.leadTransferee, 0);
  bench.proposer.run();
  assert.deepEqual(bench.log(), []);
  bench.proposer.onTick();
  bench.proposer.run();
  assert.deepEqual(bench.log().map(keysOf), ["a"]);
  assert.equal(bench.ask(), "refused", "what was refused stays so");
});

Deno.test("Proposer of a follower asks its leader, a few at a time", () => {
  const bench = new Bench(2);
  bench.elect();
  bench.write("abcdef");
  const forwards = bench.forwards();
  assert.equal(forwards.length, FORWARDED_PROPOSALS_MAX);
  const { term } = bench;
  for (const [nth, forward] of forwards.entries()) {
    const { payload, ...place } = forward;
    assert.deepEqual(place, {
      kind: "forward",
      boot: BOOT,
      term,
      sequence: nth + 1,
      proposalId: 100 + nth,
    });
    assert.deepEqual(payload, encodeBatch([set("abcd"[nth]!)], 0));
  }
  assert.deepEqual(bench.log(), [], "its own core proposes nothing");
  bench.answer(1, "taken");
  bench.proposer.run();
  assert.deepEqual(bench.forwards(), [], "taken is not yet applied");
  bench.proposals.resolve(100, []);
  bench.proposer.run();
  assert.equal(bench.forwards().length, 1);
});

Deno.test("Proposer of a follower takes what was refused back, until a tick", () => {
  const bench = new Bench(2);
  bench.elect();
  bench.write("ab");
  bench.forwards();
  bench.answer(1, "refused");
  bench.answer(2, "refused");
  bench.answer(2, "refused");
  bench.proposer.run();
  assert.deepEqual(bench.forwards(), []);
  assert.equal(bench.proposals.waitingCount, 2);
  bench.proposer.onTick();
  bench.proposer.run();
  const [again, ...more] = bench.forwards();
  assert.equal(more.length, 0);
  assert.deepEqual([again?.sequence, again?.proposalId], [3, 102]);
  assert.deepEqual(again?.payload, encodeBatch([set("a"), set("b")], 0));
});

Deno.test("Proposer of a follower asks again when the link is back", () => {
  const bench = new Bench(2);
  bench.elect();
  bench.write("ab");
  bench.forwards();
  bench.proposer.onLinkUp(3);
  assert.deepEqual(bench.forwards(), []);
  bench.proposer.onLinkUp(1);
  assert.deepEqual(bench.forwards().map(({ sequence }) => sequence), [1, 2]);
  bench.clock.advance(500);
  bench.proposer.onTick();
  assert.deepEqual(bench.forwards().map(({ sequence }) => sequence), [1, 2]);
});

Deno.test("Proposer of a leader takes a forward with its own clock, once", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.clock.advance(9);
  assert.equal(bench.ask(), "taken");
  bench.clock.advance(9);
  assert.equal(bench.ask(), "taken");
  assert.equal(bench.ask({ sequence: 3 }), "gap");
  const log = bench.log();
  assert.deepEqual(log.map(({ id }) => id), [900]);
  assert.ok(log[0]!.payload.kind === "batch");
  assert.equal(log[0]!.payload.nowMs, bench.clock.wallMs() - 9);
});

Deno.test("Proposer of a leader refuses what no member could apply", () => {
  const bench = new Bench(1);
  bench.elect();
  const bad = [
    encodeClock(5),
    encodeBatch([], 7),
    encodeClusterInit(new Uint8Array(16), "c", []),
    new Uint8Array(0),
  ];
  for (const [nth, payload] of bad.entries()) {
    assert.equal(bench.ask({ sequence: nth + 1, payload }), "refused");
  }
  assert.deepEqual(bench.log(), []);
  assert.equal(bench.ask({ sequence: bad.length + 1 }), "taken");
});

Deno.test("Proposer says nothing of another leadership than its own", () => {
  const leader = new Bench(1);
  leader.elect();
  assert.equal(leader.ask({ term: leader.term - 1 }), null);
  assert.equal(leader.ask({ term: leader.term + 1 }), null);
  assert.deepEqual(leader.log(), []);
  const follower = new Bench(2);
  follower.elect();
  assert.equal(follower.ask({}, 3), null);
  const nobody = new Bench(2);
  assert.equal(nobody.ask({ term: 0 }), null);
});

Deno.test("Proposer remembers what it took through turns of its role", () => {
  const bench = new Bench(1);
  bench.elect();
  assert.equal(bench.ask(), "taken");
  bench.proposer.onRole(true);
  assert.equal(bench.ask(), "taken");
  assert.equal(bench.log().length, 1, "once per leadership");
});

Deno.test("Proposer of a leader founds the cluster once it leads", () => {
  const bench = new Bench(1);
  bench.init = encodeClusterInit(new Uint8Array(16).fill(1), "c", []);
  bench.elect();
  bench.proposer.run();
  assert.deepEqual(bench.log().map(({ id, payload }) => [id, payload.kind]), [
    [0, "cluster-init"],
  ]);
  const follower = new Bench(2);
  follower.init = bench.init;
  follower.elect();
  assert.deepEqual(follower.log(), []);
});

for (const what of ["announcement", "registration"] as const) {
  const payload =
    { announcement: ANNOUNCEMENT, registration: registrationOf("n2") }[what];
  Deno.test(`Proposer tells its ${what} to whoever leads, again after a second`, () => {
    for (const id of [1, 2]) tellsAgain(new Bench(id), what, payload);
  });
}

function tellsAgain(
  bench: Bench,
  what: "announcement" | "registration",
  payload: Uint8Array,
): void {
  const { id } = bench;
  bench[what] = payload;
  bench.elect();
  const count = () =>
    id === 1 ? bench.log().length : bench.group.core(1) && asked;
  let asked = 0;
  const run = () => {
    bench.proposer.run();
    if (id === 2) asked += bench.forwards().length;
  };
  run();
  run();
  assert.equal(count(), 1);
  bench.clock.advance(999);
  run();
  assert.equal(count(), 1);
  bench.clock.advance(1);
  run();
  assert.equal(count(), 2);
  bench[what] = null;
  bench.clock.advance(5_000);
  run();
  assert.equal(count(), 2, "it is known");
  bench[what] = payload;
  run();
  bench.proposer.onRole(id === 1);
  run();
  assert.equal(count(), 4, "another leader may not know");
}

Deno.test("Proposer tells both of itself, each on its own", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.announcement = ANNOUNCEMENT;
  bench.proposer.run();
  bench.registration = registrationOf("n2");
  bench.proposer.run();
  const kinds = bench.log().map(({ payload }) => payload.kind);
  assert.deepEqual(kinds, ["announcement", "encryption"]);
});

for (const id of [1, 2]) {
  Deno.test(`Proposer keeps clients' writes while it must, on member ${id}`, () => {
    const bench = new Bench(id);
    bench.elect();
    bench.takesWrites = false;
    bench.announcement = ANNOUNCEMENT;
    bench.write("a");
    const count = () => id === 1 ? bench.log().length : bench.forwards().length;
    assert.deepEqual([count(), bench.proposals.waitingCount], [1, 1]);
    bench.takesWrites = true;
    bench.proposer.run();
    assert.equal(bench.proposals.waitingCount, 0);
  });
}

Deno.test("Proposer of a leader takes other members' writes while its own wait", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.takesWrites = false;
  const payload = encodeBatch([set("a")], 0);
  assert.equal(bench.ask({ payload, proposalId: 9 }), "taken");
});

Deno.test("Proposer.propose() puts a payload into the leader's log, and no other", () => {
  const bench = new Bench(1);
  bench.elect();
  assert.equal(bench.proposer.propose(7, registrationOf("n2")), true);
  const [proposed] = bench.log();
  assert.deepEqual([proposed?.id, proposed?.payload.kind], [7, "encryption"]);
  const follower = new Bench(2);
  follower.elect();
  assert.equal(follower.proposer.propose(7, registrationOf("n2")), false);
  assert.deepEqual([follower.log(), follower.packets], [[], []]);
});

for (const [name, payload, verdict] of FOREIGN) {
  Deno.test(`Proposer answers another member's ${name}: ${verdict}`, () => {
    const bench = new Bench(1);
    bench.elect();
    assert.equal(bench.ask({ payload, proposalId: 0 }), verdict);
  });
}

Deno.test("Proposer takes on another member's announcement as it is", () => {
  const bench = new Bench(1);
  bench.elect();
  const asked = { payload: ANNOUNCEMENT, proposalId: 0 };
  assert.equal(bench.ask(asked), "taken");
  const { payload } = bench.log()[0]!;
  assert.equal(payload.kind, "announcement");
});

Deno.test("Proposer.wantClock() proposes it once, and only where it leads", () => {
  const bench = new Bench(1);
  bench.elect();
  bench.proposer.wantClock(5_000);
  bench.proposer.run();
  bench.proposer.run();
  assert.deepEqual(bench.log().map(({ payload }) => payload), [
    { kind: "clock", clockMs: 5_000 },
  ]);
  const follower = new Bench(2);
  follower.elect();
  follower.proposer.wantClock(5_000);
  follower.proposer.run();
  assert.deepEqual([follower.packets, follower.log()], [[], []]);
});
