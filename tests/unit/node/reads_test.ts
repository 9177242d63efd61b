import assert from "node:assert/strict";
import { OverloadedError } from "../../../src/node/errors.ts";
import { WAITING_READS_MAX } from "../../../src/node/limits.ts";
import { Reads } from "../../../src/node/reads.ts";

Deno.test("Reads shares one round among reads that wait together", async () => {
  const reads = new Reads();
  const both = Promise.all([reads.wait(), reads.wait()]);
  const round = reads.takeRound();
  assert.equal(round, 1);
  assert.equal(reads.takeRound(), null);
  reads.confirm(1, 5, 5);
  await both;
});

Deno.test("Reads.confirm() holds reads until the store has applied that far", async () => {
  const reads = new Reads();
  let served = false;
  const read = reads.wait().then(() => served = true);
  reads.takeRound();
  reads.confirm(1, 5, 4);
  reads.appliedTo(4);
  await Promise.resolve();
  assert.equal(served, false);
  reads.appliedTo(5);
  await read;
});

Deno.test("Reads.restart() puts unconfirmed rounds back, with a new round", async () => {
  const reads = new Reads();
  const read = reads.wait();
  reads.takeRound();
  reads.restart();
  reads.confirm(1, 0, 9);
  assert.equal(reads.takeRound(), 2);
  reads.confirm(2, 5, 5);
  await read;
});

Deno.test("Reads.failAll() fails reads of every stage", async () => {
  const reads = new Reads();
  const confirmed = reads.wait();
  reads.takeRound();
  reads.confirm(1, 9, 0);
  const asked = reads.wait();
  reads.takeRound();
  const waiting = reads.wait();
  reads.failAll(new Error("stopping"));
  for (const read of [confirmed, asked, waiting]) {
    await assert.rejects(read, /stopping/);
  }
});

Deno.test("Reads.wait() refuses beyond its limit and takes again after", async () => {
  const reads = new Reads();
  const all = Array.from({ length: WAITING_READS_MAX }, () => reads.wait());
  assert.throws(() => reads.wait(), OverloadedError);
  reads.takeRound();
  reads.confirm(1, 0, 0);
  await Promise.all(all);
  reads.wait().catch(() => {});
});
