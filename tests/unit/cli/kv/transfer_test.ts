import assert from "node:assert/strict";
import { runIn, withKv } from "../fake_services.ts";
import { VALUES } from "./values.ts";

const KEYS: readonly Deno.KvKey[] = [
  ["text", "naïve 😀", ""],
  ["number", -0, 1.5, Infinity, -Infinity],
  ["bigint", -(2n ** 100n)],
  ["boolean", true, false],
  ["bytes", new Uint8Array([0, 255])],
];

Deno.test("an export and an import keep every type of key and value", () =>
  withKv(async (from) => {
    for (const key of KEYS) await from.set(key, 1);
    for (const [name, value] of VALUES) await from.set(["value", name], value);
    const exported = await runIn({ kv: from }, "kv", "export");
    assert.equal(exported.code, 0, exported.err);
    assert.equal(
      exported.err,
      `${KEYS.length + VALUES.length} records exported\n`,
    );
    await withKv(async (to) => {
      const world = { kv: to, input: exported.out };
      const imported = await runIn(world, "kv", "import", "--json");
      assert.equal(imported.code, 0, imported.err);
      const expected = await contents(from);
      assert.deepStrictEqual(await contents(to), expected);
    });
  }));

Deno.test("kv import writes more than one batch holds", () =>
  withKv(async (kv) => {
    const value = "x".repeat(60_000);
    const lines = Array.from(
      { length: 40 },
      (_, n) => JSON.stringify({ key: ["n", n], value }),
    );
    const input = `\n${lines.join("\r\n")}`;
    const { code, out } = await runIn({ kv, input }, "kv", "import");
    assert.deepEqual([code, out], [0, "40 records imported\n"]);
    assert.equal((await contents(kv)).length, 40);
  }));

Deno.test("kv import lets the last record of a key win", () =>
  withKv(async (kv) => {
    const lines = Array.from(
      { length: 1_000 },
      (_, n) => JSON.stringify({ key: [n % 150], value: n }),
    );
    const input = lines.join("\n");
    const { out } = await runIn({ kv: firstLast(kv), input }, "kv", "import");
    assert.equal(out, "1000 records imported\n");
    for (const { key, value } of await contents(kv)) {
      const last = Number(key[0]) + 150 * (Number(key[0]) < 100 ? 6 : 5);
      assert.equal(value, last);
    }
  }));

Deno.test("kv import tells which write the database refused", () =>
  withKv(async (kv) => {
    const lines = Array.from(
      { length: 900 },
      (_, n) =>
        JSON.stringify({ key: [n], value: n === 250 ? "x".repeat(70_000) : n }),
    );
    const input = lines.join("\n");
    const { code, out, err } = await runIn({ kv, input }, "kv", "import");
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^error\[CLI_DATABASE_REFUSED\].*\ncause: /);
  }));

Deno.test("kv import of long keys stays within a write's limits", () =>
  withKv(async (kv) => {
    const lines = Array.from(
      { length: 90 },
      (_, n) => JSON.stringify({ key: ["é".repeat(1_000), n], value: [0, 0] }),
    );
    const { code, err } = await runIn(
      { kv, input: lines.join("\n") },
      ...["kv", "import"],
    );
    assert.equal(code, 0, err);
    assert.equal((await contents(kv)).length, 90);
  }));

Deno.test("kv import takes expireIn, and ignores a versionstamp", () =>
  withKv(async (kv) => {
    const input =
      '{"key":["a"],"value":1,"versionstamp":"00","expireIn":86400000}\n';
    assert.equal((await runIn({ kv, input }, "kv", "import")).code, 0);
    assert.equal((await kv.get(["a"])).value, 1);
  }));

Deno.test("kv import --dry-run checks and writes nothing, without a node", async () => {
  const world = { input: '{"key":["a"],"value":1}\n', metadataStatus: null };
  const { code, out } = await runIn(world, "kv", "import", "--dry-run");
  assert.deepEqual([code, out], [0, "1 records checked\n"]);
});

const BAD_LINES: [name: string, line: string][] = [
  ["no JSON", "{"],
  ["an array", "[]"],
  ["no key", '{"value":1}'],
  ["no value", '{"key":["a"]}'],
  ["an unknown field", '{"key":["a"],"value":1,"ttl":1}'],
  ["a key part that is an object", '{"key":[{}],"value":1}'],
  ["an unknown type", '{"key":["a"],"value":{"$u65":"1"}}'],
  ["no time to live", '{"key":["a"],"value":1,"expireIn":0}'],
  ["too many characters", `"${"x".repeat(1_048_576)}"`],
];
for (const [name, line] of BAD_LINES) {
  Deno.test(`kv import names the line with ${name}`, () =>
    withKv(async (kv) => {
      const input = `{"key":["first"],"value":1}\n${line}\n`;
      const { code, err } = await runIn({ kv, input }, "kv", "import");
      assert.equal(code, 2);
      assert.match(
        err,
        /^error\[CLI_IMPORT_LINE_INVALID\]: Cannot import line/,
      );
      assert.match(err, /1 records before it are written\ncause: /);
      assert.equal((await contents(kv)).length, 1);
    }));
}

/** A database that commits the first of several writes under way last. */
function firstLast(kv: Deno.Kv): Deno.Kv {
  let isFirst = true;
  const atomic = () => {
    const write = kv.atomic();
    if (!isFirst) return write;
    isFirst = false;
    const commit = write.commit.bind(write);
    write.commit = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return await commit();
    };
    return write;
  };
  return new Proxy(kv, {
    get: (target, name) =>
      name === "atomic" ? atomic : Reflect.get(target, name, target),
  });
}

async function contents(kv: Deno.Kv) {
  const records = [];
  for await (const { key, value } of kv.list({ prefix: [] })) {
    records.push({ key, value });
  }
  return records;
}
