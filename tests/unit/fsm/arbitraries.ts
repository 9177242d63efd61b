import fc from "fast-check";
import { serialize } from "node:v8";
import type { CommandBatch } from "../../../src/fsm/batch_codec.ts";
import type { Payload } from "../../../src/fsm/payload.ts";
import {
  type AtomicWrite,
  type Change,
  type Check,
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type KvValue,
  type Member,
} from "../../../src/fsm/types.ts";

import { encryptionChange } from "./encryption_arbitraries.ts";
import { rolloutChange } from "./rollout_arbitraries.ts";

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

/** Of plain objects, as decoders make them. */
function record<T>(fields: Arbitraries<T>): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

/** V8 bytes of `value`, by V8. */
export function v8(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(serialize(value));
}

/** 8 bytes, little-endian. */
export function le64(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** A KvU64. */
export function u64(value: bigint): KvValue {
  return { data: le64(value), encoding: ENCODING_LE64 };
}

/** A value in V8's encoding. */
export function v8Value(value: unknown): KvValue {
  return { data: v8(value), encoding: ENCODING_V8 };
}

/** A top-level Uint8Array. */
export function bytesValue(...bytes: readonly number[]): KvValue {
  return { data: Uint8Array.from(bytes), encoding: ENCODING_BYTES };
}

const numeric = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double(),
  fc.bigInt({ min: -4n, max: 4n }),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.constantFrom(2 ** 31, 2 ** 32, -(2 ** 31), 2n ** 64n - 1n, 2n ** 64n),
);
const u64s = fc.oneof(
  fc.bigInt({ min: 0n, max: 3n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const numericV8 = numeric.map(v8Value);

/** Any value, mostly ones that sums are about; some LE64 of a wrong length. */
export const kvValue: fc.Arbitrary<KvValue> = fc.oneof(
  numericV8,
  u64s.map(u64),
  fc.constantFrom("x", null, { a: 1 }, Object(1)).map(v8Value),
  record({
    data: fc.uint8Array({ maxLength: 9 }),
    encoding: fc.constantFrom(ENCODING_V8, ENCODING_LE64, ENCODING_BYTES),
  }),
);

const key = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constant(0) },
).map((n) => n === 0 ? new Uint8Array(0) : Uint8Array.of(2, 0x60 + n, 0));

const expireAtMs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 40 }),
);
const bound = fc.oneof(
  { weight: 3, arbitrary: fc.constant(new Uint8Array(0)) },
  { weight: 1, arbitrary: numeric.map(v8) },
);

const change: fc.Arbitrary<Change> = fc.oneof(
  record({
    kind: fc.constantFrom("set" as const, "set-suffix" as const),
    key,
    value: kvValue,
    expireAtMs,
  }),
  record({ kind: fc.constant("delete" as const), key }),
  record({
    kind: fc.constant("sum" as const),
    key,
    value: kvValue,
    min: bound,
    max: bound,
    clamp: fc.boolean(),
  }),
  record({
    kind: fc.constantFrom("min" as const, "max" as const),
    key,
    value: fc.oneof(u64s.map(u64), kvValue),
  }),
);

/** Index and position are small, so that checks are sometimes right. */
const check: fc.Arbitrary<Check> = record({
  key,
  versionstamp: fc.oneof(
    fc.constant(null),
    fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 2 }))
      .map(([index, position]) => {
        const stamp = new Uint8Array(10);
        stamp[7] = index;
        stamp[9] = position;
        return stamp;
      }),
  ),
});

const write: fc.Arbitrary<AtomicWrite> = record({
  database: fc.constantFrom("", "", "a", "b", "ü"),
  checks: fc.array(check, { maxLength: 2 }),
  changes: fc.array(change, { maxLength: 4 }),
});

/** Batches over few keys, with times around their expiries. */
export const commandBatch: fc.Arbitrary<CommandBatch> = record({
  nowMs: fc.integer({ min: 0, max: 40 }),
  writes: fc.array(write, { maxLength: 4 }),
});

const address = fc.constantFrom("", "n1.example:4701", "[::1]:4702");
const diskId = fc.constantFrom(1, 1, 2).map((byte) =>
  new Uint8Array(16).fill(byte)
);

/** Few ids and names, so that announcements are sometimes right. */
export const member: fc.Arbitrary<Member> = record({
  id: fc.integer({ min: 1, max: 4 }),
  name: fc.constantFrom("n1", "n2", "n3"),
  peerAddress: address,
  clientAddress: address,
  adminAddress: address,
  diskId: fc.oneof(fc.constant(null), diskId),
  protocolVersion: fc.constantFrom(0, 1, 2 ** 32 - 1),
  promoteWhenCaughtUp: fc.boolean(),
});

/** As entries list them: ids ascending, names unique. */
export const memberList: fc.Arbitrary<readonly Member[]> = fc.uniqueArray(
  member,
  { maxLength: 3, selector: ({ id }) => id },
).map((members) =>
  members.sort((a, b) => a.id - b.id).map((one, i) => ({
    ...one,
    name: `n${i + 1}`,
  }))
);

/** A member that says how to reach it. */
export const announcement: fc.Arbitrary<Member> = fc.tuple(member, diskId)
  .map(([one, disk]) => ({
    ...one,
    diskId: disk,
    promoteWhenCaughtUp: false,
  }));

/** What a log entry can tell the fsm. */
export const payload: fc.Arbitrary<Payload> = fc.oneof(
  {
    weight: 8,
    arbitrary: commandBatch.map((batch) => ({
      kind: "batch" as const,
      ...batch,
    })),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: fc.constant("clock" as const),
      clockMs: fc.integer({ min: 0, max: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: record({
      kind: fc.constant("cluster-init" as const),
      clusterId: fc.uint8Array({ minLength: 16, maxLength: 16 })
        .map((id) => new Uint8Array(id)),
      clusterName: fc.string({ unit: "grapheme", maxLength: 5 }),
      members: memberList,
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      kind: fc.constant("announcement" as const),
      member: announcement,
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      kind: fc.constant("encryption" as const),
      change: encryptionChange,
    }),
  },
  {
    weight: 2,
    arbitrary: record({
      kind: fc.constant("rollout" as const),
      change: rolloutChange,
    }),
  },
);
