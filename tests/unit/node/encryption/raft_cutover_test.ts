import assert from "node:assert/strict";
import { NotReadyError } from "../../../../src/node/errors.ts";
import { CUTOVER_MS_MAX } from "../../../../src/node/limits.ts";
import type { EncryptionOutcome } from "../../../../src/node/encryption/outcomes.ts";
import { RaftCutover } from "../../../../src/node/encryption/raft_cutover.ts";
import { CutoverAbortedError } from "../../../../src/node/raft_sealing/errors.ts";
import { ProposalGate } from "../../../../src/node/raft_sealing/gate.ts";
import { settle, SimClock } from "../../../sim/io/clock.ts";
import { SimLog } from "../../../sim/io/log.ts";

const TERM = 5;
const ELECTION_MS = 100;

/** A leader of TERM with 10 entries, 8 of them applied. */
class Bench {
  readonly clock = new SimClock();
  readonly log = new SimLog(this.clock);
  readonly gate = new ProposalGate();
  readonly marker = Promise.withResolvers<EncryptionOutcome>();
  readonly lead = Promise.withResolvers<void>();
  applied = { index: 8, term: TERM };
  last = 10;
  cutoverIndex = 0;
  leads = true;
  isStopped = false;
  takes = true;
  markers = 0;
  readonly cutover: RaftCutover;
  ended: unknown = null;

  constructor() {
    this.lead.resolve();
    this.cutover = this.make(() => this.lead.promise);
  }

  make(confirmLead: () => Promise<void>): RaftCutover {
    const { clock, log, gate } = this;
    return new RaftCutover({
      ...{ clock, log, gate, electionMs: ELECTION_MS, confirmLead },
      applied: () => this.applied,
      cutoverIndex: () => this.cutoverIndex,
      lastIndex: () => this.last,
      leads: (term) => this.leads && term === TERM,
      isStopped: () => this.isStopped,
      proposeMarker: () => {
        assert.ok(gate.isClosed);
        if (!this.takes) return null;
        this.markers += 1;
        this.last += 1;
        return { index: this.last, outcome: this.marker.promise };
      },
      wake: () => {},
    });
  }

  async begin(cutover = this.cutover): Promise<void> {
    cutover.run(TERM).then(
      (outcome) => this.ended = outcome,
      (error) => this.ended = error,
    );
    await settle();
  }

  /** As after `begin` and with the marker proposed. */
  async proposed(): Promise<void> {
    await this.begin();
    await this.apply(10);
    assert.deepEqual([this.markers, this.gate.isClosed], [1, true]);
    assert.equal(this.ended, null);
  }

