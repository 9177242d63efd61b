import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.ts";
import { encodeEncryption } from "../../../src/fsm/encryption_payload.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
} from "../../../src/fsm/payload.ts";
import { stampForwarded } from "../../../src/fsm/stamp.ts";
import { memberOf } from "../store/store_model.ts";
import { commandBatch } from "./arbitraries.ts";
import { EVERY_KIND, NODE_A } from "./encryption_fixtures.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const SENDER = { id: 1, fullNodeId: NODE_A };
const by = (nowMs: number) => ({ nowMs, sender: SENDER });
const batches = commandBatch.map(({ writes }) => writes);
const times = fc.oneof(fc.maxSafeNat(), fc.constantFrom(1, 127, 128, SAFE));

Deno.test("stampForwarded() makes what the leader would have encoded", () => {
  fc.assert(
    fc.property(batches, times, (batch, nowMs) => {
      const stamped = stampForwarded(encodeBatch(batch, 0), by(nowMs));
      assert.deepEqual(stamped, encodeBatch(batch, nowMs));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("stampForwarded() leaves what it is given as it is", () => {
  const payload = encodeBatch([], 0);
  const before = payload.slice();
  stampForwarded(payload, by(5));
  assert.deepEqual(payload, before);
});

Deno.test("stampForwarded() passes an announcement on", () => {
  const diskId = new Uint8Array(16).fill(1);
  const payload = encodeAnnouncement({ ...memberOf(1, "a:1"), diskId });
  assert.deepEqual(stampForwarded(payload, by(5)), payload);
});

Deno.test("stampForwarded() takes no announcement of another member", () => {
  const diskId = new Uint8Array(16).fill(1);
  const payload = encodeAnnouncement({ ...memberOf(1, "a:1"), diskId });
  const sender = { ...SENDER, id: 2 };
  assert.equal(stampForwarded(payload, { nowMs: 5, sender }), null);
});

Deno.test("stampForwarded() passes a registration on", () => {
  const payload = encodeEncryption(EVERY_KIND.registration);
  assert.deepEqual(stampForwarded(payload, by(5)), payload);
});

Deno.test("stampForwarded() takes no registration of another member", () => {
  const payload = encodeEncryption(EVERY_KIND.registration);
  const others = [0n, NODE_A + 1n, NODE_A - 1n, NODE_A << 16n];
  for (const fullNodeId of others) {
    const sender = { ...SENDER, fullNodeId };
    assert.equal(stampForwarded(payload, { nowMs: 5, sender }), null);
  }
});

for (const change of Object.values(EVERY_KIND)) {
  if (change.kind === "registration") continue;
  Deno.test(`stampForwarded() takes no ${change.kind}`, () => {
    assert.equal(stampForwarded(encodeEncryption(change), by(5)), null);
  });
}

const BATCH = encodeBatch([{ database: "d", checks: [], changes: [] }], 0);

const REFUSED: [name: string, payload: Uint8Array][] = [
  ["nothing", new Uint8Array(0)],
  ["a batch with a time", encodeBatch([], 1)],
  ["a batch cut", BATCH.subarray(0, -1)],
  ["a batch with more behind", concatBytes(BATCH, Uint8Array.of(0))],
  ["a batch whose time is written out as 0", Uint8Array.of(1, 8, 0)],
  ["a clock", encodeClock(5)],
  ["a cluster-init", encodeClusterInit(new Uint8Array(16), "c", [])],
  ["an announcement of nobody", Uint8Array.of(8)],
  ["a registration of nobody", Uint8Array.of(3)],
  ["an unknown change of encryption", Uint8Array.of(5, 7)],
  ["an unknown tag", Uint8Array.of(99, 1, 2)],
  ["a tag of 0", Uint8Array.of(0)],
];

for (const [name, payload] of REFUSED) {
  Deno.test(`stampForwarded() takes no ${name}`, () => {
    assert.equal(stampForwarded(payload, by(5)), null);
  });
}

Deno.test("stampForwarded() never lets through what a member cannot apply", () => {
  const noise = fc.uint8Array({ maxLength: 60 });
  const tagged = fc.tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 8), noise)
    .map(([tag, rest]) => Uint8Array.of(tag, ...rest));
  const damaged = fc.tuple(batches, fc.nat()).map(([batch, at]) => {
    const bytes = encodeBatch(batch, 0);
    const bit = at % (bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(noise, tagged, damaged), (bytes) => {
      const stamped = stampForwarded(bytes, by(77));
      if (stamped === null) return;
      const payload = decodePayload(stamped);
      assert.ok(
        payload.kind === "batch" || payload.kind === "announcement" ||
          payload.kind === "encryption" &&
            payload.change.kind === "registration",
      );
      if (payload.kind === "batch") assert.equal(payload.nowMs, 77);
    }),
    { numRuns: 5_000 },
  );
});
