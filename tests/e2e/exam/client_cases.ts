import assert from "node:assert/strict";
import { collect, committed, type ExamCase, u64At, valueAt } from "./exam.ts";

/** Handles, databases, tokens, and many callers at once. */
export const clientCases: readonly ExamCase[] = [
  {
    name: "clients: one reads what another wrote, at once",
    async run({ kv, open }) {
      const other = await open();
      for (let i = 0; i < 50; i += 1) {
        await kv.set(["k"], i);
        assert.equal(await valueAt(other, ["k"]), i);
        await other.delete(["k"]);
        assert.equal(await valueAt(kv, ["k"]), null);
      }
    },
  },
  {
    name: "clients: a closed one refuses all",
    async run({ open }) {
      const kv = await open();
      const atomic = kv.atomic().set(["a"], 1);
      kv.close();
      const calls = [
        () => kv.get(["a"]),
        () => kv.getMany([["a"]]),
        () => kv.set(["a"], 1),
        () => kv.delete(["a"]),
        () => atomic.commit(),
        () => collect(kv.list({ prefix: [] })),
      ];
      for (const call of calls) {
        await assert.rejects(async () => await call(), Error);
      }
      assert.throws(() => kv.close(), Error);
    },
  },
  {
    name: "clients: are closed by their scope",
    async run({ open }) {
      const kv = await open();
      await kv.set(["a"], 1);
      kv[Symbol.dispose]();
      await assert.rejects(async () => await kv.get(["a"]), Error);
    },
  },
  {
    name: "clients: 500 writes at once, each with its versionstamp",
    async run({ kv }) {
      const results = await Promise.all(
        Array.from({ length: 500 }, (_, i) => kv.set(["k", i], i)),
      );
      const stamps = results.map(committed);
      assert.equal(new Set(stamps).size, 500);
      const listed = await collect(kv.list<number>({ prefix: ["k"] }));
      assert.deepEqual(
        listed.map(({ value, versionstamp }) => [value, versionstamp]),
        stamps.map((stamp, i) => [i, stamp]),
      );
    },
  },
  {
    name: "clients: 500 reads at once",
    async run({ kv }) {
      await kv.set(["k"], "v");
      const entries = await Promise.all(
        Array.from({ length: 500 }, (_, i) => kv.get([i % 2 === 0 ? "k" : i])),
      );
      entries.forEach((entry, i) => {
        assert.equal(entry.value, i % 2 === 0 ? "v" : null);
      });
    },
  },
  {
    name: "clients: check-and-set by several loses no increment",
    skip: { local: "its handles lock each other out" },
    async run({ kv, open }) {
      const clients = await Promise.all(Array.from({ length: 4 }, open));
      await kv.set(["n"], 0);
      await Promise.all(clients.map(async (client) => {
        for (let i = 0; i < 10; i += 1) {
          for (;;) {
            const entry = await client.get<number>(["n"]);
            const next = (entry.value ?? 0) + 1;
            const atomic = client.atomic().check(entry).set(["n"], next);
            if ((await atomic.commit()).ok) break;
          }
        }
      }));
      assert.equal(await valueAt(kv, ["n"]), 40);
    },
  },
  {
    name: "clients: of many who create a key one does",
    async run({ kv }) {
      const results = await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) =>
            kv.atomic().check({ key: ["lock"], versionstamp: null })
              .set(["lock"], i).sum(["winners"], 1n).commit(),
        ),
      );
      const winner = results.findIndex(({ ok }) => ok);
      assert.equal(results.filter(({ ok }) => ok).length, 1);
      assert.equal(await valueAt(kv, ["lock"]), winner);
      assert.equal(await u64At(kv, ["winners"]), 1n);
    },
  },
  {
    name: "clients: a reader sees commits whole",
    async run({ kv, open }) {
      const writer = await open();
      let writing = true;
      const work = (async () => {
        for (let i = 0; i < 100; i += 1) {
          await writer.atomic().set(["x"], i).set(["y"], i).commit();
        }
        writing = false;
      })();
      while (writing) {
        const [x, y] = await kv.getMany<number[]>([["x"], ["y"]]);
        assert.equal(x?.value, y?.value);
        assert.equal(x?.versionstamp, y?.versionstamp);
      }
      await work;
    },
  },
  {
    name: "databases: are apart from each other",
    skip: { local: "it is one" },
    async run({ kv, openOther }) {
      const other = await openOther("other");
      assert.deepEqual(await collect(other.list({ prefix: [] })), []);
      await kv.set(["k"], "here");
      const there = committed(await other.set(["k"], "there"));
      assert.equal(await valueAt(kv, ["k"]), "here");
      const check = { key: ["k"], versionstamp: there };
      assert.equal((await kv.atomic().check(check).commit()).ok, false);
      await kv.delete(["k"]);
      assert.equal(await valueAt(other, ["k"]), "there");
      assert.deepEqual(await collect(kv.list({ prefix: [] })), []);
      const third = await openOther("third");
      assert.deepEqual(await collect(third.list({ prefix: [] })), []);
    },
  },
  {
    name: "tokens: a wrong one opens nothing",
    skip: { local: "it has none", oldDeno: "it opens before it asks" },
    async run({ openWithToken }) {
      await assert.rejects(
        async () => await openWithToken("a-token-that-is-wrong-indeed"),
        /401/,
      );
    },
  },
];