  async apply(index: number, term = TERM): Promise<void> {
    this.applied = { index, term };
    this.cutover.progressed();
    await settle();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  get opened(): readonly unknown[] {
    return this.log.named("encryption_gate_opened")
      .map(({ fields }) => fields?.why);
  }
}

Deno.test("RaftCutover closes the gate, drains, and opens it with the marker applied", async () => {
  const bench = new Bench();
  await bench.begin();
  assert.deepEqual([bench.gate.isClosed, bench.markers], [true, 0]);
  await bench.apply(9);
  assert.equal(bench.markers, 0, "one entry is not applied yet");
  await bench.pass(30);
  await bench.apply(10);
  assert.deepEqual([bench.markers, bench.cutover.isInDoubt], [1, true]);
  await bench.pass(12);
  bench.cutoverIndex = 11;
  bench.marker.resolve({ kind: "taken", index: 11 });
  await bench.apply(11);
  assert.deepEqual(bench.ended, { kind: "taken", index: 11 });
  assert.deepEqual([bench.gate.isClosed, bench.opened], [false, ["sealed"]]);
  assert.equal(bench.cutover.isInDoubt, false);
  const [event] = bench.log.named("encryption_gate_opened");
  assert.equal(event?.fields?.ms, 42);
});

Deno.test("RaftCutover waits for what the core appends by itself, too", async () => {
  const bench = new Bench();
  await bench.begin();
  bench.last = 11;
  await bench.apply(10);
  assert.equal(bench.markers, 0);
  await bench.apply(11);
  assert.equal(bench.markers, 1);
});

Deno.test("RaftCutover has nothing to do behind the cutover", async () => {
  const bench = new Bench();
  bench.cutoverIndex = 7;
  await bench.begin();
  assert.deepEqual(bench.ended, { kind: "taken", index: 7 });
  assert.deepEqual([bench.markers, bench.log.named("encryption_gate_closed")], [
    0,
    [],
  ]);
});

Deno.test("RaftCutover gives up cleanly when the log does not drain in time", async () => {
  const bench = new Bench();
  await bench.begin();
  await bench.pass(CUTOVER_MS_MAX - 1);
  assert.deepEqual([bench.ended, bench.gate.isClosed], [null, true]);
  await bench.pass(1);
  assert.ok(bench.ended instanceof CutoverAbortedError);
  assert.deepEqual([bench.gate.isClosed, bench.markers], [false, 0]);
  assert.deepEqual(bench.opened, ["aborted"]);
  await bench.apply(10);
  assert.equal(bench.markers, 0, "it is over");
});

Deno.test("RaftCutover gives up cleanly when the core takes no marker", async () => {
  const bench = new Bench();
  bench.takes = false;
  await bench.begin();
  await bench.apply(10);
  assert.ok(bench.ended instanceof CutoverAbortedError);
  assert.deepEqual([bench.gate.isClosed, bench.cutover.isInDoubt], [
    false,
    false,
  ]);
});

Deno.test("RaftCutover opens the gate when the leadership ends before the marker", async () => {
  const bench = new Bench();
  await bench.begin();
  bench.leads = false;
  bench.cutover.progressed();
  await settle();
  assert.deepEqual(bench.ended, { kind: "lost" });
  assert.deepEqual([bench.gate.isClosed, bench.markers], [false, 0]);
});

const UNCONFIRMED: [
  name: string,
  confirm: () => Promise<void>,
  ms: number,
][] = [
  ["is refused", () => Promise.reject(new NotReadyError("no quorum")), 0],
  ["does not answer", () => new Promise(() => {}), CUTOVER_MS_MAX],
];

for (const [name, confirm, ms] of UNCONFIRMED) {
  Deno.test(`RaftCutover closes nothing while a quorum ${name}`, async () => {
    const bench = new Bench();
    await bench.begin(bench.make(confirm));
    await bench.pass(ms);
    assert.ok(bench.ended instanceof CutoverAbortedError);
    assert.deepEqual(bench.log.named("encryption_gate_closed"), []);
  });
}

Deno.test("RaftCutover that lost the lead while it asked changes nothing", async () => {
  const bench = new Bench();
  const asked = Promise.withResolvers<void>();
  await bench.begin(bench.make(() => asked.promise));
  bench.leads = false;
  asked.resolve();
  await settle();
  assert.deepEqual(bench.ended, { kind: "lost" });
  assert.deepEqual(bench.log.named("encryption_gate_closed"), []);
});

Deno.test("RaftCutover keeps the gate closed in doubt, whatever time passes", async () => {
  const bench = new Bench();
  await bench.proposed();
  await bench.pass(20 * ELECTION_MS);
  assert.deepEqual(bench.ended, { kind: "unknown" });
  bench.leads = false;
  await bench.apply(10);
  await bench.pass(60_000);
  assert.deepEqual(await bench.cutover.run(TERM), { kind: "unknown" });
  assert.equal(bench.markers, 1);
  assert.deepEqual([bench.gate.isClosed, bench.cutover.isInDoubt], [
    true,
    true,
  ]);
  bench.cutoverIndex = 11;
  await bench.apply(11);
  assert.deepEqual([bench.gate.isClosed, bench.opened], [false, ["sealed"]]);
});

const OVERWRITES: [name: string, index: number, term: number][] = [
  ["an entry of a later term in its place", 11, TERM + 1],
  ["an entry of a later term before its place", 10, TERM + 1],
  ["a checkpoint of a later term", 40, TERM + 2],
];

for (const [name, index, term] of OVERWRITES) {
  Deno.test(`RaftCutover learns that its marker is gone from ${name}`, async () => {
    const bench = new Bench();
    await bench.proposed();
    bench.marker.resolve({ kind: "lost" });
    bench.leads = false;
    await bench.apply(index, term);
    assert.deepEqual(bench.ended, { kind: "lost" });
    assert.deepEqual(bench.opened, ["overwritten"]);
    assert.equal(bench.gate.isClosed, false);
  });
}

Deno.test("RaftCutover of a node that stops tells what it knows, and opens nothing", async () => {
  const bench = new Bench();
  await bench.proposed();
  bench.isStopped = true;
  bench.cutover.progressed();
  await settle();
  assert.deepEqual(bench.ended, { kind: "unknown" });
  assert.equal(bench.gate.isClosed, true);
});

Deno.test("RaftCutover of a node that stops before the marker proposes none", async () => {
  const bench = new Bench();
  await bench.begin();
  bench.isStopped = true;
  bench.cutover.progressed();
  await settle();
  assert.ok(bench.ended instanceof NotReadyError);
  assert.equal(bench.markers, 0);
});
