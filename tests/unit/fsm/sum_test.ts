import assert from "node:assert/strict";
import { deserialize } from "node:v8";
import { evaluateMinMax, evaluateSum } from "../../../src/fsm/sum.ts";
import type { KvValue } from "../../../src/fsm/types.ts";
import { bytesValue, u64, v8, v8Value } from "./arbitraries.ts";

const U64_MAX = 2n ** 64n - 1n;
const A = "Failed to perform 'sum' mutation on a non-U64 value in the database";
const OPERAND =
  "Some of the parameters are not valid V8 values: a sum takes a KvU64, BigInt or Number";

/** What a value is in the program that wrote it; KvU64s as `{ u64 }`. */
function valueOf({ data, encoding }: KvValue): unknown {
  if (encoding === 1) return deserialize(data);
  if (encoding === 3) return data;
  return { u64: new DataView(data.slice().buffer).getBigUint64(0, true) };
}

const SUMS: [stored: KvValue | null, operand: KvValue, expected: unknown][] = [
  [null, u64(3n), { u64: 3n }],
  [u64(1n), u64(10n), { u64: 11n }],
  [u64(U64_MAX), u64(1n), { u64: 0n }],
  [u64(U64_MAX), u64(U64_MAX), { u64: U64_MAX - 1n }],
  [u64(1n), v8Value(5n), { u64: 6n }],
  [u64(1n), v8Value(0n), { u64: 1n }],
  [u64(2n), v8Value(U64_MAX), { u64: 1n }],
  [null, v8Value(-5n), -5n],
  [null, v8Value(2.5), 2.5],
  [v8Value(1), v8Value(2.5), 3.5],
  [v8Value(1n), v8Value(-5n), -4n],
  [v8Value(2n ** 64n), v8Value(2n ** 64n), 2n ** 65n],
  [v8Value(2 ** 31), v8Value(2 ** 31), 2 ** 32],
  [v8Value(Infinity), v8Value(-Infinity), NaN],
];

for (const [stored, operand, expected] of SUMS) {
  const name = `${stored && show(stored)} + ${show(operand)}`;
  Deno.test(`evaluateSum() ${name} = ${show(expected)}`, () => {
    const sum = evaluateSum(stored, sumOf(operand));
    assert.ok(typeof sum !== "string", String(sum));
    assert.deepEqual(valueOf(sum), expected);
  });
}

Deno.test("evaluateSum() keeps the operand's bytes for an absent key", () => {
  const operand = { data: Uint8Array.of(0xff, 0x10, 0x49, 2), encoding: 1 };
  const change = sumOf(operand as KvValue);
  assert.equal(evaluateSum(null, change), change.value);
});

const REFUSED: [stored: KvValue | null, operand: KvValue, text: string][] = [
  [v8Value(1), u64(1n), A],
  [v8Value("x"), u64(1n), A],
  [bytesValue(1), u64(1n), A],
  [u64(1n), v8Value(1), "Cannot sum KvU64 with Number"],
  [u64(1n), v8Value(-5n), "Cannot sum KvU64 with BigInt"],
  [u64(1n), v8Value(2n ** 64n), "Cannot sum KvU64 with BigInt"],
  [v8Value(1n), v8Value(1), "Cannot sum BigInt with Number"],
  [v8Value(1), v8Value(1n), "Cannot sum Number with BigInt"],
  [v8Value("x"), v8Value(1), "unsupported value type"],
  [v8Value(null), v8Value(1n), "unsupported value type"],
  [bytesValue(1, 2), v8Value(1n), "unsupported value type"],
  [null, v8Value("1"), OPERAND],
  [null, bytesValue(1), OPERAND],
  [u64(1n), v8Value({}), OPERAND],
  [null, bytesValue(0xff, 0x0f, 0x49, 2), OPERAND],
];

for (const [stored, operand, text] of REFUSED) {
  const name = `${stored && show(stored)} + ${show(operand)}`;
  Deno.test(`evaluateSum() refuses ${name}: ${text}`, () => {
    assert.equal(evaluateSum(stored, sumOf(operand)), text);
  });
}

const RANGE = "The result of a Sum operation would exceed its range limit";
const BOUND =
  "Some of the parameters are not valid V8 values: bounds must be of the operand's type";

