import assert from "node:assert/strict";
import {
  committed,
  type ExamCase,
  type ExamContext,
  mustLive,
  sleep,
  u64At,
  within,
} from "./exam.ts";

const SOON_MS = 5_000;

type Entries = readonly Deno.KvEntryMaybe<unknown>[];

/** A watch as a list of what it said. */
class Watcher {
  readonly #reader: ReadableStreamDefaultReader<Entries>;

  constructor(kv: Deno.Kv, keys: readonly Deno.KvKey[], raw = false) {
    const stream = kv.watch([...keys], { raw });
    this.#reader = stream.getReader() as ReadableStreamDefaultReader<Entries>;
  }

  async next(): Promise<Entries> {
    const read = await within("a watch speaks", SOON_MS, this.#reader.read());
    assert.ok(!read.done, "the watch goes on");
    return read.value;
  }

  /** Reads on until `holds`: a watch may say the same more than once. */
  async until(holds: (entries: Entries) => boolean): Promise<Entries> {
    for (;;) {
      const entries = await this.next();
      if (holds(entries)) return entries;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

/** @deno/kv keeps the first "all absent" to itself unless asked for all. */
async function firstAbsent(
  { client }: ExamContext,
  watcher: Watcher,
  keys: readonly Deno.KvKey[],
): Promise<void> {
  if (client === "npm") return;
  assert.deepEqual(await watcher.next(), keys.map(absent));
}

function absent(key: Deno.KvKey): Deno.KvEntryMaybe<unknown> {
  return { key, value: null, versionstamp: null };
}

/** Watching keys. */
export const watchCases: readonly ExamCase[] = [
  {
    name: "watch: says what there is, then what comes",
    async run(context) {
      const { kv } = context;
      const watcher = new Watcher(kv, [["key"]]);
      await firstAbsent(context, watcher, [["key"]]);
      const { versionstamp } = await kv.set(["key"], 1);
      assert.deepEqual(await watcher.next(), [
        { key: ["key"], value: 1, versionstamp },
      ]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: starts with the entry that is there",
    async run({ kv }) {
      const { versionstamp } = await kv.set(["key"], { n: 1 });
      const watcher = new Watcher(kv, [["key"]]);
      assert.deepEqual(await watcher.next(), [
        { key: ["key"], value: { n: 1 }, versionstamp },
      ]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: several keys come together, in the order asked for",
    async run({ kv }) {
      const keys = [["c"], ["a"], ["b"]];
      const first = committed(await kv.set(["a"], "a"));
      const watcher = new Watcher(kv, keys);
      const a = { key: ["a"], value: "a", versionstamp: first };
      assert.deepEqual(await watcher.next(), [absent(["c"]), a, absent(["b"])]);
      const versionstamp = committed(
        await kv.atomic().set(["b"], "b").set(["c"], "c").set(["x"], 1)
          .commit(),
      );
      assert.deepEqual(await watcher.next(), [
        { key: ["c"], value: "c", versionstamp },
        a,
        { key: ["b"], value: "b", versionstamp },
      ]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: ten keys, the last of them changed",
    async run({ kv }) {
      const keys = Array.from({ length: 10 }, (_, i) => ["k", i]);
      const watcher = new Watcher(kv, keys, true);
      assert.deepEqual(await watcher.next(), keys.map(absent));
      const { versionstamp } = await kv.set(["k", 9], "last");
      const said = await watcher.until((entries) =>
        entries[9]?.versionstamp === versionstamp
      );
      assert.deepEqual(said, [
        ...keys.slice(0, 9).map(absent),
        { key: ["k", 9], value: "last", versionstamp },
      ]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: a delete is a change",
    async run({ kv }) {
      await kv.set(["key"], 1);
      const watcher = new Watcher(kv, [["key"]]);
      assert.equal((await watcher.next())[0]?.value, 1);
      await kv.delete(["key"]);
      assert.deepEqual(await watcher.next(), [absent(["key"])]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: writing the same again is a change",
    async run({ kv }) {
      await kv.set(["key"], 1);
      const watcher = new Watcher(kv, [["key"]]);
      await watcher.next();
      const { versionstamp } = await kv.set(["key"], 1);
      assert.deepEqual(await watcher.next(), [
        { key: ["key"], value: 1, versionstamp },
      ]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: other keys and refused commits are silent",
    async run({ kv }) {
      await kv.set(["key"], 1);
      const watcher = new Watcher(kv, [["key"]]);
      await watcher.next();
      await kv.set(["key", "below"], 2);
      await kv.set(["ke"], 2);
      const check = { key: ["key"], versionstamp: null };
      const refused = await kv.atomic().check(check).set(["key"], 3).commit();
      assert.equal(refused.ok, false);
      const silence = Symbol();
      const said = watcher.next();
      assert.equal(
        await Promise.race([said, sleep(300).then(() => silence)]),
        silence,
      );
      await kv.set(["key"], 4);
      assert.equal((await said)[0]?.value, 4);
      await watcher.cancel();
    },
  },
  {
    name: "watch: ends at the latest of many changes",
    async run({ kv }) {
      for (const raw of [false, true]) {
        const key = ["key", raw];
        await kv.set(key, -1);
        const watcher = new Watcher(kv, [key], raw);
        await watcher.next();
        let last = "";
        for (let i = 0; i < 50; i += 1) {
          last = committed(await kv.set(key, i));
        }
        let before = "";
        const said = await watcher.until(([entry]) => {
          const stamp = entry?.versionstamp ?? "";
          assert.ok(stamp >= before, "a watch never goes back");
          before = stamp;
          return stamp === last;
        });
        assert.equal(said[0]?.value, 49);
        await watcher.cancel();
      }
    },
  },
  {
    name: "watch: sees sums, and changes by other clients",
    async run({ kv, open }) {
      const other = await open();
      await kv.atomic().sum(["n"], 1n).commit();
      const watcher = new Watcher(kv, [["n"]]);
      await watcher.next();
      await other.atomic().sum(["n"], 41n).commit();
      await watcher.next();
      assert.equal(await u64At(kv, ["n"]), 42n);
      await watcher.cancel();
    },
  },
  {
    name: "watch: sees keys with a commit's versionstamp",
    skip: {
      npm: "it has no commitVersionstamp()",
      local: "its backend reports the key without it",
    },
    async run({ kv }) {
      const first = committed(
        await kv.set(["log", kv.commitVersionstamp()], 1),
      );
      const watcher = new Watcher(kv, [["log", first]]);
      const stamp = { value: 1, versionstamp: first };
      assert.deepEqual(await watcher.next(), [
        { key: ["log", first], ...stamp },
      ]);
      await kv.delete(["log", first]);
      assert.deepEqual(await watcher.next(), [absent(["log", first])]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: an expiry is a change",
    skip: { local: "its expired keys linger up to a minute" },
    async run({ kv, client }) {
      const expireIn = 1_000;
      const from = Date.now();
      await kv.set(["key"], 1, { expireIn });
      // @deno/kv says only in raw that the key is gone from the start.
      const watcher = new Watcher(kv, [["key"]], client === "npm");
      let entries = await watcher.next();
      if (mustLive(from, expireIn)) assert.equal(entries[0]?.value, 1);
      while (entries[0]?.versionstamp !== null) entries = await watcher.next();
      assert.deepEqual(entries, [absent(["key"])]);
      await watcher.cancel();
    },
  },
  {
    name: "watch: two of one key are independent",
    async run({ kv }) {
      await kv.set(["key"], 0);
      const first = new Watcher(kv, [["key"]]);
      const second = new Watcher(kv, [["key"]]);
      await Promise.all([first.next(), second.next()]);
      await first.cancel();
      await kv.set(["key"], 1);
      assert.equal((await second.next())[0]?.value, 1);
      await second.cancel();
    },
  },
  {
    name: "watch: 30 at once leave reads and writes alone",
    async run({ kv }) {
      const watchers = Array.from(
        { length: 30 },
        (_, i) => new Watcher(kv, [["k", i]], true),
      );
      await Promise.all(watchers.map((watcher) => watcher.next()));
      for (let i = 0; i < 30; i += 1) await kv.set(["k", i], i);
      const said = await Promise.all(
        watchers.map((watcher) =>
          watcher.until(([entry]) => entry?.versionstamp !== null)
        ),
      );
      assert.deepEqual(
        said.map(([entry]) => entry?.value),
        Array.from({ length: 30 }, (_, i) => i),
      );
      await Promise.all(watchers.map((watcher) => watcher.cancel()));
    },
  },
  {
    name: "watch: a closed client ends it",
    skip: { npm: "its stream stays open" },
    async run({ open }) {
      const kv = await open();
      const reader = kv.watch([["a"]]).getReader();
      await reader.read();
      const ended = (async () => {
        try {
          while (!(await reader.read()).done);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      })();
      kv.close();
      await within("the watch ends", SOON_MS, ended);
    },
  },
  {
    name: "watch: no key is refused",
    skip: { local: "it says nothing for ever" },
    async run({ kv }) {
      await assert.rejects(async () => {
        const reader = kv.watch([], { raw: true }).getReader();
        await within("a watch of nothing fails", SOON_MS, reader.read());
      }, /Invalid watch: it names no key|Provide at least one key/);
    },
  },
];
