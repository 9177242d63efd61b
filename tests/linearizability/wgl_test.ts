// Goal: the checker accepts every linearizable history and no other one.
//
// Method: known histories; random small ones against a search of all orders;
// long ones made by a real single copy, also with one answer changed.
import assert from "node:assert/strict";
import { SimRandom } from "../sim/io/random.ts";
import {
  KV_MODEL,
  type KvInput,
  type KvOutput,
  type KvState,
  type ModelChange,
  numberText,
} from "./kv_model.ts";
import { isLinearizable } from "./naive.ts";
import { checkLinearizable, type Operation } from "./wgl.ts";

type KvOperation = Operation<KvInput, KvOutput>;

const UNTIL = Infinity;

function write(
  id: string,
  change: ModelChange,
  [calledAt, returnedAt]: readonly [number, number],
): KvOperation {
  const isKnown = returnedAt !== UNTIL;
  return {
    input: { kind: "write", id, checks: [], changes: [change] },
    output: isKnown ? { kind: "committed", stamp: id } : null,
    calledAt,
    returnedAt,
  };
}

function set(id: string, times: readonly [number, number]): KvOperation {
  return write(id, { kind: "set", key: "a", value: id }, times);
}

function read(
  value: string | null,
  [calledAt, returnedAt]: readonly [number, number],
): KvOperation {
  const entries = value === null ? [] : [{ key: "a", value, stamp: value }];
  return {
    input: {
      kind: "read",
      ranges: [{ keys: ["a"], limit: 1, reverse: false }],
    },
    output: { kind: "entries", ranges: [entries] },
    calledAt,
    returnedAt,
  };
}

function swap(
  id: string,
  { was, isDone }: { was: string | null; isDone: boolean },
  [calledAt, returnedAt]: readonly [number, number],
): KvOperation {
  const checks = [{ key: "a", stamp: was }];
  const changes = [{ kind: "set" as const, key: "a", value: id }];
  return {
    input: { kind: "write", id, checks, changes },
    output: isDone
      ? { kind: "committed", stamp: id }
      : { kind: "check-failed", failed: [0] },
    calledAt,
    returnedAt,
  };
}

const HISTORIES: [name: string, isGood: boolean, operations: KvOperation[]][] =
  [
    ["nothing", true, []],
    ["a read of what was written", true, [set("x", [0, 1]), read("x", [2, 3])]],
    ["a stale read", false, [
      set("x", [0, 1]),
      set("y", [2, 3]),
      read("x", [4, 5]),
    ]],
    ["a read beside a write", true, [set("x", [0, 9]), read(null, [2, 3])]],
    ["a write seen and then not", false, [
      set("x", [0, 9]),
      read("x", [1, 2]),
      read(null, [3, 4]),
    ]],
    ["a lost write", false, [set("x", [0, 1]), read(null, [2, 3])]],
    ["a call at the time of a return", true, [
      set("x", [0, 1]),
      read(null, [1, 2]),
    ]],
    ["an unknown write that comes late", true, [
      set("x", [0, UNTIL]),
      read(null, [1, 2]),
      read("x", [3, 4]),
    ]],
    ["an unknown write seen before its call", false, [
      read("x", [0, 1]),
      set("x", [2, UNTIL]),
    ]],
    ["an unknown write that took place twice", false, [
      set("x", [0, UNTIL]),
      read("x", [1, 2]),
      set("y", [3, 4]),
      read("x", [5, 6]),
    ]],
    ["two checks of one state that both held", false, [
      set("x", [0, 1]),
      swap("y", { was: "x", isDone: true }, [2, 3]),
      swap("z", { was: "x", isDone: true }, [2, 3]),
    ]],
    ["a check that failed for nothing", false, [
      set("x", [0, 1]),
      swap("y", { was: "x", isDone: false }, [2, 3]),
    ]],
    ["a check that failed for an unknown write", true, [
      set("x", [0, 1]),
      set("w", [0, UNTIL]),
      swap("y", { was: "x", isDone: false }, [2, 3]),
    ]],
  ];

for (const [name, isGood, operations] of HISTORIES) {
  Deno.test(`checkLinearizable() ${isGood ? "accepts" : "rejects"} ${name}`, () => {
    const { kind } = checkLinearizable(KV_MODEL, operations);
    assert.equal(kind, isGood ? "linearizable" : "violation");
    assert.equal(isLinearizable(KV_MODEL, operations), isGood);
  });
}

