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

const BAD: [name: string, text: string][] = [
  ["no JSON", "{"],
  ["an array", "[]"],
  ["null", "null"],
  ["an unknown key", '{"lisen":"x"}'],
  ["a nested value", '{"node":{}}'],
  ["a null value", '{"node":null}'],
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
