import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { AtomicWrite, WriteReply } from "../../../src/fsm/types.ts";
import { ENCODING_BYTES } from "../../../src/fsm/types.ts";
import {
  NotReadyError,
  OutcomeUnknownError,
  OverloadedError,
} from "../../../src/node/errors.ts";
import {
  GROUP_BYTES_MAX,
  GROUP_CHANGES_MAX,
  GROUP_KEY_BYTES_MAX,
  WAITING_BYTES_MAX,
  WAITING_WRITES_MAX,
} from "../../../src/node/limits.ts";
import {
  fitsGroup,
  Proposals,
  sizeOfWrite,
} from "../../../src/node/proposals.ts";
import { settle } from "../../sim/io/clock.ts";

const TERM = 1;

function set(key: string, valueBytes = 1): AtomicWrite {
  const data = new Uint8Array(valueBytes);
  const value = { data, encoding: ENCODING_BYTES } as const;
  const change = { kind: "set", key: utf8(key), value, expireAtMs: 0 } as const;
  return { database: "", checks: [], changes: [change] };
}

function committed(byte: number): WriteReply {
  return { kind: "committed", versionstamp: new Uint8Array(10).fill(byte) };
}

/** Proposals of writes named by their keys, and what became of each. */
class Bench {
  readonly proposals = new Proposals(1);
  readonly outcomes = new Map<string, string>();

  add(key: string, nowMs = 0, valueBytes = 1): void {
    this.proposals.add(set(key, valueBytes), nowMs).then(
      ({ kind }) => this.outcomes.set(key, kind),
      (error) => this.outcomes.set(key, error.name),
    );
  }

  /** Adds `keys` and proposes them as one for `term`; returns its id. */
  propose(term: number, keys: string, nowMs = 0): number {
    for (const key of keys) this.add(key, nowMs);
    const batch = this.proposals.takeBatch(term);
    assert.equal(batch === null ? "" : keysOf(batch.writes), keys);
    return batch!.id;
  }

  /** Keys of all that waits, in order. */
  takeAll(term = 99): string {
    let keys = "";
    for (;;) {
      const batch = this.proposals.takeBatch(term);
      if (batch === null) return keys;
      keys += keysOf(batch.writes);
    }
  }

  async outcomesOf(keys: string): Promise<readonly string[]> {
    await settle();
    return [...keys].map((key) => this.outcomes.get(key) ?? "open");
  }
}

function keysOf(writes: readonly AtomicWrite[]): string {
  return writes.map(({ changes }) => new TextDecoder().decode(changes[0]!.key))
    .join("");
}

Deno.test("Proposals answers each caller with its own reply, in order", async () => {
  const proposals = new Proposals(7);
  const first = proposals.add(set("a"), 0);
  const second = proposals.add(set("b"), 0);
  const batch = proposals.takeBatch(TERM);
  assert.equal(batch?.id, 7);
  assert.equal(batch.writes.length, 2);
  proposals.resolve(7, [committed(1), committed(2)]);
  assert.deepEqual(await first, committed(1));
  assert.deepEqual(await second, committed(2));
  assert.equal(proposals.inFlightCount, 0);
});

Deno.test("Proposals.resolve() ignores ids of another start", () => {
  const proposals = new Proposals(7);
  proposals.resolve(6, [committed(1)]);
  assert.equal(proposals.inFlightCount, 0);
});

const CUTS: [name: string, count: number, valueBytes: number, taken: number][] =
  [
    ["by changes", GROUP_CHANGES_MAX + 1, 1, GROUP_CHANGES_MAX],
    ["by bytes", 3, GROUP_BYTES_MAX / 2 - 1, 2],
    ["never below one write", 2, GROUP_BYTES_MAX + 1, 1],
  ];

for (const [name, count, valueBytes, taken] of CUTS) {
  Deno.test(`Proposals.takeBatch() cuts ${name}`, () => {
    const proposals = new Proposals(1);
    for (let i = 0; i < count; i += 1) {
      proposals.add(set("k", valueBytes), 0).catch(() => {});
    }
    assert.equal(proposals.takeBatch(TERM)?.writes.length, taken);
    assert.equal(proposals.takeBatch(TERM)?.writes.length, count - taken);
    assert.equal(proposals.takeBatch(TERM), null);
  });
}