type Bound = number | bigint | string | null;
const BOUNDED: [
  stored: KvValue | null,
  operand: Bound,
  min: Bound,
  max: Bound,
  clamp: boolean,
  expected: unknown,
][] = [
  [v8Value(5n), 5n, null, 10n, false, 10n],
  [v8Value(5n), 6n, null, 10n, false, RANGE],
  [v8Value(5n), 6n, null, 10n, true, 10n],
  [v8Value(5n), -5n, 0n, null, false, 0n],
  [v8Value(5n), -6n, 0n, null, false, RANGE],
  [v8Value(5n), -6n, 0n, 10n, true, 0n],
  [v8Value(1), 0.5, 0, 1.5, false, 1.5],
  [v8Value(1), 0.6, 0, 1.5, false, RANGE],
  [v8Value(1), 0.6, 0, 1.5, true, 1.5],
  [v8Value(1), NaN, 0, 1, false, NaN],
  [v8Value(1), 1, null, null, true, 2],
  [v8Value(1), 1, 5, 0, true, 0],
  [null, 99n, 0n, 10n, true, 99n],
  [v8Value(1), 1, 0n, null, false, BOUND],
  [v8Value(1), 1, null, "9", false, BOUND],
  [null, 1n, 0, null, false, BOUND],
  [u64(1n), 1n, 0n, null, false, "Cannot sum KvU64 with BigInt"],
  [u64(1n), 1n, null, 9n, false, "Cannot sum KvU64 with BigInt"],
  [u64(1n), 1n, null, null, true, "Cannot sum KvU64 with BigInt"],
];

for (const [stored, operand, min, max, clamp, expected] of BOUNDED) {
  const bounds = `in [${show(min)}, ${show(max)}]${clamp ? " clamped" : ""}`;
  const name = `${stored && show(stored)} + ${show(operand)} ${bounds}`;
  Deno.test(`evaluateSum() ${name} = ${show(expected)}`, () => {
    const sum = evaluateSum(stored, {
      ...sumOf(v8Value(operand)),
      min: min === null ? new Uint8Array(0) : v8(min),
      max: max === null ? new Uint8Array(0) : v8(max),
      clamp,
    });
    assert.deepEqual(typeof sum === "string" ? sum : valueOf(sum), expected);
  });
}

Deno.test("evaluateSum() refuses a bound longer than any value", () => {
  const change = { ...sumOf(v8Value(1n)), min: v8(2n ** 600_000n) };
  assert.equal(evaluateSum(null, change), BOUND);
});

const EXTREMES: [
  kind: "min" | "max",
  stored: KvValue | null,
  operand: KvValue,
  expected: unknown,
][] = [
  ["min", null, u64(7n), { u64: 7n }],
  ["max", null, u64(7n), { u64: 7n }],
  ["min", u64(5n), u64(7n), { u64: 5n }],
  ["min", u64(7n), u64(5n), { u64: 5n }],
  ["min", u64(5n), u64(5n), { u64: 5n }],
  ["max", u64(5n), u64(7n), { u64: 7n }],
  ["max", u64(7n), u64(5n), { u64: 7n }],
  ["max", u64(2n ** 63n), u64(1n), { u64: 2n ** 63n }],
];

for (const [kind, stored, operand, expected] of EXTREMES) {
  const name = `${kind}(${stored && show(stored)}, ${show(operand)})`;
  Deno.test(`evaluateMinMax() ${name} = ${show(expected)}`, () => {
    const result = evaluateMinMax(stored, extremeOf(kind, operand));
    assert.ok(typeof result !== "string");
    assert.deepEqual(valueOf(result), expected);
  });
}

for (const kind of ["min", "max"] as const) {
  for (const operand of [v8Value(1n), v8Value(1), bytesValue(1)]) {
    Deno.test(`evaluateMinMax() refuses ${kind} of ${show(operand)}`, () => {
      for (const stored of [null, u64(1n), v8Value("x")]) {
        assert.equal(
          evaluateMinMax(stored, extremeOf(kind, operand)),
          `Failed to perform '${kind}' mutation on a non-U64 operand`,
        );
      }
    });
  }
  Deno.test(`evaluateMinMax() refuses ${kind} on other values`, () => {
    for (const stored of [v8Value(1n), bytesValue(1)]) {
      assert.equal(
        evaluateMinMax(stored, extremeOf(kind, u64(1n))),
        `Failed to perform '${kind}' mutation on a non-U64 value in the database`,
      );
    }
  });
}

function sumOf(value: KvValue) {
  const none = new Uint8Array(0);
  const key = Uint8Array.of(1);
  return {
    kind: "sum" as const,
    key,
    value,
    min: none,
    max: none,
    clamp: false,
  };
}

function extremeOf(kind: "min" | "max", value: KvValue) {
  return { kind, key: Uint8Array.of(1), value };
}

function show(value: unknown): string {
  return Deno.inspect(
    isValue(value) ? valueOf(value) : value,
    { compact: true, breakLength: Infinity },
  );
}

function isValue(value: unknown): value is KvValue {
  return typeof value === "object" && value !== null && "encoding" in value;
}
