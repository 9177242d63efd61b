import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { AtomicWrite, WriteReply } from "../../../src/fsm/types.ts";
import { ENCODING_BYTES } from "../../../src/fsm/types.ts";
import { OverloadedError } from "../../../src/node/errors.ts";
import {
  GROUP_BYTES_MAX,
  GROUP_CHANGES_MAX,
  WAITING_WRITES_MAX,
} from "../../../src/node/limits.ts";
import { Proposals, sizeOfWrite } from "../../../src/node/proposals.ts";

function set(key: string, valueBytes = 1): AtomicWrite {
  const data = new Uint8Array(valueBytes);
  const value = { data, encoding: ENCODING_BYTES } as const;
  const change = { kind: "set", key: utf8(key), value, expireAtMs: 0 } as const;
  return { database: "", checks: [], changes: [change] };
}

function committed(byte: number): WriteReply {
  return { kind: "committed", versionstamp: new Uint8Array(10).fill(byte) };
}

Deno.test("Proposals answers each caller with its own reply, in order", async () => {
  const proposals = new Proposals(7);
  const first = proposals.add(set("a"));
  const second = proposals.add(set("b"));
  const batch = proposals.takeBatch();
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
      proposals.add(set("k", valueBytes)).catch(() => {});
    }
    assert.equal(proposals.takeBatch()?.writes.length, taken);
    assert.equal(proposals.takeBatch()?.writes.length, count - taken);
    assert.equal(proposals.takeBatch(), null);
  });
}

Deno.test("Proposals.add() refuses beyond its limit and takes again after", () => {
  const proposals = new Proposals(1);
  for (let i = 0; i < WAITING_WRITES_MAX; i += 1) {
    proposals.add(set("k")).catch(() => {});
  }
  assert.throws(() => proposals.add(set("k")), OverloadedError);
  proposals.takeBatch();
  proposals.add(set("k")).catch(() => {});
});

Deno.test("Proposals.failAll() tells what waits from what is in flight", async () => {
  const proposals = new Proposals(1);
  const inFlight = proposals.add(set("a"));
  proposals.takeBatch();
  const waiting = proposals.add(set("b"));
  proposals.failAll(new Error("not begun"), new Error("unknown"));
  await assert.rejects(waiting, /not begun/);
  await assert.rejects(inFlight, /unknown/);
  await proposals.idle();
});

Deno.test("Proposals.idle() waits for what is in flight", async () => {
  const proposals = new Proposals(1);
  const reply = proposals.add(set("a"));
  proposals.takeBatch();
  let idle = false;
  const waited = proposals.idle().then(() => idle = true);
  await Promise.resolve();
  assert.equal(idle, false);
  proposals.resolve(1, [committed(1)]);
  await waited;
  await reply;
});

Deno.test("sizeOfWrite() counts keys of checks and deletes, and values", () => {
  const write: AtomicWrite = {
    database: "",
    checks: [{ key: utf8("abc"), versionstamp: null }],
    changes: [{ kind: "delete", key: utf8("de") }, ...set("f", 10).changes],
  };
  assert.deepEqual(sizeOfWrite(write), { changes: 2, keyBytes: 3, bytes: 16 });
});