Deno.test("Proposals.add() refuses beyond its limit and takes again after", () => {
  const proposals = new Proposals(1);
  for (let i = 0; i < WAITING_WRITES_MAX; i += 1) {
    proposals.add(set("k"), 0).catch(() => {});
  }
  assert.throws(() => proposals.add(set("k"), 0), OverloadedError);
  proposals.takeBatch(TERM);
  proposals.add(set("k"), 0).catch(() => {});
});

Deno.test("Proposals counts the bytes that wait, through every way back", async () => {
  const bench = new Bench();
  const { proposals } = bench;
  const half = WAITING_BYTES_MAX / 2 - 1;
  const isFull = () => {
    assert.throws(() => proposals.add(set("x"), 0), OverloadedError);
  };
  bench.add("a", 5, half);
  bench.add("b", 5, half);
  isFull();
  const first = proposals.takeBatch(3)!.id;
  bench.add("c", 9, half);
  isFull();
  proposals.putBack(first);
  isFull();
  proposals.takeBatch(3);
  proposals.termApplied(4);
  isFull();
  proposals.expire(6);
  assert.deepEqual(await bench.outcomesOf("abc"), [
    "NotReadyError",
    "NotReadyError",
    "open",
  ]);
  bench.add("d", 9, half);
  isFull();
  proposals.failAll(new Error("stopping"));
  bench.add("e", 9, half);
  bench.add("f", 9, half);
  isFull();
});

Deno.test("Proposals.add() counts bytes to the limit, not beyond", () => {
  const proposals = new Proposals(1);
  proposals.add(set("k", WAITING_BYTES_MAX - 2), 0).catch(() => {});
  assert.throws(() => proposals.add(set("k", 1), 0), OverloadedError);
  proposals.add(set("k", 0), 0).catch(() => {});
  assert.throws(() => proposals.add(set("k", 0), 0), OverloadedError);
});

const FENCES: [applied: number, waiting: string, inFlight: number][] = [
  [4, "", 3],
  [5, "", 3],
  [6, "abcd", 2],
  [7, "abcd", 2],
  [8, "abcdef", 1],
  [9, "abcdefg", 0],
];

for (const [applied, waiting, inFlight] of FENCES) {
  Deno.test(`Proposals.termApplied() of ${applied} puts back "${waiting}"`, async () => {
    const bench = new Bench();
    bench.propose(5, "abcd");
    bench.propose(7, "ef");
    bench.propose(8, "g");
    bench.add("z");
    bench.proposals.termApplied(applied);
    assert.equal(bench.proposals.inFlightCount, inFlight);
    assert.equal(bench.takeAll(), `${waiting}z`);
    assert.deepEqual(await bench.outcomesOf("abcdefgz"), Array(8).fill("open"));
  });
}

Deno.test("Proposals.termApplied() gives what is put back new ids", async () => {
  const bench = new Bench();
  const id = bench.propose(5, "a");
  bench.proposals.termApplied(6);
  const again = bench.proposals.takeBatch(6);
  assert.notEqual(again?.id, id);
  bench.proposals.resolve(id, [committed(1)]);
  assert.deepEqual(
    await bench.outcomesOf("a"),
    ["open"],
    "the old one is void",
  );
  bench.proposals.resolve(again!.id, [committed(1)]);
  assert.deepEqual(await bench.outcomesOf("a"), ["committed"]);
});

const PUT_BACKS: readonly (readonly number[])[] = [
  [0, 1, 2],
  [2, 1, 0],
  [1, 0, 2],
  [2, 0, 1],
];

for (const order of PUT_BACKS) {
  Deno.test(`Proposals.putBack() keeps the order of writes: ${order}`, async () => {
    const bench = new Bench();
    const ids = ["ab", "cd", "e"].map((keys) => bench.propose(5, keys));
    bench.add("f");
    for (const nth of order) bench.proposals.putBack(ids[nth]!);
    bench.proposals.putBack(ids[0]!);
    assert.equal(bench.takeAll(), "abcdef");
    assert.deepEqual(await bench.outcomesOf("a"), ["open"]);
  });
}

