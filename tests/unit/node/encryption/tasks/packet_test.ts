import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../../../src/base/bytes.ts";
import {
  decodeTaskAsk,
  decodeTaskReport,
  encodeTaskAsk,
  encodeTaskReport,
  FAILURE_LENGTH_MAX,
} from "../../../../../src/node/encryption/tasks/packet.ts";
import type {
  TaskReport,
  TaskSpec,
} from "../../../../../src/node/encryption/tasks/task.ts";

const plain = { noNullPrototype: true };
const number = fc.maxSafeNat();
const keyId = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const spec: fc.Arbitrary<TaskSpec> = fc.oneof(
  fc.record({ kind: fc.constant("scan" as const), appliedFrom: number }, plain),
  fc.record({
    kind: fc.constant("key-references" as const),
    appliedFrom: number,
    keyId,
  }, plain),
  fc.record(
    { kind: fc.constant("scrub" as const), appliedFrom: number },
    plain,
  ),
  fc.record(
    { kind: fc.constant("rewrite" as const), appliedFrom: number },
    plain,
  ),
);
const report: fc.Arbitrary<TaskReport> = fc.record({
  task: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  state: fc.constantFrom("waiting", "running", "paused", "done", "failed"),
  done: number,
  total: number,
  bytes: number,
  elapsedMs: number,
  failure: fc.string({ maxLength: FAILURE_LENGTH_MAX }),
  counts: fc.option(fc.record({
    cleartext: number,
    sealed: fc.uniqueArray(fc.tuple(keyId, number), {
      maxLength: 128,
      selector: ([id]) => id,
    }).map((pairs) => new Map(pairs.sort(([a], [b]) => a - b))),
  }, plain)),
  references: fc.option(fc.record({
    entries: number,
    lastIndex: number,
    checkpointIndex: number,
  }, plain)),
}, plain);

Deno.test("a question comes out as it went in", () => {
  fc.assert(fc.property(fc.integer({ min: 1 }), spec, (task, spec) => {
    assert.deepEqual(decodeTaskAsk(encodeTaskAsk({ task, spec })), {
      task,
      spec,
    });
  }));
});

Deno.test("a report comes out as it went in", () => {
  fc.assert(fc.property(report, (report) => {
    assert.deepEqual(decodeTaskReport(encodeTaskReport(report)), report);
  }));
});

Deno.test("what no member sends is no packet, and never throws", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const ask = decodeTaskAsk(bytes);
    if (ask !== null) assert.deepEqual(encodeTaskAsk(ask), bytes);
    const report = decodeTaskReport(bytes);
    if (report !== null) assert.deepEqual(encodeTaskReport(report), bytes);
  }));
});

Deno.test("an unknown field, a key of no id and too many bytes are refused", () => {
  const ask = encodeTaskAsk({
    task: 7,
    spec: { kind: "key-references", appliedFrom: 1, keyId: 9 },
  });
  assert.equal(decodeTaskAsk(concatBytes(ask, Uint8Array.of(0x78, 1))), null);
  assert.equal(decodeTaskAsk(ask.subarray(0, ask.length - 2)), null);
  assert.equal(decodeTaskAsk(new Uint8Array(65)), null);
  assert.equal(decodeTaskReport(new Uint8Array(20_000)), null);
});

Deno.test("a failure is cut to what may travel", () => {
  const failure = "x".repeat(5_000);
  const bytes = encodeTaskReport({
    ...{ task: 1, state: "failed", done: 0, total: 0, bytes: 0 },
    ...{ elapsedMs: 0, failure, counts: null, references: null },
  });
  const length = decodeTaskReport(bytes)?.failure.length;
  assert.equal(length, FAILURE_LENGTH_MAX);
});
