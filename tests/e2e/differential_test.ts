/*
 * Goal: a node answers every call as Deno's own backend does, errors included.
 * Method: seeded calls on both, side by side; results are compared with each
 * commit's two versionstamps taken for equal. Replay one seed: SEED=42.
 *
 * Left out is where Deno's backend is known to differ: expiry, and commits of
 * several changes one of which is refused (it keeps the others).
 */
import assert from "node:assert/strict";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

const SEEDS = 8;
const CALLS = 250;

const KEYS: readonly Deno.KvKey[] = [
  ["a"],
  ["a", ""],
  ["a", "b"],
  ["a", "b", 1],
  ["a", 1n],
  ["a", -1n],
  ["a", 2n ** 70n],
  ["a", 1.5],
  ["a", -Infinity],
  ["a", true],
  ["a\0"],
  ["b"],
  [Uint8Array.of(0, 255)],
  [Uint8Array.of(0, 255), "x"],
  [0],
  [false],
  [true, "z"],
];

/** Only KvU64s live here, so that sums of several changes succeed. */
const COUNTERS: readonly Deno.KvKey[] = [["n", 1], ["n", 2], ["n", 3]];

const VALUES: readonly unknown[] = [
  1,
  2.5,
  -0,
  NaN,
  3n,
  -(2n ** 80n),
  2n ** 64n - 1n,
  "text",
  null,
  undefined,
  Uint8Array.of(1, 2, 3),
  new Map([["k", new Set([1])]]),
  { nested: [new Date(5)] },
  new Deno.KvU64(0n),
  new Deno.KvU64(7n),
  new Deno.KvU64(2n ** 64n - 1n),
];

/** Both databases, and what a call gave on each. */
class Pair {
  readonly #ours: Deno.Kv;
  readonly #theirs: Deno.Kv;
  /** Our versionstamp → theirs, of the same commit. */
  readonly #stamps = new Map<string, string>();

  constructor(ours: Deno.Kv, theirs: Deno.Kv) {
    this.#ours = ours;
    this.#theirs = theirs;
  }

