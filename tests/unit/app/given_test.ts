import assert from "node:assert/strict";
import { ConfigFileInvalidError } from "../../../src/app/errors.ts";
import { collectSettings } from "../../../src/app/given.ts";
import { FileError } from "../../../src/io/errors.ts";
import { memoryFiles } from "../../sim/io/files.ts";

Deno.test("collectSettings() takes flag, variable, file in this order", async () => {
  const files = memoryFiles({
    "/c.json": '{"node":"file","listen":"file","heartbeat-ms":70}',
  });
  const env: Record<string, string> = {
    SEALKV_NODE: "variable",
    SEALKV_LISTEN: "variable",
    SEALKV_PEER_LISTEN: "",
  };
  const given = await collectSettings({
    flags: { node: "flag" },
    configPath: "/c.json",
    env: (name) => env[name],
    files,
  });
  assert.deepEqual(given, {
    "node": { text: "flag", source: "--node" },
    "listen": { text: "variable", source: "SEALKV_LISTEN" },
    "heartbeat-ms": { text: "70", source: '"heartbeat-ms" in "/c.json"' },
  });
});

Deno.test("collectSettings() finds the file by SEALKV_CONFIG", async () => {
  const given = await collectSettings({
    flags: {},
    configPath: null,
    env: (name) => name === "SEALKV_CONFIG" ? "/c" : undefined,
    files: memoryFiles({ "/c": '{"insecure":true}' }),
  });
  assert.equal(given.insecure?.text, "true");
});

for (
  const [from, given] of [
    ["a variable", { env: "file:/a,file:/b\nfile:/c" }],
    ["an array of the file", { file: ["file:/a", "file:/b", "file:/c"] }],
    ["a flag", { flag: "file:/a\nfile:/b\nfile:/c" }],
  ] as const
) {
  Deno.test(`collectSettings() takes a list from ${from}`, async () => {
    const sources = given as { env?: string; file?: string[]; flag?: string };
    const { kek } = await collectSettings({
      flags: sources.flag === undefined ? {} : { kek: sources.flag },
      configPath: "/c",
      env: (name) => name === "SEALKV_KEK" ? sources.env : undefined,
      files: memoryFiles({
        "/c": JSON.stringify({ kek: sources.file ?? "x" }),
      }),
    });
    assert.equal(kek?.text, "file:/a\nfile:/b\nfile:/c");
  });
}

const BAD: [name: string, text: string][] = [
  ["no JSON", "{"],
  ["an array", "[]"],
  ["null", "null"],
  ["an unknown key", '{"lisen":"x"}'],
  ["a nested value", '{"node":{}}'],
  ["a null value", '{"node":null}'],
  ["an array for one value", '{"node":["a"]}'],
  ["a number in a list", '{"kek":["a",1]}'],
  ["a number for a list", '{"kek":1}'],
  ["a key of every object", '{"constructor":"x"}'],
];
for (const [name, text] of BAD) {
  Deno.test(`collectSettings() refuses a file with ${name}`, async () => {
    await assert.rejects(
      collectSettings({
        flags: {},
        configPath: "/c",
        env: () => undefined,
        files: memoryFiles({ "/c": text }),
      }),
      ConfigFileInvalidError,
    );
  });
}

Deno.test("collectSettings() refuses a missing or huge file", async () => {
  const files = memoryFiles({ "/big": " ".repeat(65_537) });
  const collect = (configPath: string) =>
    collectSettings({ flags: {}, configPath, env: () => undefined, files });
  await assert.rejects(collect("/none"), ConfigFileInvalidError);
  await assert.rejects(collect("/big"), FileError);
});
