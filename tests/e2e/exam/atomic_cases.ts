import assert from "node:assert/strict";
import {
  committed,
  type ExamCase,
  mutation,
  refused,
  rejects,
  valueAt,
} from "./exam.ts";

/** Reading, writing, checking, and all of it or nothing. */
export const atomicCases: readonly ExamCase[] = [
  {
    name: "basics: read, write, delete, and versionstamps that grow",
    async run({ kv }) {
      const before = await kv.get(["a"]);
      assert.deepEqual(before, { key: ["a"], value: null, versionstamp: null });
      const first = committed(await kv.set(["a"], "b"));
      assert.deepEqual(await kv.get(["a"]), {
        key: ["a"],
        value: "b",
        versionstamp: first,
      });
      const second = committed(await kv.set(["a"], "c"));
      assert.ok(second > first);
      assert.equal((await kv.get(["a"])).versionstamp, second);
      assert.equal(await kv.delete(["a"]), undefined);
      assert.equal((await kv.get(["a"])).versionstamp, null);
      assert.ok(committed(await kv.set(["a"], "d")) > second);
    },
  },
  {
    name: "basics: deleting what is not there succeeds",
    async run({ kv }) {
      await kv.delete(["nothing"]);
      committed(
        await kv.atomic().mutate({ key: ["a"], type: "delete" }).commit(),
      );
    },
  },
  {
    name: "basics: getMany() answers in order, absent and repeated keys too",
    async run({ kv }) {
      const versionstamp = committed(
        await kv.atomic().set(["a"], 1).set(["b", "a"], 2).commit(),
      );
      const a = { key: ["a"], value: 1, versionstamp };
      const c = { key: ["c"], value: null, versionstamp: null };
      assert.deepEqual(
        await kv.getMany([["b", "a"], ["a"], ["c"], ["a"]]),
        [{ key: ["b", "a"], value: 2, versionstamp }, a, c, a],
      );
      assert.deepEqual(await kv.getMany([]), []);
      const keys = Array.from({ length: 10 }, (_, i) => ["many", i]);
      const none = await kv.getMany(keys, { consistency: "eventual" });
      assert.deepEqual(none.map(({ value }) => value), Array(10).fill(null));
    },
  },
  {
    name: "basics: eventual reads are answered",
    async run({ kv }) {
      await kv.set(["a"], 1);
      const consistency = "eventual";
      assert.equal((await kv.get(["a"], { consistency })).value, 1);
      const listed = [];
      for await (const e of kv.list({ prefix: [] }, { consistency })) {
        listed.push(e.value);
      }
      assert.deepEqual(listed, [1]);
    },
  },
  {
    name: "atomic: a check on a versionstamp",
    async run({ kv }) {
      const first = committed(await kv.set(["t"], "1"));
      const entry = await kv.get(["t"]);
      const second = committed(
        await kv.atomic().check(entry).set(["t"], "2").commit(),
      );
      assert.ok(second > first);
      refused(await kv.atomic().check(entry).set(["t"], "3").commit());
      assert.deepEqual(await kv.get(["t"]), {
        key: ["t"],
        value: "2",
        versionstamp: second,
      });
    },
  },
  {
    name: "atomic: a check on absence",
    async run({ kv }) {
      const absent = { key: ["t"], versionstamp: null };
      committed(await kv.atomic().check(absent).set(["t"], "1").commit());
      refused(await kv.atomic().check(absent).set(["t"], "2").commit());
      assert.equal(await valueAt(kv, ["t"]), "1");
      await kv.delete(["t"]);
      committed(await kv.atomic().check(absent).set(["t"], "3").commit());
    },
  },
  {
    name: "atomic: an absent key has no versionstamp",
    async run({ kv }) {
      const versionstamp = committed(await kv.set(["t"], "1"));
      await kv.delete(["t"]);
      const check = { key: ["t"], versionstamp };
      refused(await kv.atomic().check(check).set(["t"], "2").commit());
      assert.equal(await valueAt(kv, ["t"]), null);
    },
  },
  {
    name: "atomic: one failed check of several refuses all",
    async run({ kv }) {
      const first = committed(await kv.set(["t1"], "1"));
      const second = committed(await kv.set(["t2"], "2"));
      const both = committed(
        await kv.atomic()
          .check({ key: ["t1"], versionstamp: first })
          .check({ key: ["t2"], versionstamp: second })
          .set(["t1"], "3")
          .set(["t2"], "4")
          .commit(),
      );
      refused(
        await kv.atomic()
          .check(
            { key: ["t1"], versionstamp: both },
            { key: ["t2"], versionstamp: null },
          )
          .set(["t1"], "5")
          .set(["t2"], "6")
          .set(["t3"], "7")
          .commit(),
      );
      const entries = await kv.getMany([["t1"], ["t2"], ["t3"]]);
      assert.deepEqual(
        entries.map(({ value, versionstamp }) => [value, versionstamp]),
        [["3", both], ["4", both], [null, null]],
      );
    },
  },
  {
    name: "atomic: checks repeated, contradicting, alone",
    async run({ kv }) {
      const absent = { key: ["t"], versionstamp: null };
      committed(await kv.atomic().check(absent, absent).commit());
      const versionstamp = committed(await kv.set(["t"], 1));
      const present = { key: ["t"], versionstamp };
      committed(await kv.atomic().check(present, present).commit());
      refused(await kv.atomic().check(present, absent).commit());
      assert.equal((await kv.get(["t"])).versionstamp, versionstamp);
    },
  },
  {
    name: "atomic: checks see the state before the commit's own changes",
    async run({ kv }) {
      committed(
        await kv.atomic()
          .set(["a"], 1)
          .check({ key: ["a"], versionstamp: null })
          .delete(["a"])
          .commit(),
      );
    },
  },
  {
    name: "atomic: empty commits succeed, each with a versionstamp",
    async run({ kv }) {
      const first = committed(await kv.atomic().commit());
      const second = committed(await kv.atomic().commit());
      assert.ok(second > first);
      assert.ok(committed(await kv.set(["a"], 1)) > second);
    },
  },
  {
    name: "atomic: keys of one commit share its versionstamp",
    async run({ kv }) {
      const atomic = kv.atomic();
      for (let i = 0; i < 20; i += 1) atomic.set(["k", i], i);
      const versionstamp = committed(await atomic.commit());
      for await (const entry of kv.list({ prefix: ["k"] })) {
        assert.equal(entry.versionstamp, versionstamp);
      }
    },
  },
  {
    name: "atomic: changes happen in order",
    async run({ kv, u64 }) {
      await kv.set(["a"], "1");
      committed(await kv.atomic().set(["a"], "2").delete(["a"]).commit());
      assert.equal(await valueAt(kv, ["a"]), null);
      committed(await kv.atomic().delete(["a"]).set(["a"], "3").commit());
      assert.equal(await valueAt(kv, ["a"]), "3");
      committed(await kv.atomic().set(["a"], "4").set(["a"], "5").commit());
      assert.equal(await valueAt(kv, ["a"]), "5");
      committed(
        await kv.atomic().set(["n"], u64(5n)).sum(["n"], 2n).max(["n"], 9n)
          .min(["n"], 8n).commit(),
      );
      assert.equal(String((await kv.get<Deno.KvU64>(["n"])).value?.value), "8");
    },
  },
  {
    name: "atomic: mutate() sets and deletes",
    async run({ kv }) {
      committed(
        await kv.atomic()
          .mutate({ key: ["a"], value: "1", type: "set" })
          .mutate(
            { key: ["b"], value: "2", type: "set" },
            { key: ["a"], value: "3", type: "set" },
          )
          .commit(),
      );
      assert.equal(await valueAt(kv, ["a"]), "3");
      committed(
        await kv.atomic().mutate({ key: ["a"], type: "delete" }).commit(),
      );
      assert.equal(await valueAt(kv, ["a"]), null);
      assert.equal(await valueAt(kv, ["b"]), "2");
    },
  },
  {
    name: "atomic: a change that cannot be made undoes those before it",
    skip: { local: "its backend keeps them" },
    async run(context) {
      const { kv, u64 } = context;
      await kv.set(["text"], "x");
      const before = await kv.get(["text"]);
      await rejects(
        context,
        "non-U64 value in the database",
        async () =>
          await kv.atomic()
            .set(["a"], 1)
            .set(["text"], "y")
            .sum(["n"], 1n)
            .delete(["text"])
            .set(["text"], "z")
            .mutate({ key: ["text"], type: "sum", value: u64(1n) })
            .commit(),
      );
      assert.equal((await kv.get(["a"])).versionstamp, null);
      assert.equal((await kv.get(["n"])).versionstamp, null);
      assert.deepEqual(await kv.get(["text"]), before);
    },
  },
  {
    name: "atomic: a versionstamp that is none is refused",
    async run({ kv, client }) {
      const stamps = ["xx".repeat(10), "aa".repeat(11), "aa".repeat(9)];
      if (client === "deno") stamps.push("");
      for (const versionstamp of stamps) {
        const atomic = kv.atomic().check({ key: ["a"], versionstamp });
        await assert.rejects(
          async () => await atomic.set(["a"], 1).commit(),
          client === "deno" ? TypeError : Error,
        );
        assert.equal(await valueAt(kv, ["a"]), null);
      }
    },
  },
  {
    name: "atomic: a mutation of no known kind is refused",
    async run({ kv, client }) {
      const mutations = [
        { key: ["a"], type: "foobar" },
        { key: ["a"], type: "foobar", value: "123" },
      ];
      if (client === "deno") {
        mutations.push(
          { key: ["a"], type: "set" },
          { key: ["a"], type: "delete", value: "123" },
        );
      }
      for (const fields of mutations) {
        await assert.rejects(
          async () => await kv.atomic().mutate(mutation(fields)).commit(),
          client === "deno" ? TypeError : Error,
        );
        assert.equal(await valueAt(kv, ["a"]), null);
      }
    },
  },
  {
    name: "queues: enqueueing is refused and says so",
    skip: { local: "it has queues" },
    async run(context) {
      const { kv, client } = context;
      const text = client === "deno"
        ? "Enqueue operations are not supported in KV Connect"
        : "Queues are not supported";
      await rejects(context, text, () => kv.enqueue("message"));
      await rejects(
        context,
        text,
        () => kv.atomic().set(["a"], 1).enqueue("message").commit(),
      );
      assert.equal(await valueAt(kv, ["a"]), null);
    },
  },
];