  async compare<T>(
    what: string,
    call: (kv: Deno.Kv, isOurs: boolean) => Promise<T>,
  ): Promise<void> {
    const [ours, theirs] = await Promise.all([
      outcome(() => call(this.#ours, true)),
      outcome(() => call(this.#theirs, false)),
    ]);
    if ("error" in ours || "error" in theirs) {
      assert.ok(
        "error" in ours && "error" in theirs,
        shown(what, ours, theirs),
      );
      assert.ok(ours.error.includes(theirs.error), shown(what, ours, theirs));
      return;
    }
    this.#learn(ours.value, theirs.value);
    assert.deepEqual(this.#translate(ours.value), theirs.value, what);
  }

  /** Makes a pair of the versionstamps of a commit. */
  #learn(ours: unknown, theirs: unknown): void {
    if (isCommit(ours) && isCommit(theirs)) {
      this.#stamps.set(ours.versionstamp, theirs.versionstamp);
    }
  }

  /** Our versionstamp in their words; others are as they are. */
  stamp(versionstamp: string, isOurs: boolean): string {
    return isOurs
      ? versionstamp
      : this.#stamps.get(versionstamp) ?? versionstamp;
  }

  #translate(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#translate(item));
    if (!isStamped(value) || value.versionstamp === null) return value;
    const theirs = this.#stamps.get(value.versionstamp);
    return { ...value, versionstamp: theirs };
  }

  /** A versionstamp of ours, `null` for one of no commit. */
  someStamp(prng: Prng): string | null {
    const stamps = [...this.#stamps.keys()];
    return stamps.length === 0 ? null : prng.pick(stamps.slice(-20));
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: string };

async function outcome<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { error: error.message };
  }
}

function isStamped(
  value: unknown,
): value is { readonly versionstamp: string | null } {
  return typeof value === "object" && value !== null && "versionstamp" in value;
}

function isCommit(
  value: unknown,
): value is { readonly ok: true; readonly versionstamp: string } {
  return isStamped(value) && "ok" in value;
}

function shown(what: string, ours: unknown, theirs: unknown): string {
  return `${what}: ${Deno.inspect(ours)}, not ${Deno.inspect(theirs)}`;
}

/** xorshift32: the same seed, the same calls. */
class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    assert.ok(item !== undefined || items.includes(item as T));
    return item as T;
  }
}

async function callOnce(pair: Pair, prng: Prng): Promise<void> {
  const key = prng.pick(KEYS);
  switch (prng.below(8)) {
    case 0:
    case 1: {
      const value = prng.pick(VALUES);
      return await pair.compare("set", (kv) => kv.set(key, value));
    }
    case 2:
      return await pair.compare("delete", (kv) => kv.delete(key));
    case 3: {
      const value = prng.pick(VALUES);
      const type = prng.pick(["sum", "min", "max"]);
      const mutation = { key, type, value } as unknown as Deno.KvMutation;
      return await pair.compare(
        `${type} ${Deno.inspect(value)}`,
        (kv) => kv.atomic().mutate(mutation).commit(),
      );
    }
    case 4:
      return await commitSeveral(pair, prng);
    case 5: {
      const keys = Array.from(
        { length: prng.below(11) },
        () => prng.pick([...KEYS, ...COUNTERS]),
      );
      return await pair.compare("getMany", (kv) => kv.getMany(keys));
    }
    default:
      return await listSome(pair, prng);
  }
}

async function commitSeveral(pair: Pair, prng: Prng): Promise<void> {
  const checked = Array.from({ length: prng.below(3) }, () => ({
    key: prng.pick([...KEYS, ...COUNTERS]),
    versionstamp: prng.below(2) === 0 ? null : pair.someStamp(prng),
  }));
  const changes = Array.from(
    { length: prng.below(6) },
    () => changeOf(prng),
  );
  await pair.compare("commit", (kv, isOurs) => {
    const atomic = kv.atomic();
    for (const { key, versionstamp } of checked) {
      const stamp = versionstamp === null
        ? null
        : pair.stamp(versionstamp, isOurs);
      atomic.check({ key, versionstamp: stamp });
    }
    for (const change of changes) change(atomic);
    return atomic.commit();
  });
}

/** A change that no state refuses. */
function changeOf(prng: Prng): (atomic: Deno.AtomicOperation) => void {
  const key = prng.pick(KEYS);
  const counter = prng.pick(COUNTERS);
  const value = prng.pick(VALUES);
  const operand = BigInt(prng.below(100));
  switch (prng.below(6)) {
    case 0:
      return (atomic) => atomic.set(key, value);
    case 1:
      return (atomic) => atomic.delete(value === null ? counter : key);
    case 2:
      return (atomic) => atomic.sum(counter, operand);
    case 3:
      return (atomic) => atomic.min(counter, operand);
    case 4:
      return (atomic) => atomic.max(counter, operand);
    default:
      return (atomic) => atomic.set(counter, new Deno.KvU64(operand));
  }
}

async function listSome(pair: Pair, prng: Prng): Promise<void> {
  const selector = prng.pick<Deno.KvListSelector>([
    { prefix: [] },
    { prefix: ["a"] },
    { prefix: prng.pick(KEYS) },
    { prefix: ["a"], start: prng.pick(KEYS) },
    { prefix: ["a"], end: prng.pick(KEYS) },
    { start: prng.pick(KEYS), end: prng.pick(KEYS) },
  ]);
  const options: Deno.KvListOptions = {
    reverse: prng.below(2) === 0,
    ...(prng.below(2) === 0 ? { limit: 1 + prng.below(6) } : {}),
    ...(prng.below(2) === 0 ? { batchSize: 1 + prng.below(4) } : {}),
  };
  const what = `list ${Deno.inspect(selector)} ${Deno.inspect(options)}`;
  let cursor = "";
  await pair.compare(what, async (kv, isOurs) => {
    const listing = kv.list(selector, options);
    const said: unknown[] = [];
    for await (const entry of listing) said.push(entry);
    if (isOurs) cursor = listing.cursor;
    return [...said, listing.cursor];
  });
  await pair.compare(`${what} from its cursor`, async (kv) => {
    const entries = [];
    for await (const entry of kv.list(selector, { ...options, cursor })) {
      entries.push(entry);
    }
    return entries;
  });
}

Deno.test("serve answers as Deno's own backend does", async () => {
  await using node = await NodeProcess.start();
  const given = Deno.env.get("SEED");
  const seeds = given === undefined
    ? Array.from({ length: SEEDS }, (_, i) => i)
    : [Number(given)];
  for (const seed of seeds) {
    using ours = await openKv(`${node.url}/db/seed-${seed}`);
    using theirs = await Deno.openKv(":memory:");
    const pair = new Pair(ours, theirs);
    const prng = new Prng(seed);
    for (let call = 0; call < CALLS; call += 1) {
      try {
        await callOnce(pair, prng);
      } catch (cause) {
        throw new Error(`SEED=${seed} differs in call ${call}`, { cause });
      }
    }
  }
});
