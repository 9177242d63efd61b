/*
 * Goal: the check of histories sees each kind of fault, and none where a client
 * repeated a call.
 */
import { deepEqual, equal, match } from "node:assert/strict";
import type { HistoryItem, Operation, Result } from "./history.ts";
import { checkKeys } from "./linearizable.ts";
import { versionOrderFaults } from "./version_order.ts";

const ABSENT: Result = { kind: "read", value: null, versionstamp: null };
const UNKNOWN: Result = { kind: "unknown", error: "cut off" };
const REFUSED: Result = { kind: "refused" };

let clients = 0;

function item(
  op: Operation,
  [invokeMs, returnMs]: readonly [number, number | null],
  result: Result,
): HistoryItem {
  clients += 1;
  return { client: `deno@n1#${clients}`, op, invokeMs, returnMs, result };
}

const stamp = (n: number) => String(n).padStart(20, "0");
const set = (value: string): Operation => ({ kind: "set", key: "k", value });
const get: Operation = { kind: "get", key: "k" };
const cas = (value: string, expected: number | null): Operation => ({
  kind: "cas",
  key: "k",
  expected: expected === null ? null : stamp(expected),
  value,
});
const written = (n: number): Result => ({
  kind: "written",
  versionstamp: stamp(n),
});
const read = (value: string, n: number): Result => ({
  kind: "read",
  value,
  versionstamp: stamp(n),
});

const GOOD: readonly [name: string, history: readonly HistoryItem[]][] = [
  ["one after the other", [
    item(get, [0, 1], ABSENT),
    item(set("a"), [2, 3], written(1)),
    item(get, [4, 5], read("a", 1)),
    item(cas("b", 1), [6, 7], written(2)),
    item(cas("c", 1), [8, 9], REFUSED),
  ]],
  ["a read during the write, either way", [
    item(set("a"), [0, 9], written(1)),
    item(get, [1, 2], ABSENT),
    item(get, [3, 4], read("a", 1)),
  ]],
  ["an unknown write that is seen late", [
    item(set("a"), [0, 1], UNKNOWN),
    item(get, [2, 3], ABSENT),
    item(get, [4, 5], read("a", 4)),
  ]],
  ["a set that was sent again", [
    item(set("a"), [0, 900], written(5)),
    item(get, [100, 110], read("a", 2)),
    item(get, [901, 902], read("a", 5)),
  ]],
  ["a check that holds, sent again", [
    item(cas("a", null), [0, 900], REFUSED),
    item(get, [901, 902], read("a", 1)),
  ]],
  ["a check refused by one that was sent again", [
    item(set("a"), [0, 1], written(1)),
    item(cas("b", 1), [2, 900], REFUSED),
    item(cas("c", 1), [4, 5], REFUSED),
  ]],
];

const BAD: readonly [
  name: string,
  fault: RegExp,
  history: readonly HistoryItem[],
][] = [
  ["a lost write", /^a stale read/, [
    item(set("a"), [0, 1], written(1)),
    item(get, [2, 3], ABSENT),
  ]],
  ["a read that goes back", /^a stale read/, [
    item(set("a"), [0, 1], written(1)),
    item(set("b"), [2, 20], written(2)),
    item(get, [3, 4], read("b", 2)),
    item(get, [5, 6], read("a", 1)),
  ]],
  ["a value from nowhere", /^a value that nobody wrote/, [
    item(get, [0, 1], read("z", 1)),
  ]],
  ["a read before its write", /^a read of the future/, [
    item(get, [0, 1], read("a", 1)),
    item(set("a"), [2, 3], UNKNOWN),
  ]],
  ["a refused write that is there", /^a write that did not happen so/, [
    item(set("b"), [0, 1], written(1)),
    item(cas("a", null), [2, 3], REFUSED),
    item(get, [4, 5], read("a", 2)),
  ]],
  [
    "a write that nobody heard and is there",
    /^a write that did not happen so/,
    [
      item(set("a"), [0, 1], { kind: "failed", error: "refused" }),
      item(get, [2, 3], read("a", 2)),
    ],
  ],
  ["a write that happened twice", /^a write that did not happen so/, [
    item(set("a"), [0, 1], written(1)),
    item(get, [2, 3], read("a", 2)),
  ]],
  ["two winners of one check", /^a check that should fail/, [
    item(cas("a", null), [0, 9], written(1)),
    item(cas("b", null), [0, 9], written(2)),
  ]],
  ["a check refused for nothing", /^a check that should hold/, [
    item(set("a"), [0, 1], written(1)),
    item(cas("b", 1), [2, 3], REFUSED),
  ]],
  ["an order against time", /^a write before what was there/, [
    item(set("a"), [0, 1], written(2)),
    item(set("b"), [2, 3], written(1)),
  ]],
  ["one versionstamp twice", /^one versionstamp twice/, [
    item(set("a"), [0, 9], written(1)),
    item({ kind: "set", key: "l", value: "b" }, [0, 9], written(1)),
  ]],
  ["one versionstamp, two values", /^two values at one time/, [
    item(set("a"), [0, 900], written(3)),
    item(set("b"), [0, 900], written(4)),
    item(get, [1, 2], read("a", 2)),
    item(get, [1, 2], read("b", 2)),
  ]],
];

/** Faults of versionstamps alone, which the search believes nothing of. */
const OF_STAMPS = new Set([
  "an order against time",
  "one versionstamp twice",
  "one versionstamp, two values",
]);

for (const [name, history] of GOOD) {
  Deno.test(`versionOrderFaults() accepts ${name}`, () => {
    deepEqual(versionOrderFaults(history), []);
    deepEqual(checkKeys(history), { faults: [], undecided: [] });
  });
}

for (const [name, fault, history] of BAD) {
  Deno.test(`versionOrderFaults() sees ${name}`, () => {
    const faults = versionOrderFaults(history);
    equal(faults.length, 1, faults.join("\n"));
    match(faults[0]!, fault);
    equal(checkKeys(history).faults.length, OF_STAMPS.has(name) ? 0 : 1);
  });
}