Deno.test("checkLinearizable() counts sums and knows their bounds", () => {
  const sum = (id: string, by: bigint, times: readonly [number, number]) =>
    write(id, {
      kind: "sum",
      key: "a",
      by,
      isU64: false,
      min: null,
      max: 10n,
      clamp: false,
    }, times);
  const refused: KvOperation = {
    ...sum("z", 5n, [4, 5]),
    output: { kind: "rejected" },
  };
  const history = [sum("x", 3n, [0, 1]), sum("y", 4n, [2, 3]), refused];
  const last = (value: bigint, stamp: string): KvOperation => ({
    ...read(null, [6, 7]),
    output: {
      kind: "entries",
      ranges: [[{ key: "a", value: numberText(value, false), stamp }]],
    },
  });
  const verdictOf = (operations: KvOperation[]) =>
    checkLinearizable(KV_MODEL, operations).kind;
  assert.equal(verdictOf([...history, last(7n, "y")]), "linearizable");
  assert.equal(verdictOf([...history, last(11n, "y")]), "violation");
  assert.equal(verdictOf([...history, last(12n, "z")]), "violation");
});

/** Clients of one real copy; each operation takes effect within its times. */
function realHistory(
  random: SimRandom,
  { count, unknown }: { count: number; unknown: number },
): KvOperation[] {
  const clients = 5;
  const free = new Array<number>(clients).fill(0);
  const planned = Array.from({ length: count }, (_, i) => {
    const client = i % clients;
    const calledAt = free[client]! + random.below(5);
    const effectAt = calledAt + 1 + random.below(20);
    const returnedAt = effectAt + 1 + random.below(20);
    free[client] = returnedAt + 1;
    return { id: `w${i}`, calledAt, effectAt, returnedAt };
  });
  planned.sort((a, b) => a.effectAt - b.effectAt);
  let state: KvState = KV_MODEL.initial;
  return planned.map(({ id, calledAt, effectAt: _, returnedAt }) => {
    const key = random.pick(["a", "b"]);
    const cell = state.get(key);
    if (random.chance(1, 2)) {
      const entries = cell === undefined ? [] : [{ key, ...cell }];
      return { ...read(null, [calledAt, returnedAt]), ...readOf(key, entries) };
    }
    const isSwap = random.chance(1, 2);
    const stamp = isSwap && random.chance(1, 2)
      ? cell?.stamp ?? null
      : "w0".padEnd(3, "0");
    const input: KvInput = {
      kind: "write",
      id,
      checks: isSwap ? [{ key, stamp }] : [],
      changes: [{ kind: "set", key, value: id }],
    };
    const holds = !isSwap || stamp === (cell?.stamp ?? null);
    const output: KvOutput = holds
      ? { kind: "committed", stamp: id }
      : { kind: "check-failed", failed: [0] };
    const isUnknown = random.chance(unknown, 1_000);
    if (!isUnknown || random.chance(1, 2)) {
      state = KV_MODEL.step(state, input, output) ?? state;
    }
    return isUnknown
      ? { input, output: null, calledAt, returnedAt: UNTIL }
      : { input, output, calledAt, returnedAt };
  });
}

function readOf(
  key: string,
  entries: readonly { key: string; value: string; stamp: string }[],
) {
  return {
    input: {
      kind: "read" as const,
      ranges: [{ keys: [key], limit: 1, reverse: false }],
    },
    output: { kind: "entries" as const, ranges: [entries] },
  };
}

/** One read answers what another read or write could have. */
function spoil(random: SimRandom, history: KvOperation[]): KvOperation[] {
  const reads = history.filter(({ input }) => input.kind === "read");
  if (reads.length < 2) return history;
  const victim = random.pick(reads);
  const { output } = random.pick(reads);
  return history.map((operation) =>
    operation === victim ? { ...operation, output } : operation
  );
}

Deno.test("checkLinearizable() agrees with a search of all orders", () => {
  const random = new SimRandom(7);
  const counts = { linearizable: 0, violation: 0, undecided: 0 };
  for (let i = 0; i < 3_000; i += 1) {
    const count = 2 + random.below(7);
    let history = realHistory(random, { count, unknown: 200 });
    if (random.chance(2, 3)) history = spoil(random, history);
    const { kind } = checkLinearizable(KV_MODEL, history);
    const isGood = isLinearizable(KV_MODEL, history);
    assert.equal(kind, isGood ? "linearizable" : "violation", `history ${i}`);
    counts[kind] += 1;
  }
  assert.ok(counts.linearizable > 500, "many are good");
  assert.ok(counts.violation > 150, `many are bad: ${counts.violation}`);
});

Deno.test("checkLinearizable() decides ten thousand operations in seconds", () => {
  const random = new SimRandom(11);
  const history = realHistory(random, { count: 10_000, unknown: 2 });
  const good = checkLinearizable(KV_MODEL, history);
  assert.equal(good.kind, "linearizable");
  assert.ok(good.steps < 1_000_000, `${good.steps} steps`);
  const lost: KvOperation = readOfNothing(history);
  assert.equal(
    checkLinearizable(KV_MODEL, [...history, lost]).kind,
    "violation",
  );
});

/** A read after everything that sees nothing. */
function readOfNothing(history: readonly KvOperation[]): KvOperation {
  const last = Math.max(
    ...history.filter(({ output }) => output !== null)
      .map(({ returnedAt }) => returnedAt),
  );
  return {
    ...readOf("a", []),
    calledAt: last + 1,
    returnedAt: last + 2,
  };
}
