import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../../src/base/bytes.ts";
import { type KeyId, NO_KEY } from "../../../../src/base/data_key.ts";
import { decodeProposal } from "../../../../src/fsm/proposal.ts";
import {
  LINE_BYTES_MAX,
  LINE_ENTRIES_MAX,
} from "../../../../src/node/limits.ts";
import { EntryLine } from "../../../../src/node/raft_sealing/entry_line.ts";
import { ProposalGate } from "../../../../src/node/raft_sealing/gate.ts";
import { settle } from "../../../sim/io/clock.ts";

interface Seal {
  readonly keyId: KeyId;
  readonly text: string;
  readonly end: () => void;
  readonly fail: () => void;
}

/** A line of the leader 1 in term 5, which has applied an entry of it. */
class Bench {
  readonly state = { id: 1, lead: 1, term: 5 };
  readonly gate = new ProposalGate();
  readonly seals: Seal[] = [];
  readonly log: string[] = [];
  readonly settled: string[] = [];
  readonly failures: unknown[] = [];
  readonly line: EntryLine;
  appliedTerm = 5;
  keyId: KeyId = NO_KEY;
  takes = true;

  constructor() {
    const { state } = this;
    const propose = (data: Uint8Array) => {
      if (!this.takes) return false;
      const { proposalId, payload } = decodeProposal(data);
      this.log.push(`${proposalId} ${new TextDecoder().decode(payload)}`);
      return true;
    };
    this.line = new EntryLine({
      core: { state, propose } as never,
      gate: this.gate,
      sealer: {
        keyId: () => this.keyId,
        seal: (keyId, payload) => this.#seal(keyId, payload),
      },
      appliedTerm: () => this.appliedTerm,
      wake: () => this.line.run(),
      failed: (error) => this.failures.push(error),
    });
  }

  #seal(keyId: KeyId, payload: Bytes): Promise<Bytes> {
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    const text = new TextDecoder().decode(payload);
    this.seals.push({
      ...{ keyId, text },
      end: () => resolve(utf8(`[${keyId} ${text}]`)),
      fail: () => reject(new Error(text)),
    });
    return promise;
  }

  add(id: number, text: string): boolean {
    return this.line.add({
      proposalId: id,
      payload: utf8(text),
      settle: (isMade) => this.settled.push(`${id} ${isMade}`),
    });
  }

  /** Ends the seals of these texts, in this order. */
  async end(...texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      this.seals.findLast((seal) => seal.text === text)!.end();
      await settle();
    }
  }
}

Deno.test("EntryLine hands over at once what needs no seal", () => {
  const bench = new Bench();
  assert.ok(bench.add(1, "a"));
  assert.deepEqual([bench.log, bench.settled], [["1 a"], ["1 true"]]);
  assert.equal(bench.line.count, 1);
});

Deno.test("EntryLine keeps the order, whichever seal ends first", async () => {
  const bench = new Bench();
  bench.keyId = 7;
  for (const [nth, text] of [..."abc"].entries()) bench.add(nth, text);
  assert.equal(bench.seals.length, 3, "they are sealed beside each other");
  await bench.end("c", "b");
  assert.deepEqual(bench.log, []);
  await bench.end("a");
  assert.deepEqual(bench.log, ["0 [7 a]", "1 [7 b]", "2 [7 c]"]);
  assert.equal(bench.seals.length, 3, "each is sealed once");
});

Deno.test("EntryLine keeps what comes while the gate is closed", async () => {
  const bench = new Bench();
  bench.gate.close(0);
  assert.ok(bench.add(1, "a"));
  bench.line.run();
  assert.deepEqual([bench.log, bench.settled, bench.line.length], [[], [], 1]);
  assert.equal(bench.line.isOpen, false);
  bench.gate.open();
  bench.line.run();
  assert.deepEqual(bench.log, ["1 a"]);
  await settle();
  assert.deepEqual(bench.seals, []);
});

Deno.test("EntryLine seals what waited through the cutover", async () => {
  const bench = new Bench();
  bench.gate.close(0);
  bench.add(1, "a");
  assert.ok(bench.line.putMarker(9));
  bench.keyId = 7;
  bench.gate.open();
  bench.line.run();
  assert.deepEqual(bench.log, ["9 \x05\x05"], "it does not go as it came");
  await bench.end("a");
  assert.deepEqual(bench.log, ["9 \x05\x05", "1 [7 a]"]);
});

Deno.test("EntryLine puts no marker through an open gate, or before it is settled", () => {
  const bench = new Bench();
  assert.throws(() => bench.line.putMarker(9));
  bench.gate.close(0);
  bench.appliedTerm = 4;
  assert.throws(() => bench.line.putMarker(9));
  bench.appliedTerm = 5;
  bench.takes = false;
  assert.equal(bench.line.putMarker(9), false);
  assert.deepEqual([bench.log, bench.line.count], [[], 0]);
});

