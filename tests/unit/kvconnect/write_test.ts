import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  type AtomicWriteOutput,
  AtomicWriteOutputSchema,
  AtomicWriteSchema,
} from "../../../src/kvconnect/gen/datapath_pb.ts";
import { Fixture } from "./fixture.ts";

const M_SET = 1;
const M_DELETE = 2;
const M_SUM = 3;
const M_MIN = 5;
const M_SUFFIX = 9;
const V8 = 1;
const LE64 = 2;
const BYTES = 3;

interface TestMutation {
  readonly key?: Uint8Array;
  readonly value?: { data: Uint8Array; encoding: number };
  readonly mutationType?: number;
  readonly expireAtMs?: bigint;
  readonly sumMin?: Uint8Array;
  readonly sumMax?: Uint8Array;
  readonly sumClamp?: boolean;
}

interface TestWrite {
  readonly checks?: { key: Uint8Array; versionstamp?: Uint8Array }[];
  readonly mutations?: TestMutation[];
  readonly enqueues?: { payload: Uint8Array }[];
}

const KEY = utf8("\u0002a\0");

function set(more: TestMutation = {}): TestMutation {
  const value = { data: new Uint8Array(3), encoding: BYTES };
  return { key: KEY, value, mutationType: M_SET, ...more };
}

