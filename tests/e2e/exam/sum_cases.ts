import assert from "node:assert/strict";
import {
  committed,
  type ExamCase,
  type ExamContext,
  mutation,
  rejects,
  u64At,
  valueAt,
} from "./exam.ts";

const U64_MAX = 2n ** 64n - 1n;
const KEY = ["n"];

type Kind = "sum" | "min" | "max";

/** A KvU64 by its number; other values as they are. */
type Operand = { readonly u64: bigint } | { readonly value: unknown };

const u = (value: bigint): Operand => ({ u64: value });
const v = (value: unknown): Operand => ({ value });

function valueOf({ u64 }: ExamContext, operand: Operand): unknown {
  return "u64" in operand ? u64(operand.u64) : operand.value;
}

async function mutate(
  context: ExamContext,
  kind: Kind,
  operand: Operand,
): Promise<void> {
  const value = valueOf(context, operand);
  committed(
    await context.kv.atomic()
      .mutate(mutation({ type: kind, key: KEY, value }))
      .commit(),
  );
}

/** `null` stands for an absent key. */
const RESULTS: readonly (readonly [
  kind: Kind,
  stored: Operand | null,
  operand: Operand,
  result: Operand,
])[] = [
  ["sum", u(10n), u(1n), u(11n)],
  ["sum", null, u(1n), u(1n)],
  ["sum", u(U64_MAX), u(10n), u(9n)],
  ["sum", u(9n), u(U64_MAX), u(8n)],
  ["sum", u(U64_MAX), u(1n), u(0n)],
  ["sum", u(2n ** 63n), u(2n ** 63n), u(0n)],
  ["min", u(10n), u(5n), u(5n)],
  ["min", u(5n), u(15n), u(5n)],
  ["min", null, u(1n), u(1n)],
  ["min", u(U64_MAX), u(2n ** 63n), u(2n ** 63n)],
  ["max", u(10n), u(5n), u(10n)],
  ["max", u(10n), u(15n), u(15n)],
  ["max", null, u(1n), u(1n)],
  ["max", u(2n ** 63n), u(U64_MAX), u(U64_MAX)],
];

/** Sums on numbers and bigints, which reach the server as V8's bytes. */
const V8_RESULTS: typeof RESULTS = [
  ["sum", v(1), v(2.5), v(3.5)],
  ["sum", v(1), v(2), v(3)],
  ["sum", v(2 ** 31), v(-1), v(2 ** 31 - 1)],
  ["sum", v(0.1), v(0.2), v(0.1 + 0.2)],
  ["sum", v(Infinity), v(-Infinity), v(NaN)],
  ["sum", null, v(2.5), v(2.5)],
  ["sum", v(1n), v(-5n), v(-4n)],
  ["sum", v(2n ** 64n), v(2n ** 64n), v(2n ** 65n)],
  ["sum", v(-(2n ** 200n)), v(2n ** 200n), v(0n)],
  ["sum", null, v(-5n), v(-5n)],
  ["sum", u(1n), v(5n), u(6n)],
  ["sum", u(U64_MAX), v(1n), u(0n)],
];

const IN_DATABASE = "mutation on a non-U64 value in the database";
const OPERAND = "mutation on a non-U64 operand";

const REFUSALS: readonly (readonly [
  kind: Kind,
  stored: Operand | null,
  operand: Operand,
  text: string | RegExp,
])[] = [
  ["sum", v(1), u(1n), `Failed to perform 'sum' ${IN_DATABASE}`],
  ["min", v(1), u(1n), `Failed to perform 'min' ${IN_DATABASE}`],
  ["max", v(1), u(1n), `Failed to perform 'max' ${IN_DATABASE}`],
  ["sum", v("x"), u(1n), `Failed to perform 'sum' ${IN_DATABASE}`],
  ["max", v(Uint8Array.of(1)), u(1n), `Failed to perform 'max' ${IN_DATABASE}`],
  ["min", u(1n), v(1), `Failed to perform 'min' ${OPERAND}`],
  ["max", u(1n), v(1), `Failed to perform 'max' ${OPERAND}`],
  ["min", null, v(1n), `Failed to perform 'min' ${OPERAND}`],
  ["sum", u(1n), v(1), "Cannot sum KvU64 with Number"],
  ["sum", u(1n), v(-5n), "Cannot sum KvU64 with BigInt"],
  ["sum", v(1n), v(1), "Cannot sum BigInt with Number"],
  ["sum", v(1), v(1n), "Cannot sum Number with BigInt"],
  ["sum", v("x"), v(1), "unsupported value type"],
  ["sum", null, v("1"), "Some of the parameters are not valid V8 values"],
  ["sum", null, v(Uint8Array.of(1)), /not valid V8 values/],
  ["sum", u(1n), v({}), /not valid V8 values/],
];

