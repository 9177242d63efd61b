import assert from "node:assert/strict";
import { runIn, withKv, type World } from "../fake_services.ts";

Deno.test("kv set, get and delete carry a value", () =>
  withKv(async (kv) => {
    const set = await runIn({ kv }, "kv", "set", "users/1", '{"a":1}');
    assert.match(set.out, /^[0-9a-f]{20}\n$/);
    assert.deepEqual((await kv.get(["users", "1"])).value, { a: 1 });
    const get = await runIn({ kv }, "kv", "get", "users/1");
    assert.deepEqual([get.code, get.out], [0, '{"a":1}\n']);
    const gone = await runIn({ kv }, "kv", "delete", "users/1");
    assert.deepEqual([gone.code, gone.out], [0, ""]);
    const again = await runIn({ kv }, "kv", "delete", "users/1", "--json");
    assert.deepEqual([again.code, again.out], [0, '{"ok":true}\n']);
    const missing = await runIn({ kv }, "kv", "get", "users/1");
    assert.equal(missing.code, 8);
    assert.match(missing.err, /^error\[CLI_KEY_NOT_FOUND\]: .*\nremedy: /);
  }));

const TYPED: [args: string[], input: string, expected: unknown][] = [
  [["1"], "", 1],
  [["one two"], "", "one two"],
  [['"1"'], "", "1"],
  [["1", "--type", "text"], "", "1"],
  [["7", "--type", "u64"], "", new Deno.KvU64(7n)],
  [["-7", "--type", "bigint"], "", -7n],
  [["AAE=", "--type", "bytes"], "", new Uint8Array([0, 1])],
  [[], "[1]\n", [1]],
  [["-"], "plain\n", "plain"],
  [["--type", "text"], "kept\n", "kept\n"],
  [["--type", "bytes"], "raw\n", new TextEncoder().encode("raw\n")],
];
for (const [args, input, expected] of TYPED) {
  Deno.test(`kv set takes ${JSON.stringify([args, input])}`, () =>
    withKv(async (kv) => {
      const end = args[0] === "-7" ? ["--type", "bigint", "k", "--", "-7"] : [];
      const line = end.length > 0
        ? ["kv", "set", "--type", "bigint", "--", "k", "-7"]
        : ["kv", "set", "k", ...args];
      const { code, err } = await runIn({ kv, input }, ...line);
      assert.equal(code, 0, err);
      assert.deepStrictEqual((await kv.get(["k"])).value, expected);
    }));
}

Deno.test("kv get prints text plainly, raw exactly, json completely", () =>
  withKv(async (kv) => {
    await kv.set(["t"], "ä\nb");
    await kv.set(["b"], new Uint8Array([0, 255]));
    await kv.set(["u"], new Deno.KvU64(2n ** 64n - 1n));
    assert.equal((await runIn({ kv }, "kv", "get", "t")).out, "ä\nb\n");
    assert.equal((await runIn({ kv }, "kv", "get", "t", "--raw")).out, "ä\nb");
    const raw = await runIn({ kv }, "kv", "get", "b", "--raw");
    assert.deepEqual(raw.outBytes, new Uint8Array([0, 255]));
    const refused = await runIn({ kv }, "kv", "get", "u", "--raw");
    assert.equal(refused.code, 2);
    const json = JSON.parse(
      (await runIn({ kv }, "kv", "get", "u", "--json")).out,
    );
    assert.deepEqual(json.value, { $u64: "18446744073709551615" });
    assert.deepEqual(json.key, ["u"]);
    assert.match(json.versionstamp, /^[0-9a-f]{20}$/);
  }));

Deno.test("kv set --if-versionstamp writes over that version only", () =>
  withKv(async (kv) => {
    const set = (stamp: string) =>
      runIn({ kv }, "kv", "set", "k", "1", "--if-versionstamp", stamp);
    assert.equal((await set("none")).code, 0);
    const second = await set("none");
    assert.equal(second.code, 8);
    assert.match(second.err, /CLI_CHECK_FAILED/);
    const { versionstamp } = await kv.get(["k"]);
    assert.equal((await set(versionstamp!)).code, 0);
    assert.equal((await set(versionstamp!)).code, 8);
  }));

Deno.test("kv list selects, limits, turns round and goes on", () =>
  withKv(async (kv) => {
    for (const n of [1, 2, 3, 4]) await kv.set(["n", n], n);
    await kv.set(["other"], "x");
    const list = async (...args: string[]) =>
      (await runIn({ kv }, "kv", "list", ...args)).out;
    assert.equal(await list("--prefix", "other"), "");
    assert.equal(await list("--limit", "1"), '["n",1]\t1\n');
    assert.equal(
      await list("--prefix", "n", "--reverse", "--limit", "2"),
      '["n",4]\t4\n["n",3]\t3\n',
    );
    assert.equal(
      await list("--start", '["n",2]', "--end", '["n",4]'),
      '["n",2]\t2\n["n",3]\t3\n',
    );
    assert.equal(
      await list("--prefix", "n", "--start", '["n",4]'),
      '["n",4]\t4\n',
    );
    const page = (await list("--limit", "3", "--json")).trim().split("\n");
    assert.equal(page.length, 4);
    const { cursor } = JSON.parse(page[3]!);
    const rest = await list("--cursor", cursor);
    assert.equal(rest, '["n",4]\t4\n["other"]\t"x"\n');
    const talk = await runIn({ kv }, "kv", "list", "--limit", "3");
    assert.equal(talk.err, `There may be more: --cursor ${cursor}\n`);
  }));