Deno.test("Proposals.putBack() ignores what is not in flight", () => {
  const bench = new Bench();
  bench.proposals.putBack(1);
  assert.equal(bench.takeAll(), "");
});

Deno.test("Proposals.expire() tells what never happens from what may", async () => {
  const bench = new Bench();
  bench.propose(5, "a", 10);
  bench.propose(5, "b", 11);
  bench.add("c", 10);
  bench.add("d", 11);
  bench.proposals.expire(10);
  assert.deepEqual(await bench.outcomesOf("abcd"), Array(4).fill("open"));
  bench.proposals.expire(11);
  assert.deepEqual(await bench.outcomesOf("abcd"), [
    "OutcomeUnknownError",
    "open",
    "NotReadyError",
    "open",
  ]);
  assert.equal(bench.proposals.inFlightCount, 1);
  assert.equal(bench.proposals.waitingCount, 1);
});

Deno.test("Proposals.expire() wakes who waits for idleness", async () => {
  const bench = new Bench();
  bench.propose(5, "a", 10);
  const idle = bench.proposals.idle();
  bench.proposals.expire(11);
  await idle;
});

Deno.test("Proposals.passedOver() leaves what waits and forgets the rest", async () => {
  const bench = new Bench();
  const id = bench.propose(5, "ab");
  bench.add("c");
  bench.proposals.passedOver();
  bench.proposals.resolve(id, [committed(1), committed(2)]);
  assert.deepEqual(await bench.outcomesOf("abc"), [
    "OutcomeUnknownError",
    "OutcomeUnknownError",
    "open",
  ]);
  assert.equal(bench.takeAll(), "c");
});

Deno.test("Proposals.failAll() tells what waits from what is in flight", async () => {
  const proposals = new Proposals(1);
  const inFlight = proposals.add(set("a"), 0);
  proposals.takeBatch(TERM);
  const waiting = proposals.add(set("b"), 0);
  proposals.failAll(new NotReadyError("not begun"));
  await assert.rejects(waiting, /not begun/);
  await assert.rejects(inFlight, OutcomeUnknownError);
  await proposals.idle();
});

Deno.test("Proposals.idle() waits for what is in flight", async () => {
  const proposals = new Proposals(1);
  const reply = proposals.add(set("a"), 0);
  proposals.takeBatch(TERM);
  let idle = false;
  const waited = proposals.idle().then(() => idle = true);
  await Promise.resolve();
  assert.equal(idle, false);
  proposals.resolve(1, [committed(1)]);
  await waited;
  await reply;
});

Deno.test("Proposals.idle() waits for what was put back", async () => {
  const bench = new Bench();
  bench.propose(5, "a");
  let idle = false;
  const waited = bench.proposals.idle().then(() => idle = true);
  bench.proposals.termApplied(6);
  await settle();
  assert.equal(idle, false);
  bench.proposals.resolve(bench.proposals.takeBatch(6)!.id, [committed(1)]);
  await waited;
});

Deno.test("sizeOfWrite() counts keys of checks and deletes, and values", () => {
  const write: AtomicWrite = {
    database: "",
    checks: [{ key: utf8("abc"), versionstamp: null }],
    changes: [{ kind: "delete", key: utf8("de") }, ...set("f", 10).changes],
  };
  assert.deepEqual(sizeOfWrite(write), { changes: 2, keyBytes: 3, bytes: 16 });
  const check = { ...write, changes: [] };
  assert.deepEqual(sizeOfWrite(check), { changes: 1, keyBytes: 0, bytes: 3 });
});

Deno.test("fitsGroup() ends at each of its limits", () => {
  const most = {
    changes: GROUP_CHANGES_MAX,
    keyBytes: GROUP_KEY_BYTES_MAX,
    bytes: GROUP_BYTES_MAX,
  };
  assert.ok(fitsGroup(most));
  for (const part of ["changes", "keyBytes", "bytes"] as const) {
    assert.ok(!fitsGroup({ ...most, [part]: most[part] + 1 }), part);
  }
});