function show(operand: Operand | null): string {
  if (operand === null) return "nothing";
  if ("u64" in operand) return `KvU64 ${operand.u64}`;
  const { value } = operand;
  if (typeof value === "bigint") return `bigint ${value}`;
  return value instanceof Uint8Array ? "bytes" : JSON.stringify(value) ?? "?";
}

async function store(
  context: ExamContext,
  operand: Operand | null,
): Promise<void> {
  if (operand !== null) await context.kv.set(KEY, valueOf(context, operand));
}

async function assertStored(
  { kv }: ExamContext,
  operand: Operand,
): Promise<void> {
  if ("u64" in operand) assert.equal(await u64At(kv, KEY), operand.u64);
  else assert.deepEqual(await valueAt(kv, KEY), operand.value);
}

/** sum, min and max. */
export const sumCases: readonly ExamCase[] = [
  ...[...RESULTS, ...V8_RESULTS].map(
    ([kind, stored, operand, result]): ExamCase => ({
      name: `${kind}: ${show(operand)} onto ${show(stored)}`,
      async run(context) {
        await store(context, stored);
        await mutate(context, kind, operand);
        await assertStored(context, result);
      },
    }),
  ),
  ...REFUSALS.map(([kind, stored, operand, text]): ExamCase => ({
    name: `${kind}: ${show(operand)} onto ${show(stored)} is refused`,
    async run(context) {
      await store(context, stored);
      const before = await context.kv.get(KEY);
      await rejects(context, text, () => mutate(context, kind, operand));
      assert.deepEqual(await context.kv.get(KEY), before);
    },
  })),
  {
    name: "sum: the helpers take bigints for KvU64s",
    async run({ kv, u64 }) {
      await kv.set(KEY, u64(42n));
      const seen: bigint[] = [];
      for (
        const atomic of [
          kv.atomic().sum(KEY, 1n),
          kv.atomic().min(KEY, 2n),
          kv.atomic().min(KEY, 3n),
          kv.atomic().max(KEY, 1n),
          kv.atomic().max(KEY, 7n),
        ]
      ) {
        committed(await atomic.commit());
        seen.push(await u64At(kv, KEY));
      }
      assert.deepEqual(seen, [43n, 2n, 2n, 2n, 7n]);
    },
  },
  {
    name: "sum: each one has a versionstamp of its own",
    async run({ kv }) {
      const first = committed(await kv.atomic().sum(KEY, 1n).commit());
      const second = committed(await kv.atomic().sum(KEY, 1n).commit());
      assert.ok(second > first);
      const entry = await kv.get(KEY);
      assert.equal(entry.versionstamp, second);
    },
  },
  {
    name: "sum: several in one commit add up",
    async run({ kv }) {
      const atomic = kv.atomic();
      for (let i = 0; i < 100; i += 1) atomic.sum(KEY, BigInt(i));
      committed(await atomic.commit());
      assert.equal(await u64At(kv, KEY), 4_950n);
    },
  },
  {
    name: "sum: a failed check prevents it",
    async run({ kv }) {
      await kv.atomic().sum(KEY, 5n).commit();
      const absent = { key: KEY, versionstamp: null };
      const result = await kv.atomic().check(absent).sum(KEY, 5n).commit();
      assert.equal(result.ok, false);
      assert.equal(await u64At(kv, KEY), 5n);
    },
  },
  {
    name: "sum: concurrent ones from several clients are all counted",
    skip: { local: "its handles lock each other out" },
    async run({ kv, open }) {
      const clients = await Promise.all(Array.from({ length: 5 }, open));
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(
          clients.flatMap((client) => [
            client.atomic().sum(KEY, 1n).commit(),
            client.atomic().sum(KEY, 1n).commit(),
          ]),
        );
      }
      assert.equal(await u64At(kv, KEY), 50n);
    },
  },
];