Deno.test("EntryLine of a new leader waits until an entry of its term is applied", () => {
  const bench = new Bench();
  bench.appliedTerm = 4;
  bench.add(1, "a");
  bench.line.run();
  assert.deepEqual([bench.line.isOpen, bench.log], [false, []]);
  bench.appliedTerm = 5;
  bench.line.run();
  assert.deepEqual([bench.line.isOpen, bench.log], [true, ["1 a"]]);
});

Deno.test("EntryLine seals again what another key became active for", async () => {
  const bench = new Bench();
  bench.keyId = 7;
  bench.add(1, "a");
  bench.add(2, "b");
  await bench.end("b");
  bench.keyId = 8;
  await bench.end("a");
  assert.deepEqual(bench.log, []);
  assert.deepEqual(bench.seals.map(({ keyId, text }) => `${keyId} ${text}`), [
    ...["7 a", "7 b", "8 a", "8 b"],
  ]);
  await bench.end("b", "a");
  assert.deepEqual(bench.log, ["1 [8 a]", "2 [8 b]"]);
});

Deno.test("EntryLine takes no seal that ends after another key became active", async () => {
  const bench = new Bench();
  bench.keyId = 7;
  bench.add(1, "a");
  bench.keyId = 8;
  bench.line.run();
  bench.seals[0]!.end();
  await settle();
  assert.deepEqual(bench.log, []);
  await bench.end("a");
  assert.deepEqual(bench.log, ["1 [8 a]"]);
});

const LOSSES: [name: string, lose: (bench: Bench) => void][] = [
  ["it follows another", ({ state }) => state.lead = 2],
  ["it follows nobody", ({ state }) => state.lead = 0],
  ["it leads again", ({ state }) => state.term = 6],
];

for (const [name, lose] of LOSSES) {
  Deno.test(`EntryLine drops what is of another leadership: ${name}`, async () => {
    const bench = new Bench();
    bench.keyId = 7;
    bench.add(1, "a");
    bench.gate.close(0);
    bench.add(2, "b");
    lose(bench);
    bench.appliedTerm = bench.state.term;
    await bench.end("a");
    assert.deepEqual([bench.log, bench.settled], [[], ["1 false", "2 false"]]);
    bench.line.run();
    assert.equal(bench.settled.length, 2, "each is settled once");
  });
}

Deno.test("EntryLine takes nothing where it does not lead", () => {
  const bench = new Bench();
  bench.state.lead = 2;
  assert.equal(bench.add(1, "a"), false);
  assert.deepEqual(bench.settled, []);
});

Deno.test("EntryLine says what the core refuses", async () => {
  const bench = new Bench();
  bench.takes = false;
  assert.ok(bench.add(1, "a"));
  bench.keyId = 7;
  bench.add(2, "b");
  await bench.end("b");
  assert.deepEqual(bench.settled, ["1 false", "2 false"]);
  assert.deepEqual([bench.line.count, bench.line.length], [0, 0]);
});

Deno.test("EntryLine is no longer than its limit", () => {
  const bench = new Bench();
  bench.gate.close(0);
  for (let id = 0; id < LINE_ENTRIES_MAX; id += 1) {
    assert.ok(bench.add(id, "a"));
  }
  assert.equal(bench.add(0, "a"), false);
  bench.gate.open();
  bench.line.run();
  assert.ok(bench.add(0, "a"), "there is room again");
});

Deno.test("EntryLine holds no more bytes than its limit, but one payload", () => {
  const bench = new Bench();
  bench.gate.close(0);
  const settle = () => {};
  const payload = new Uint8Array(LINE_BYTES_MAX + 1);
  assert.ok(bench.line.add({ proposalId: 1, payload, settle }));
  assert.equal(bench.add(2, "a"), false);
});

Deno.test("EntryLine fails its node when a seal does", async () => {
  const bench = new Bench();
  bench.keyId = 7;
  bench.add(1, "a");
  bench.seals[0]!.fail();
  await settle();
  assert.equal(bench.failures.length, 1);
  assert.deepEqual([bench.log, bench.settled], [[], []]);
});

Deno.test("EntryLine bears that a seal fails which nobody wants any more", async () => {
  const bench = new Bench();
  bench.keyId = 7;
  bench.add(1, "a");
  bench.state.lead = 2;
  bench.line.run();
  bench.seals[0]!.fail();
  await settle();
  bench.state.lead = 1;
  bench.add(2, "b");
  bench.keyId = 8;
  bench.line.run();
  bench.seals[1]!.fail();
  await bench.end("b");
  assert.deepEqual([bench.failures, bench.log], [[], ["2 [8 b]"]]);
});
