/*
 * Goal: the hand-written codec of the data plane and the generated one agree,
 * and no body makes the server do anything but answer 200 or 400.
 * Method: messages encoded by one side are decoded by the other, both ways;
 * then random, cut and mutated bodies against decoders and the whole handler.
 */
import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes, toHex } from "../../src/base/bytes.ts";
import {
  decodeAtomicWrite,
  decodeSnapshotRead,
  decodeWatch,
} from "../../src/kvconnect/decode_request.ts";
import {
  encodeCheckFailure,
  encodeCommitted,
  encodeReadReply,
  encodeWatchFrame,
  readReplySize,
} from "../../src/kvconnect/encode_reply.ts";
import { RequestInvalidError } from "../../src/kvconnect/errors.ts";
import {
  AtomicWriteOutputSchema,
  AtomicWriteSchema,
  SnapshotReadOutputSchema,
  SnapshotReadSchema,
  WatchOutputSchema,
  WatchSchema,
} from "../../src/kvconnect/gen/datapath_pb.ts";
import type { ReadEntry } from "../../src/node/port.ts";
import { Fixture } from "../unit/kvconnect/fixture.ts";

/** Records as object literals make them, to compare deeply. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(model, { noNullPrototype: true });
}

const RUNS = { numRuns: 300 };
const bytes = (maxLength = 40) =>
  fc.uint8Array({ maxLength }).map((array) => array.slice());
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }),
  fc.constantFrom(0n, -1n, 1n),
);
const mutation = plain({
  key: bytes(),
  value: fc.option(
    plain({ data: bytes(300), encoding: int32 }),
    { nil: undefined },
  ),
  mutationType: int32,
  expireAtMs: int64,
  sumMin: bytes(),
  sumMax: bytes(),
  sumClamp: fc.boolean(),
});
const write = plain({
  checks: fc.array(plain({ key: bytes(), versionstamp: bytes(12) })),
  mutations: fc.array(mutation),
  enqueues: fc.array(
    plain({
      payload: bytes(),
      deadlineMs: int64,
      keysIfUndelivered: fc.array(bytes()),
      backoffSchedule: fc.array(fc.nat()),
    }),
    { maxLength: 3 },
  ),
});
const read = plain({
  ranges: fc.array(
    plain({
      start: bytes(),
      end: bytes(),
      limit: int32,
      reverse: fc.boolean(),
    }),
    { maxLength: 10 },
  ),
});
const entry: fc.Arbitrary<ReadEntry> = plain({
  key: bytes(),
  value: plain({
    data: bytes(300),
    encoding: fc.constantFrom(1, 2, 3),
  }),
  versionstamp: fc.uint8Array({ minLength: 10, maxLength: 10 }),
});

Deno.test("decodeAtomicWrite() reads what the generated code wrote", () => {
  fc.assert(
    fc.property(write, (message) => {
      const body = toBinary(
        AtomicWriteSchema,
        create(AtomicWriteSchema, message),
      );
      const decoded = decodeAtomicWrite(body);
      assert.deepEqual(decoded.checks, message.checks);
      assert.equal(decoded.enqueueCount, message.enqueues.length);
      assert.deepEqual(
        decoded.mutations,
        message.mutations.map((expected) => ({
          key: expected.key,
          value: expected.value ?? null,
          type: expected.mutationType,
          expireAtMs: Number(expected.expireAtMs),
          sumMin: expected.sumMin,
          sumMax: expected.sumMax,
          sumClamp: expected.sumClamp,
        })),
      );
    }),
    RUNS,
  );
});

Deno.test("decodeSnapshotRead() and decodeWatch() read the same", () => {
  fc.assert(
    fc.property(read, (message) => {
      const body = toBinary(
        SnapshotReadSchema,
        create(SnapshotReadSchema, message),
      );
      assert.deepEqual(decodeSnapshotRead(body), message.ranges);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(fc.array(bytes(), { maxLength: 10 }), (keys) => {
      const message = create(WatchSchema, {
        keys: keys.map((key) => ({ key })),
      });
      assert.deepEqual(decodeWatch(toBinary(WatchSchema, message)), keys);
    }),
    RUNS,
  );
});

Deno.test("encodeReadReply() writes the bytes of the generated code", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(entry, { maxLength: 5 }), { maxLength: 5 }),
      (ranges) => {
        const size = readReplySize(ranges);
        const reply = concatBytes(...encodeReadReply(ranges, size));
        assert.equal(reply.length, size);
        const message = create(SnapshotReadOutputSchema, {
          status: 1,
          readIsStronglyConsistent: true,
          ranges: ranges.map((entries) => ({ values: entries.map(flat) })),
        });
        assert.equal(
          toHex(reply),
          toHex(toBinary(SnapshotReadOutputSchema, message)),
        );
      },
    ),
    RUNS,
  );
});

Deno.test("encodeCommitted() and encodeCheckFailure() write the same", () => {
  const stamp = fc.uint8Array({ minLength: 10, maxLength: 10 });
  const failed = fc.array(fc.nat(1_000), { maxLength: 100 });
  fc.assert(
    fc.property(stamp, failed, (versionstamp, failedChecks) => {
      const committed = { status: 1, versionstamp };
      assert.deepEqual(
        encodeCommitted(versionstamp),
        toBinary(
          AtomicWriteOutputSchema,
          create(AtomicWriteOutputSchema, committed),
        ),
      );
      assert.deepEqual(
        encodeCheckFailure(failedChecks),
        toBinary(
          AtomicWriteOutputSchema,
          create(AtomicWriteOutputSchema, { status: 2, failedChecks }),
        ),
      );
    }),
    RUNS,
  );
});

Deno.test("encodeWatchFrame() writes a length and the same bytes", () => {
  const told = fc.oneof(entry, fc.constant(null));
  fc.assert(
    fc.property(fc.array(told, { maxLength: 10 }), (entries) => {
      const frame = encodeWatchFrame(entries);
      const message = create(WatchOutputSchema, {
        status: 1,
        keys: entries.map((item) =>
          item === null
            ? { changed: true }
            : { changed: true, entryIfChanged: flat(item) }
        ),
      });
      const length = new DataView(frame.buffer).getUint32(0, true);
      assert.equal(length, frame.length - 4);
      assert.equal(
        toHex(frame.subarray(4)),
        toHex(toBinary(WatchOutputSchema, message)),
      );
    }),
    RUNS,
  );
});

Deno.test("decoders agree with the generated code on damaged bodies", () => {
  const damaged = fc.tuple(
    write,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    fc.nat(),
  ).map(([message, flips, cut]) => {
    const body = toBinary(
      AtomicWriteSchema,
      create(AtomicWriteSchema, message),
    );
    for (const [at, value] of flips) {
      if (body.length > 0) body[at % body.length] = value;
    }
    return body.subarray(0, body.length - cut % (body.length + 1) % 8);
  });
  fc.assert(
    fc.property(fc.oneof(damaged, bytes(200)), (body) => {
      let decoded;
      try {
        decoded = decodeAtomicWrite(body);
      } catch (error) {
        assert.ok(error instanceof RequestInvalidError);
        return;
      }
      // Stricter than the generated code, never laxer, and never different.
      const message = lenient(body);
      if (message === null) return;
      assert.equal(decoded.mutations.length, message.mutations.length);
      assert.deepEqual(
        decoded.mutations.map(({ key, type }) => [toHex(key), type]),
        message.mutations.map((m) => [toHex(m.key), m.mutationType]),
      );
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("the handler answers any body with 200 or 400", async () => {
  const fixture = new Fixture();
  const method = fc.constantFrom("snapshot_read", "atomic_write", "watch");
  await fc.assert(
    fc.asyncProperty(method, bytes(120), async (name, body) => {
      const response = await fixture.call(name, body);
      assert.ok([200, 400].includes(response.status), `${response.status}`);
      if (response.status === 400) {
        assert.doesNotMatch(await response.text(), /authorization|Internal/i);
      } else await response.body?.cancel();
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(fixture.faults, []);
  assert.equal(fixture.node.subscriptions, 0);
  fixture.server.stop();
});

Deno.test("the handler answers any metadata body with 200 or 400", async () => {
  const fixture = new Fixture();
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `{"supportedVersions":${json}}`),
  );
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const response = await fixture.exchange("/", { body: text });
      assert.ok([200, 400].includes(response.status));
      assert.doesNotMatch(await response.text(), /authorization|Internal/i);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(fixture.faults, []);
});

function flat(item: ReadEntry) {
  return {
    key: item.key,
    value: item.value.data,
    encoding: item.value.encoding,
    versionstamp: item.versionstamp,
  };
}

function lenient(body: Uint8Array) {
  try {
    return fromBinary(AtomicWriteSchema, body);
  } catch {
    return null;
  }
}
