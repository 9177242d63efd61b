import assert from "node:assert/strict";
import { NotReadyError, OverloadedError } from "../../../src/node/errors.ts";
import { WAITING_READS_MAX } from "../../../src/node/limits.ts";
import { Reads } from "../../../src/node/reads.ts";
import { settle } from "../../sim/io/clock.ts";

/** Starts a read; returns what became of it so far. */
function watch(read: Promise<void>): () => Promise<string> {
  let state = "open";
  read.then(() => state = "served", (error) => state = error.name);
  return async () => {
    await settle();
    return state;
  };
}

Deno.test("Reads shares one round among reads that wait together", async () => {
  const reads = new Reads();
  const both = Promise.all([reads.wait(0), reads.wait(0)]);
  const round = reads.takeRound(0);
  assert.equal(round, 1);
  assert.equal(reads.takeRound(0), null);
  reads.confirm(1, 5, 5);
  await both;
});

Deno.test("Reads.confirm() holds reads until the store has applied that far", async () => {
  const reads = new Reads();
  const state = watch(reads.wait(0));
  reads.takeRound(0);
  reads.confirm(1, 5, 4);
  reads.appliedTo(4);
  assert.equal(await state(), "open");
  reads.appliedTo(5);
  assert.equal(await state(), "served");
});

Deno.test("Reads.appliedTo() serves each round at its own index", async () => {
  const reads = new Reads();
  const states = [7, 5, 6].map((index) => {
    const state = watch(reads.wait(0));
    reads.confirm(reads.takeRound(0)!, index, 0);
    return state;
  });
  const now = () => Promise.all(states.map((state) => state()));
  reads.appliedTo(5);
  assert.deepEqual(await now(), ["open", "served", "open"]);
  reads.appliedTo(6);
  assert.deepEqual(await now(), ["open", "served", "served"]);
  reads.appliedTo(9);
  assert.deepEqual(await now(), ["served", "served", "served"]);
});

Deno.test("Reads.confirm() tells when its round was asked, once", () => {
  const reads = new Reads();
  reads.wait(3);
  const round = reads.takeRound(17)!;
  assert.equal(reads.confirm(round + 1, 5, 5), null);
  assert.equal(reads.confirm(round, 5, 5)?.startedMs, 17);
  assert.equal(reads.confirm(round, 5, 5), null);
});

Deno.test("Reads.restart() puts unconfirmed rounds back, with a new round", async () => {
  const reads = new Reads();
  const read = reads.wait(0);
  reads.takeRound(0);
  reads.restart();
  assert.equal(reads.confirm(1, 0, 9), null);
  assert.equal(reads.takeRound(0), 2);
  reads.confirm(2, 5, 5);
  await read;
});

Deno.test("Reads.restart() leaves rounds that are young, and confirmed ones", async () => {
  const reads = new Reads();
  const confirmed = watch(reads.wait(0));
  reads.confirm(reads.takeRound(5)!, 9, 0);
  const old = watch(reads.wait(0));
  const oldRound = reads.takeRound(9)!;
  const young = watch(reads.wait(0));
  const youngRound = reads.takeRound(10)!;
  reads.restart(9);
  assert.equal(reads.takeRound(20), null, "asked at 9 is not before 9");
  reads.restart(10);
  assert.equal(reads.confirm(oldRound, 1, 1), null);
  assert.equal(reads.confirm(youngRound, 1, 1)?.startedMs, 10);
  assert.equal(await young(), "served");
  assert.equal(await old(), "open");
  assert.equal(reads.confirm(reads.takeRound(20)!, 1, 1)?.startedMs, 20);
  assert.equal(await old(), "served");
  assert.equal(await confirmed(), "open");
  reads.appliedTo(9);
  assert.equal(await confirmed(), "served");
});

Deno.test("Reads.expire() gives up on what waits, by its own age", async () => {
  const reads = new Reads();
  const old = watch(reads.wait(9));
  const asked = watch(reads.wait(9));
  const round = reads.takeRound(9)!;
  const late = watch(reads.wait(9));
  const young = watch(reads.wait(10));
  reads.expire(9);
  assert.equal(await late(), "open");
  reads.expire(10);
  assert.equal(await late(), NotReadyError.name);
  assert.equal(await young(), "open");
  assert.equal(await asked(), "open", "a question that is out may be answered");
  reads.restart();
  reads.expire(10);
  assert.deepEqual(
    [await asked(), await old()],
    Array(2).fill("NotReadyError"),
  );
  assert.equal(reads.confirm(round, 1, 1), null);
  reads.confirm(reads.takeRound(10)!, 1, 1);
  assert.equal(await young(), "served");
});

Deno.test("Reads.failAll() fails reads of every stage", async () => {
  const reads = new Reads();
  const confirmed = reads.wait(0);
  reads.takeRound(0);
  reads.confirm(1, 9, 0);
  const asked = reads.wait(0);
  reads.takeRound(0);
  const waiting = reads.wait(0);
  reads.failAll(new Error("stopping"));
  for (const read of [confirmed, asked, waiting]) {
    await assert.rejects(read, /stopping/);
  }
});

const ENDS: [name: string, end: (reads: Reads) => void][] = [
  ["served", (reads) => {
    reads.takeRound(0);
    reads.confirm(1, 0, 0);
  }],
  ["expired", (reads) => reads.expire(1)],
  ["failed", (reads) => reads.failAll(new Error("stopping"))],
];

for (const [name, end] of ENDS) {
  Deno.test(`Reads.wait() refuses beyond its limit, takes again when all are ${name}`, async () => {
    const reads = new Reads();
    const all = Array.from({ length: WAITING_READS_MAX }, () => reads.wait(0));
    const over = Promise.allSettled(all);
    assert.throws(() => reads.wait(0), OverloadedError);
    end(reads);
    await over;
    for (let i = 0; i < WAITING_READS_MAX; i += 1) {
      reads.wait(5).catch(() => {});
    }
    assert.throws(() => reads.wait(5), OverloadedError);
  });
}