Deno.test("kv watch prints now and after changes, then stops at --count", () =>
  withKv(async (kv) => {
    await kv.set(["a"], 1);
    const changed = Promise.withResolvers<unknown>();
    const onOutput = (text: string) => {
      // Both keys are shown: the watch is on.
      if (text.includes('["b"]')) {
        onOutput.isOn ||= (changed.resolve(kv.set(["a"], 2)), true);
      }
    };
    onOutput.isOn = false;
    const { code, out } = await runIn(
      { kv, onOutput },
      ...["kv", "watch", "a", "b", "--count", "3", "--json"],
    );
    await changed.promise;
    const lines = out.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map(({ key, value }) => [key[0], value]),
      [["a", 1], ["b", null], ["a", 2]],
    );
    assert.equal(lines[1].versionstamp, null);
  }));

type Bad = [args: string[], code: number, name: string];

const BAD: Bad[] = [
  [["get", ""], 2, "CLI_INPUT_INVALID"],
  [["get"], 2, "CLI_USAGE"],
  [["get", "k", "--url", "ftp://h"], 2, "CLI_USAGE"],
  [["get", "k", "--timeout", "0s"], 2, "CLI_USAGE"],
  [["get", "k", "extra"], 2, "CLI_USAGE"],
  [["set", "[1", "1"], 2, "CLI_INPUT_INVALID"],
  [["set", "k", "{", "--type", "json"], 2, "CLI_INPUT_INVALID"],
  [["set", "k", "-1x", "--type", "u64"], 2, "CLI_USAGE"],
  [["set", "k", "1.5", "--type", "u64"], 2, "CLI_INPUT_INVALID"],
  [["set", "k", "x", "--type", "bytes"], 2, "CLI_INPUT_INVALID"],
  [["set", "k", "1", "--type", "float"], 2, "CLI_USAGE"],
  [["set", "k", "1", "--expire-in", "soon"], 2, "CLI_USAGE"],
  [["set", "k", "1", "--if-versionstamp", "1"], 2, "CLI_USAGE"],
  [["set", "k", '{"$bigint":1}'], 2, "CLI_INPUT_INVALID"],
  [["delete"], 2, "CLI_USAGE"],
  [["delete", "a//b"], 2, "CLI_INPUT_INVALID"],
  [["delete", "k", "--force"], 2, "CLI_USAGE"],
  [["list", "--limit", "0"], 2, "CLI_USAGE"],
  [["list", "--start", "a"], 2, "CLI_INPUT_INVALID"],
  [
    ["list", "--prefix", "a", "--start", "b", "--end", "c"],
    2,
    "CLI_INPUT_INVALID",
  ],
  [["list", "k"], 2, "CLI_USAGE"],
  [["list", "--cursor", "?"], 1, "CLI_DATABASE_REFUSED"],
  [["watch"], 2, "CLI_USAGE"],
  [["watch", ..."abcdefghijk"], 2, "CLI_INPUT_INVALID"],
  [["watch", "k", "--count", "x"], 2, "CLI_USAGE"],
  [["import", "/none"], 2, "CLI_INPUT_INVALID"],
  [["import", "--dry-run", "/bad.json"], 2, "CLI_IMPORT_LINE_INVALID"],
  [["import", "a", "b"], 2, "CLI_USAGE"],
  [["export", "k"], 2, "CLI_USAGE"],
  [["export", "--end", "a"], 2, "CLI_INPUT_INVALID"],
  [["export", "--prefix", "a/"], 2, "CLI_INPUT_INVALID"],
];
for (const [args, code, name] of BAD) {
  Deno.test(`kv ${args.join(" ")} ends with ${code}, ${name}`, () =>
    withKv(async (kv) => {
      const files = { "/bad.json": '{"key":["a"],"value":1}\n{"key":1}\n' };
      const outcome = await runIn({ kv, files }, "kv", ...args);
      assert.equal(outcome.code, code, outcome.err);
      assert.equal(outcome.out, "");
      assert.ok(outcome.err.startsWith(`error[${name}]: `), outcome.err);
      assert.match(outcome.err, /\nremedy: .+\n$/);
      for await (const _ of kv.list({ prefix: [] })) assert.fail("written");
    }));
}

const UNREACHED: [name: string, world: World, code: number, error: string][] = [
  ["no node", { metadataStatus: null }, 5, "CLI_NO_ANSWER"],
  ["a node that is not ready", { metadataStatus: 503 }, 5, "CLI_NO_ANSWER"],
  ["a silent node", { isSilent: true }, 5, "CLI_NO_ANSWER"],
  [
    "a wrong token",
    { env: { SEALKV_ACCESS_TOKEN: "not-the-token" } },
    78,
    "CLI_TOKEN_REFUSED",
  ],
  ["no token", { env: { HOME: "/home/ana" } }, 78, "APP_TOKEN_MISSING"],
  [
    "a short token",
    { env: { SEALKV_ACCESS_TOKEN: "x" } },
    78,
    "APP_TOKEN_INVALID",
  ],
];
for (const [name, world, code, error] of UNREACHED) {
  Deno.test(`kv get tells ${name} by ${code}, ${error}`, async () => {
    const outcome = await runIn(world, "kv", "get", "k", "--json");
    assert.equal(outcome.code, code, outcome.err);
    assert.equal(JSON.parse(outcome.err).error.code, error);
    assert.ok(!outcome.err.includes("not-the-token"));
  });
}

Deno.test("kv finds the token that a node of this user keeps", () =>
  withKv(async (kv) => {
    const path = "/home/ana/.local/share/sealkv/access.token";
    const files = { [path]: "access-token-123\n" };
    const world = { kv, files, env: { HOME: "/home/ana" } };
    assert.equal((await runIn(world, "kv", "list")).code, 0);
  }));
