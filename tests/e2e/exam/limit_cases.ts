import assert from "node:assert/strict";
import { collect, committed, type ExamCase, rejects, valueAt } from "./exam.ts";

/** Encodes to `length` bytes: a tag before the bytes and a zero after. */
function keyOfBytes(length: number): Deno.KvKey {
  return [new Uint8Array(length - 2).fill(1)];
}

function numbered(count: number): Deno.KvKey[] {
  return Array.from({ length: count }, (_, i) => ["a", i]);
}

/** Every limit, from both sides. */
export const limitCases: readonly ExamCase[] = [
  {
    name: "limits: a key of 2,048 bytes, written, read, checked, deleted",
    async run({ kv }) {
      const key = keyOfBytes(2_048);
      const versionstamp = committed(await kv.set(key, 1));
      assert.deepEqual(await kv.get(key), { key, value: 1, versionstamp });
      committed(
        await kv.atomic().check({ key, versionstamp }).sum(["n"], 1n).commit(),
      );
      assert.deepEqual(
        (await collect(kv.list({ prefix: [] }, { reverse: true }))).length,
        2,
      );
      await kv.delete(key);
      assert.equal(await valueAt(kv, key), null);
    },
  },
  {
    name: "limits: a key of 2,049 bytes is not written",
    async run(context) {
      const { kv } = context;
      const key = keyOfBytes(2_049);
      const text = "key too large for write (max 2048 bytes)";
      await rejects(context, text, () => kv.set(key, 1));
      await rejects(context, text, () => kv.delete(key));
      await rejects(
        context,
        text,
        () => kv.atomic().set(["a"], 1).sum(key, 1n).commit(),
      );
      assert.equal(await valueAt(kv, ["a"]), null);
    },
  },
  {
    name: "limits: a key too large to read",
    async run(context) {
      const { kv } = context;
      await rejects(
        context,
        "key too large for read (max 2049 bytes)",
        () => kv.get(keyOfBytes(2_050)),
      );
    },
  },
  {
    name: "limits: a key too large to check",
    async run(context) {
      const { kv } = context;
      const key = keyOfBytes(2_050);
      await rejects(
        context,
        "too large",
        () => kv.atomic().check({ key, versionstamp: null }).commit(),
      );
    },
  },
  {
    name: "limits: a value of 65,536 bytes and one more",
    async run(context) {
      const { kv } = context;
      const value = new Uint8Array(65_536).map((_, i) => i);
      await kv.set(["a"], value);
      assert.deepEqual(await valueAt(kv, ["a"]), value);
      await rejects(
        context,
        "value too large (max 65536 bytes)",
        () => kv.set(["b"], new Uint8Array(65_537)),
      );
      await rejects(
        context,
        "value too large (max 65536 bytes)",
        () => kv.set(["b"], "x".repeat(65_536)),
      );
      assert.equal(await valueAt(kv, ["b"]), null);
    },
  },
  {
    name: "limits: 10 keys in getMany() and one more",
    async run(context) {
      const { kv } = context;
      assert.equal((await kv.getMany(numbered(10))).length, 10);
      await rejects(
        context,
        "too many ranges (max 10)",
        () => kv.getMany(numbered(11)),
      );
    },
  },
  {
    name: "limits: batches of 1,000 entries and one more",
    async run(context) {
      const { kv, client } = context;
      const selector = { prefix: ["a"] };
      await collect(kv.list(selector, { batchSize: 1_000 }));
      await rejects(
        context,
        client === "deno" ? "too many entries (max 1000)" : "Bad 'batchSize'",
        async () => await collect(kv.list(selector, { batchSize: 1_001 })),
      );
      await collect(kv.list(selector, { limit: 1_001 }));
    },
  },
  {
    name: "limits: 100 checks and one more",
    async run(context) {
      const { kv } = context;
      const checks = numbered(101)
        .map((key) => ({ key, versionstamp: null }));
      committed(
        await kv.atomic().check(...checks.slice(1)).set(["a"], 1).commit(),
      );
      await rejects(
        context,
        "too many checks (max 100)",
        () => kv.atomic().check(...checks).set(["a"], 2).commit(),
      );
      assert.equal(await valueAt(kv, ["a"]), 1);
    },
  },
  {
    name: "limits: 1,000 mutations and one more",
    async run(context) {
      const { kv } = context;
      const mutations = numbered(1_001).map((key, i) => ({
        key,
        type: "set" as const,
        value: i,
      }));
      const versionstamp = committed(
        await kv.atomic().mutate(...mutations.slice(0, 1_000)).commit(),
      );
      const listed = await collect(
        kv.list<number>({ prefix: ["a"] }, { batchSize: 500 }),
      );
      assert.deepEqual(
        listed,
        mutations.slice(0, 1_000).map(({ key, value }) => ({
          key,
          value,
          versionstamp,
        })),
      );
      await rejects(
        context,
        "too many mutations (max 1000)",
        () => kv.atomic().mutate(...mutations).commit(),
      );
    },
  },
  {
    name: "limits: 1,000 deletes at once",
    async run({ kv }) {
      const fill = kv.atomic();
      for (const key of numbered(1_000)) fill.set(key, 1);
      committed(await fill.commit());
      const clear = kv.atomic();
      for (const key of numbered(1_000)) clear.delete(key);
      committed(await clear.commit());
      assert.deepEqual(await collect(kv.list({ prefix: [] })), []);
    },
  },
  {
    name: "limits: a commit of 800,000 bytes, whole or not at all",
    async run(context) {
      const { kv } = context;
      const values = Array.from(
        { length: 13 },
        (_, i) => new Uint8Array(65_536).fill(i + 1),
      );
      const atomic = kv.atomic();
      for (const [i, value] of values.slice(0, 12).entries()) {
        atomic.set(["v", i], value);
      }
      const versionstamp = committed(await atomic.commit());
      for (const [i, value] of values.slice(0, 12).entries()) {
        const key = ["v", i];
        assert.deepEqual(await kv.get(key), { key, value, versionstamp });
      }
      const more = kv.atomic();
      for (const [i, value] of values.entries()) more.set(["w", i], value);
      await rejects(
        context,
        "total mutation size too large (max 819200 bytes)",
        () => more.commit(),
      );
      assert.deepEqual(await collect(kv.list({ prefix: ["w"] })), []);
    },
  },
  {
    name: "limits: one read of 1,000 values of 4,000 bytes",
    async run({ kv }) {
      const value = new Uint8Array(4_000).fill(7);
      for (let from = 0; from < 1_000; from += 200) {
        const atomic = kv.atomic();
        for (let i = from; i < from + 200; i += 1) atomic.set(["v", i], value);
        committed(await atomic.commit());
      }
      let count = 0;
      for await (
        const entry of kv.list({ prefix: ["v"] }, { batchSize: 1_000 })
      ) {
        assert.deepEqual(entry.key, ["v", count]);
        assert.deepEqual(entry.value, value);
        count += 1;
      }
      assert.equal(count, 1_000);
    },
  },
  {
    name: "limits: all keys of one commit, in Deno",
    skip: { npm: "it has no such limit, nor has the server" },
    async run(context) {
      const atomic = context.kv.atomic();
      for (let i = 0; i < 80; i += 1) atomic.set(["a".repeat(1_100)], "foo");
      await rejects(
        context,
        "total key size too large (max 81920 bytes)",
        () => atomic.commit(),
      );
    },
  },
  {
    name: "limits: keys of 1 MB in one commit, beyond Deno's own limit",
    skip: { npm: "over the server's total", local: "it has Deno's limit" },
    async run(context) {
      const atomic = context.kv.atomic();
      for (let i = 0; i < 300; i += 1) atomic.delete(["k".repeat(2_000), i]);
      committed(await atomic.commit());
    },
  },
  {
    name: "limits: 10 watched keys and one more",
    async run(context) {
      const { kv } = context;
      const reader = kv.watch(numbered(10), { raw: true }).getReader();
      const first = await reader.read();
      assert.equal(first.value?.length, 10);
      await reader.cancel();
      await rejects(context, "too many keys (max 10)", async () => {
        const refused = kv.watch(numbered(11), { raw: true }).getReader();
        await refused.read();
      });
    },
  },
];