function keyOf(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

async function send(fixture: Fixture, write: TestWrite): Promise<Response> {
  const body = toBinary(AtomicWriteSchema, create(AtomicWriteSchema, write));
  return await fixture.call("atomic_write", body);
}

async function commit(
  fixture: Fixture,
  write: TestWrite,
): Promise<AtomicWriteOutput> {
  const response = await send(fixture, write);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-protobuf");
  return fromBinary(
    AtomicWriteOutputSchema,
    new Uint8Array(await response.arrayBuffer()),
  );
}

Deno.test("atomic_write answers a commit with its versionstamp", async () => {
  const fixture = new Fixture();
  const first = await commit(fixture, { mutations: [set()] });
  assert.equal(first.status, 1);
  assert.equal(toHex(first.versionstamp), "00000000000000010000");
  const empty = await commit(fixture, {});
  assert.equal(empty.status, 1);
  assert.equal(toHex(empty.versionstamp), "00000000000000020000");
});

Deno.test("atomic_write names all failed checks", async () => {
  const fixture = new Fixture();
  const { versionstamp } = await commit(fixture, { mutations: [set()] });
  const reply = await commit(fixture, {
    checks: [
      { key: KEY },
      { key: KEY, versionstamp },
      { key: keyOf(1) },
      { key: keyOf(1), versionstamp },
    ],
    mutations: [set()],
  });
  assert.equal(reply.status, 2);
  assert.deepEqual(reply.failedChecks, [0, 3]);
  assert.equal(reply.versionstamp.length, 0);
});

Deno.test("atomic_write passes on what the client asked for", async () => {
  const fixture = new Fixture();
  const value = { data: utf8("x"), encoding: V8 };
  const u64 = { data: keyOf(8), encoding: LE64 };
  await commit(fixture, {
    checks: [{ key: KEY }],
    mutations: [
      set({ expireAtMs: 1_700_000_000_000n }),
      set({ expireAtMs: -1n }),
      { key: KEY, value, mutationType: M_SUFFIX, expireAtMs: 5n },
      { key: KEY, mutationType: M_DELETE },
      { key: KEY, mutationType: M_DELETE, value: { ...value, encoding: 77 } },
      {
        key: KEY,
        value: u64,
        mutationType: M_SUM,
        expireAtMs: 9n,
        sumMin: keyOf(1),
        sumMax: keyOf(2),
        sumClamp: true,
      },
      { key: keyOf(5), value: u64, mutationType: 4 },
      { key: keyOf(6), value: u64, mutationType: M_MIN },
    ],
  });
  const write = fixture.node.writes[0]!;
  assert.equal(write.database, "");
  assert.deepEqual(write.checks, [{ key: KEY, versionstamp: null }]);
  const bytes = { data: new Uint8Array(3), encoding: BYTES };
  assert.deepEqual(write.changes, [
    { kind: "set", key: KEY, value: bytes, expireAtMs: 1_700_000_000_000 },
    { kind: "set", key: KEY, value: bytes, expireAtMs: 0 },
    { kind: "set-suffix", key: KEY, value, expireAtMs: 5 },
    { kind: "delete", key: KEY },
    { kind: "delete", key: KEY },
    {
      kind: "sum",
      key: KEY,
      value: u64,
      min: keyOf(1),
      max: keyOf(2),
      clamp: true,
    },
    { kind: "max", key: keyOf(5), value: u64 },
    { kind: "min", key: keyOf(6), value: u64 },
  ]);
});

Deno.test("atomic_write turns what the state refuses into a 400", async () => {
  const fixture = new Fixture();
  await commit(fixture, { mutations: [set()] });
  const response = await send(fixture, {
    mutations: [{
      key: KEY,
      value: { data: keyOf(8), encoding: LE64 },
      mutationType: M_SUM,
    }],
  });
  assert.equal(response.status, 400);
  assert.equal(
    await response.text(),
    "Failed to perform 'sum' mutation on a non-U64 value in the database",
  );
});

function many<T>(count: number, item: T): T[] {
  return new Array<T>(count).fill(item);
}

function value(length: number, encoding: number) {
  return { data: new Uint8Array(length), encoding };
}

/** 12 × (4 + 65,536) + 4 + 32,716 = 819,200. */
const FULL: TestMutation[] = [
  ...many(12, set({ key: keyOf(4), value: value(65_536, BYTES) })),
  set({ key: keyOf(4), value: value(32_716, BYTES) }),
];

const FITS: [name: string, write: TestWrite][] = [
  ["a key of 2048 bytes", { mutations: [set({ key: keyOf(2_048) })] }],
  ["a suffix key of 2048 bytes", {
    mutations: [set({ key: keyOf(2_048), mutationType: M_SUFFIX })],
  }],
  ["a check key of 2049 bytes", { checks: [{ key: keyOf(2_049) }] }],
  ["a value of 65536 bytes", {
    mutations: [set({ value: value(65_536, BYTES) })],
  }],
  ["an empty value", { mutations: [set({ value: value(0, V8) })] }],
  ["100 checks", { checks: many(100, { key: keyOf(9) }) }],
  ["1000 mutations", { mutations: many(1_000, set()) }],
  ["819200 bytes", { mutations: FULL }],
  ["an expiry beyond 2^53", { mutations: [set({ expireAtMs: 2n ** 62n })] }],
];

for (const [name, write] of FITS) {
  Deno.test(`atomic_write takes ${name}`, async () => {
    assert.equal((await commit(new Fixture(), write)).status, 1);
  });
}

const REFUSED: [name: string, write: TestWrite, text: RegExp][] = [
  ["a key of 2049 bytes", {
    mutations: [set({ key: keyOf(2_049) })],
  }, /^Key too large for write \(max 2048 bytes\)$/],
  ["a deleted key of 2049 bytes", {
    mutations: [{ key: keyOf(2_049), mutationType: M_DELETE }],
  }, /^Key too large for write \(max 2048 bytes\)$/],
  ["an empty key", {
    mutations: [set({ key: keyOf(0) })],
  }, /^key cannot be empty$/],
  ["an empty key in a check", {
    checks: [{ key: keyOf(0) }],
  }, /^key cannot be empty$/],
  ["a check key of 2050 bytes", {
    checks: [{ key: keyOf(2_050) }],
  }, /^Key too large for check/],
  ["a check of 9 bytes", {
    checks: [{ key: KEY, versionstamp: keyOf(9) }],
  }, /9 bytes instead of 10/],
  ["a check of 11 bytes", {
    checks: [{ key: KEY, versionstamp: keyOf(11) }],
  }, /11 bytes instead of 10/],
  ["101 checks", {
    checks: many(101, { key: KEY }),
  }, /^Too many checks \(max 100\)$/],
  ["1001 mutations", {
    mutations: many(1_001, set()),
  }, /^Too many mutations \(max 1000\)$/],
  ["a value of 65537 bytes", {
    mutations: [set({ value: value(65_537, BYTES) })],
  }, /^Value too large \(max 65536 bytes\)$/],
  ["819201 bytes", {
    mutations: [...FULL, { key: keyOf(1), mutationType: M_DELETE }],
  }, /^Total mutation size too large \(max 819200 bytes\)$/],
  ["a set without a value", {
    mutations: [{ key: KEY, mutationType: M_SET }],
  }, /value is missing/],
  ["a sum without a value", {
    mutations: [{ key: KEY, mutationType: M_SUM }],
  }, /value is missing/],
  ["a u64 of 7 bytes", {
    mutations: [set({ value: value(7, LE64) })],
  }, /7 bytes instead of 8/],
  ["a u64 operand of 9 bytes", {
    mutations: [set({ value: value(9, LE64), mutationType: M_SUM })],
  }, /9 bytes instead of 8/],
  ["encoding 0", {
    mutations: [set({ value: value(1, 0) })],
  }, /^Unknown encoding of a value: 0$/],
  ["encoding 4", {
    mutations: [set({ value: value(1, 4) })],
  }, /^Unknown encoding of a value: 4$/],
  ["encoding -1", {
    mutations: [set({ value: value(1, -1) })],
  }, /^Unknown encoding of a value: -1$/],
  ["mutation type 0", { mutations: [set({ mutationType: 0 })] }, /kind.*: 0$/],
  ["mutation type 6", { mutations: [set({ mutationType: 6 })] }, /kind.*: 6$/],
  ["mutation type 10", {
    mutations: [set({ mutationType: 10 })],
  }, /kind.*: 10$/],
  ["an expiry of -2", { mutations: [set({ expireAtMs: -2n })] }, /expiry.*-2/],
  ["a bound over 65536 bytes", {
    mutations: [{
      key: KEY,
      value: value(8, LE64),
      mutationType: M_SUM,
      sumMin: keyOf(65_537),
    }],
  }, /^Value too large/],
  ["an enqueue", {
    mutations: [set()],
    enqueues: [{ payload: keyOf(1) }],
  }, /^Queues are not supported/],
];

for (const [name, write, text] of REFUSED) {
  Deno.test(`atomic_write refuses ${name} and changes nothing`, async () => {
    const fixture = new Fixture();
    const response = await send(fixture, write);
    assert.equal(response.status, 400);
    const body = await response.text();
    assert.match(body, text);
    assert.doesNotMatch(body, /authorization/i);
    assert.deepEqual(fixture.node.writes, []);
  });
}
