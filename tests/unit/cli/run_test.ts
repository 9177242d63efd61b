import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { OutputFailedError } from "../../../src/cli/errors.ts";
import { run } from "../../../src/cli/run.ts";
import { OutputClosedError } from "../../../src/cli/terminal.ts";
import { VERSION } from "../../../src/base/version.ts";
import {
  fakeServices,
  recordingOutput,
  runIn,
  type World,
} from "./fake_services.ts";

const USAGE: [args: string[], said: RegExp][] = [
  [[], /no command is given/],
  [["servve"], /unknown command 'servve'\nremedy: Did you mean serve\?/],
  [["kv"], /needs another one after it/],
  [["kv", "gett", "k"], /Did you mean get\?/],
  [["kv", "get", "k", "--jso"], /Did you mean --json\?/],
  [["kv", "set", "k", "1", "--type", "jsn"], /Did you mean json\?/],
  [["completions", "bsh"], /Did you mean bash\?/],
  [["serve", "--log-level", "wrn"], /Did you mean warn\?/],
  [["serve", "--node"], /argument missing/],
  [["version", "now"], /too many arguments/],
  [["version", "--long"], /unknown option/],
  [["help", "sevre"], /./],
];
for (const [args, said] of USAGE) {
  Deno.test(`run() of "${args.join(" ")}" is a usage error`, async () => {
    const { code, out, err } = await runIn({}, ...args);
    assert.equal(code, 2, out + err);
    assert.equal(out, "");
    assert.match(err, /^error\[CLI_USAGE\]: .+\nremedy: .+\n$/);
    assert.match(err, said);
  });
}

Deno.test("run() reports errors as one JSON object with --json", async () => {
  const { code, err } = await runIn({}, "status", "--jsn", "--json");
  const { error } = JSON.parse(err);
  assert.equal(code, 2);
  assert.equal(error.code, "CLI_USAGE");
  assert.match(error.remedy, /--json/);
  const literal = await runIn({}, "kv", "gett", "--", "--json");
  assert.match(literal.err, /^error\[/);
});

Deno.test("run() colours errors on a terminal that wants colour", async () => {
  const err = async (env: Record<string, string>) =>
    (await runIn({ isTerminal: true, env }, "x")).err;
  assert.ok((await err({})).includes("\x1b["));
  assert.ok((await err({ NO_COLOR: "" })).includes("\x1b["));
  assert.ok(!(await err({ NO_COLOR: "1" })).includes("\x1b["));
  assert.ok(!(await err({ TERM: "dumb" })).includes("\x1b["));
  assert.ok(!(await runIn({}, "x")).err.includes("\x1b["));
});

Deno.test("run() ends with 70 and a stack for a broken invariant", async () => {
  const world: World = {
    startNode: () => Promise.reject(new InvariantError("Invariant broken: x")),
  };
  const { code, err } = await runIn(world, "serve");
  assert.equal(code, 70);
  assert.match(err, /^error\[BUG\]: Invariant broken: x\nremedy: /);
  assert.match(err, /\n\s+at /);
});

Deno.test("run() ends with 1 and a stack for what nobody expected", async () => {
  const cause = new TypeError("inner\nlines");
  const world: World = {
    startNode: () => Promise.reject(new Error("outer", { cause })),
  };
  const { code, err } = await runIn(world, "serve");
  assert.equal(code, 1);
  assert.match(
    err,
    /^error\[UNEXPECTED\]: outer\ncause: inner lines\nremedy: /,
  );
});

Deno.test("run() ends quietly when nobody reads the output", async () => {
  const closed = {
    isTerminal: false,
    write() {
      throw new OutputClosedError("Output closed");
    },
  };
  const err = recordingOutput(false);
  assert.equal(await run(["version"], fakeServices({}, closed, err)), 0);
  assert.equal(err.text(), "");
  assert.equal(await run(["nope"], fakeServices({}, closed, closed)), 2);
});

Deno.test("run() ends with 74 when the output cannot be written", async () => {
  const full = {
    isTerminal: false,
    write() {
      throw new OutputFailedError();
    },
  };
  const err = recordingOutput(false);
  assert.equal(await run(["version"], fakeServices({}, full, err)), 74);
  assert.match(err.text(), /^error\[CLI_OUTPUT_FAILED\]/);
  assert.equal(await run(["version"], fakeServices({}, full, full)), 74);
});

Deno.test("version prints this version, and that of deno.json", async () => {
  const text = await Deno.readTextFile(
    new URL("../../../deno.json", import.meta.url),
  );
  assert.equal(JSON.parse(text).version, VERSION);
  const { out } = await runIn({}, "version");
  assert.ok(out.startsWith(`sealkv ${VERSION} (deno ${Deno.version.deno}`));
  const json = JSON.parse((await runIn({}, "version", "--json")).out);
  assert.equal(json.sealkv, VERSION);
  assert.equal((await runIn({}, "--version")).out, `${VERSION}\n`);
});
