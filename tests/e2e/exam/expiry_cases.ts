import assert from "node:assert/strict";
import {
  collect,
  committed,
  eventually,
  type ExamCase,
  mustLive,
  sleep,
  u64At,
  valueAt,
} from "./exam.ts";

const LIFE_MS = 1_000;
/** Long enough for a first read to be in time, however busy the machine. */
const LONG_LIFE_MS = 3_000;
/** The exam allows a second between expiry and absence. */
const LATE_MS_MAX = 1_000;

const LINGERS = "its expired keys linger up to a minute";

/** Keys that expire. */
export const expiryCases: readonly ExamCase[] = [
  {
    name: "expiry: a key is there while it lives, and gone within a second",
    skip: { local: LINGERS },
    async run({ kv }) {
      const from = Date.now();
      const life = LONG_LIFE_MS;
      await kv.set(["a"], 1, { expireIn: life });
      await kv.set(["b"], 2);
      let reads = 0;
      for (;; reads += 1) {
        const value = await valueAt(kv, ["a"]);
        if (!mustLive(from, life)) break;
        assert.equal(value, 1, "no key dies early");
        await sleep(50);
      }
      assert.ok(reads > 0, "it was read while it lived");
      await eventually(
        "the key is gone",
        LIFE_MS + LATE_MS_MAX,
        async () => await valueAt(kv, ["a"]) === null,
      );
      assert.equal((await kv.get(["a"])).versionstamp, null);
      const listed = await collect(kv.list({ prefix: [] }));
      assert.deepEqual(listed.map(({ value }) => value), [2]);
    },
  },
  {
    name: "expiry: a far one changes nothing yet",
    async run({ kv }) {
      await kv.set(["a"], 1, { expireIn: 30 * 24 * 3_600_000 });
      await kv.set(["b"], 2, { expireIn: 2 ** 40 });
      assert.deepEqual(
        (await collect(kv.list({ prefix: [] }))).map(({ value }) => value),
        [1, 2],
      );
    },
  },
  {
    name: "expiry: an overwrite sets its own, or none",
    skip: { local: LINGERS },
    async run({ kv }) {
      for (const key of ["kept", "longer", "shorter"]) {
        await kv.set([key], 1, {
          expireIn: key === "shorter" ? 60_000 : LIFE_MS,
        });
      }
      await kv.set(["kept"], 2);
      await kv.set(["longer"], 2, { expireIn: 60_000 });
      await kv.atomic().set(["shorter"], 2, { expireIn: LIFE_MS }).commit();
      await eventually(
        "the shortened key is gone",
        LIFE_MS + LATE_MS_MAX,
        async () => await valueAt(kv, ["shorter"]) === null,
      );
      assert.equal(await valueAt(kv, ["kept"]), 2);
      assert.equal(await valueAt(kv, ["longer"]), 2);
    },
  },
  {
    name: "expiry: several keys of one commit go together",
    skip: { local: LINGERS },
    async run({ kv }) {
      const expireIn = LIFE_MS;
      const from = Date.now();
      committed(
        await kv.atomic().set(["a"], 1, { expireIn })
          .set(["b"], 2, { expireIn }).set(["c"], 3).commit(),
      );
      const keys = [["a"], ["b"], ["c"]];
      const values = async () =>
        (await kv.getMany<number[]>(keys)).map(({ value }) => value);
      const first = await values();
      if (mustLive(from, expireIn)) assert.deepEqual(first, [1, 2, 3]);
      await eventually(
        "both keys are gone",
        LIFE_MS + LATE_MS_MAX,
        async () => JSON.stringify(await values()) === "[null,null,3]",
      );
    },
  },
  {
    name: "expiry: an expired key is absent to checks, sums and minima",
    skip: { local: LINGERS },
    async run({ kv, u64 }) {
      const expireIn = LIFE_MS;
      const { versionstamp } = await kv.set(["a"], 1, { expireIn });
      await kv.set(["sum"], u64(5n), { expireIn });
      await kv.set(["min"], u64(1n), { expireIn });
      await kv.set(["text"], "no number", { expireIn });
      await eventually(
        "the keys are gone",
        LIFE_MS + LATE_MS_MAX,
        async () => await valueAt(kv, ["text"]) === null,
      );
      const old = kv.atomic().check({ key: ["a"], versionstamp });
      assert.equal((await old.set(["a"], 2).commit()).ok, false);
      committed(
        await kv.atomic().check({ key: ["a"], versionstamp: null })
          .sum(["sum"], 2n).min(["min"], 7n).sum(["text"], 1n).commit(),
      );
      assert.deepEqual(
        [await u64At(kv, ["sum"]), await u64At(kv, ["min"])],
        [2n, 7n],
      );
    },
  },
  {
    name: "expiry: a sum makes a key stay",
    skip: { local: LINGERS },
    async run({ kv, u64 }) {
      const expireIn = LIFE_MS;
      const from = Date.now();
      await kv.set(["n"], u64(1n), { expireIn });
      await kv.set(["gone"], 1, { expireIn });
      committed(await kv.atomic().sum(["n"], 1n).commit());
      // After its life the sum begins anew, from nothing.
      const isSummed = mustLive(from, expireIn);
      await eventually(
        "the other key is gone",
        LIFE_MS + LATE_MS_MAX,
        async () => await valueAt(kv, ["gone"]) === null,
      );
      const sum = await u64At(kv, ["n"]);
      assert.ok(sum === 2n || (sum === 1n && !isSummed), `${sum}`);
    },
  },
  {
    name: "expiry: at once, with expireIn 0",
    skip: { npm: "it refuses 0", local: LINGERS },
    async run({ kv }) {
      await kv.set(["a"], 1);
      await kv.set(["a"], 2, { expireIn: 0 });
      await eventually(
        "the key is gone",
        LATE_MS_MAX,
        async () => await valueAt(kv, ["a"]) === null,
      );
    },
  },
  {
    name: "expiry: a key that is written again lives on",
    skip: { local: LINGERS },
    async run({ kv }) {
      await kv.set(["a"], 1, { expireIn: LIFE_MS });
      await eventually(
        "the key is gone",
        LIFE_MS + LATE_MS_MAX,
        async () => await valueAt(kv, ["a"]) === null,
      );
      await kv.set(["a"], 2);
      await sleep(1_200);
      assert.equal(await valueAt(kv, ["a"]), 2);
    },
  },
];
