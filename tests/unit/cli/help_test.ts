/*
 * Help is the manual: its text is frozen in tests/fixtures/help, one file a
 * command. After a change: UPDATE=1 deno test -A tests/unit/cli/help_test.ts
 */
import assert from "node:assert/strict";
import { commandPaths, programOfTests } from "./command_tree.ts";
import { runIn } from "./fake_services.ts";

const FIXTURES = new URL("../../fixtures/help/", import.meta.url);

for (const path of ["", ...commandPaths(programOfTests())]) {
  const name = path === "" ? "sealkv" : path.replaceAll(" ", "_");
  Deno.test(`help of "sealkv ${path}" is the text of ${name}.txt`, async () => {
    const words = path === "" ? [] : path.split(" ");
    const { code, out, err } = await runIn({}, ...words, "--help");
    assert.deepEqual([code, err], [0, ""]);
    const file = new URL(`${name}.txt`, FIXTURES);
    if (Deno.env.get("UPDATE") === "1") await Deno.writeTextFile(file, out);
    assert.equal(out, await Deno.readTextFile(file));
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  });
}

Deno.test("help COMMAND is COMMAND --help", async () => {
  const asked = await runIn({}, "help", "serve");
  assert.equal(asked.out, (await runIn({}, "serve", "--help")).out);
  const nested = await runIn({}, "kv", "help", "set");
  assert.equal(nested.out, (await runIn({}, "kv", "set", "--help")).out);
});

Deno.test("no help file is left of a command that is gone", () => {
  const names = [...Deno.readDirSync(FIXTURES)].map(({ name }) => name).sort();
  const paths = commandPaths(programOfTests());
  const expected = ["sealkv", ...paths.map((path) => path.replaceAll(" ", "_"))]
    .map((name) => `${name}.txt`).sort();
  assert.deepEqual(names, expected);
});
