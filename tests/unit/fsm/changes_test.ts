import assert from "node:assert/strict";
import { concatBytes, utf8 } from "../../../src/base/bytes.ts";
import {
  type ChangeContext,
  evaluateChange,
  isLive,
  readsRecord,
} from "../../../src/fsm/changes.ts";
import type { Change, StoredRecord } from "../../../src/fsm/types.ts";
import { versionstampOf } from "../../../src/fsm/versionstamp.ts";
import { bytesValue, u64, v8Value } from "./arbitraries.ts";

const KEY = Uint8Array.of(2, 0x61, 0);
const STAMP = versionstampOf(9, 1);
const CLOCK_MS = 1_000;

function context(stored: StoredRecord | null = null): ChangeContext {
  return {
    database: 3,
    versionstamp: STAMP,
    clockMs: CLOCK_MS,
    current: (key) => {
      assert.equal(key, KEY);
      return stored;
    },
  };
}

const sum: Change = {
  kind: "sum",
  key: KEY,
  value: u64(1n),
  min: new Uint8Array(0),
  max: new Uint8Array(0),
  clamp: false,
};

Deno.test("evaluateChange() sets a record with this write's stamp", () => {
  const value = bytesValue(1, 2);
  const set: Change = { kind: "set", key: KEY, value, expireAtMs: 0 };
  assert.deepEqual(evaluateChange(set, context()), {
    database: 3,
    key: KEY,
    record: { value, versionstamp: STAMP, expireAtMs: 0 },
  });
});

const EXPIRIES: [expireAtMs: number, kept: boolean][] = [
  [0, true],
  [1, false],
  [CLOCK_MS - 1, false],
  [CLOCK_MS, false],
  [CLOCK_MS + 1, true],
  [Number.MAX_SAFE_INTEGER, true],
];

for (const [expireAtMs, kept] of EXPIRIES) {
  const verb = kept ? "keeps" : "deletes";
  Deno.test(`evaluateChange() ${verb} a set that expires at ${expireAtMs}`, () => {
    for (const kind of ["set", "set-suffix"] as const) {
      const change: Change = { kind, key: KEY, value: u64(1n), expireAtMs };
      const mutation = evaluateChange(change, context());
      assert.ok(typeof mutation !== "string");
      assert.equal(mutation.record?.expireAtMs, kept ? expireAtMs : undefined);
    }
  });
}

Deno.test("evaluateChange() sets a suffixed key under its final name", () => {
  const value = v8Value(1);
  const change: Change = { kind: "set-suffix", key: KEY, value, expireAtMs: 0 };
  const mutation = evaluateChange(change, context());
  assert.ok(typeof mutation !== "string");
  const part = utf8("\x0200000000000000090001\x00");
  assert.deepEqual(mutation.key, concatBytes(KEY, part));
});

Deno.test("evaluateChange() deletes", () => {
  assert.deepEqual(evaluateChange({ kind: "delete", key: KEY }, context()), {
    database: 3,
    key: KEY,
    record: null,
  });
});

Deno.test("evaluateChange() clears the expiry of what it sums", () => {
  const stored = { value: u64(4n), versionstamp: STAMP, expireAtMs: 5_000 };
  const changes: Change[] = [
    sum,
    { kind: "min", key: KEY, value: u64(1n) },
    { kind: "max", key: KEY, value: u64(1n) },
  ];
  const results = changes.map((change) => {
    const mutation = evaluateChange(change, context(stored));
    assert.ok(typeof mutation !== "string");
    assert.equal(mutation.record?.expireAtMs, 0);
    assert.equal(mutation.record?.versionstamp, STAMP);
    return mutation.record?.value.data[0];
  });
  assert.deepEqual(results, [5, 1, 4]);
});

const SIZES: [what: string, change: Change, fault: string | null][] = [
  ["an empty key", { kind: "delete", key: bytes(0) }, "key cannot be empty"],
  ["a longest key", { kind: "delete", key: bytes(2048) }, null],
  [
    "a longest suffixed key",
    setOf({ kind: "set-suffix", key: bytes(2048) }),
    null,
  ],
  [
    "a key too long",
    { kind: "delete", key: bytes(2049) },
    "Key too large for write (max 2048 bytes)",
  ],
  ["a longest value", setOf({ value: blob(65_536) }), null],
  [
    "a value too long",
    setOf({ value: blob(65_537) }),
    "Value too large (max 65536 bytes)",
  ],
  ["an empty value", setOf({ value: blob(0) }), null],
  [
    "a KvU64 of 7 bytes",
    setOf({ value: { data: bytes(7), encoding: 2 } }),
    "A KvU64 must have 8 bytes",
  ],
  [
    "a sum with a KvU64 of 9 bytes",
    { ...sum, value: { data: bytes(9), encoding: 2 } },
    "A KvU64 must have 8 bytes",
  ],
];

for (const [what, change, fault] of SIZES) {
  Deno.test(`evaluateChange() ${fault === null ? "takes" : "refuses"} ${what}`, () => {
    const mutation = evaluateChange(change, context());
    assert.equal(typeof mutation === "string" ? mutation : null, fault);
  });
}

Deno.test("evaluateChange() refuses a sum that grows past a value", () => {
  const value = v8Value(2n ** 524_224n - 1n);
  assert.equal(value.data.length, 65_534);
  const stored = { value, versionstamp: STAMP, expireAtMs: 0 };
  const outcome = evaluateChange({ ...sum, value }, context(stored));
  assert.ok(typeof outcome === "string");
  assert.equal(outcome, "Value too large (max 65536 bytes)");
});

Deno.test("evaluateChange() passes a sum's refusal on", () => {
  const stored = { value: v8Value(1), versionstamp: STAMP, expireAtMs: 0 };
  assert.match(String(evaluateChange(sum, context(stored))), /non-U64 value/);
});

Deno.test("isLive() counts a record as absent from its expiry on", () => {
  const record = { value: u64(1n), versionstamp: STAMP };
  assert.equal(isLive({ ...record, expireAtMs: 0 }, CLOCK_MS), true);
  assert.equal(isLive({ ...record, expireAtMs: CLOCK_MS + 1 }, CLOCK_MS), true);
  assert.equal(isLive({ ...record, expireAtMs: CLOCK_MS }, CLOCK_MS), false);
});

Deno.test("readsRecord() is true of sums, minima and maxima", () => {
  const value = u64(1n);
  const kinds = new Map<Change["kind"], boolean>([
    [sum.kind, readsRecord(sum)],
    ["min", readsRecord({ kind: "min", key: KEY, value })],
    ["max", readsRecord({ kind: "max", key: KEY, value })],
    ["set", readsRecord(setOf({}))],
    ["set-suffix", readsRecord(setOf({ kind: "set-suffix" }))],
    ["delete", readsRecord({ kind: "delete", key: KEY })],
  ]);
  assert.deepEqual([...kinds.values()], [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

function setOf(
  fields: Partial<Extract<Change, { kind: "set" | "set-suffix" }>>,
): Change {
  return { kind: "set", key: KEY, value: u64(1n), expireAtMs: 0, ...fields };
}

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}

function blob(length: number) {
  return { data: bytes(length), encoding: 3 } as const;
}
