/*
 * Goal: who runs a command is told as far as permitted, and nobody is asked.
 * Method: a process of its own for each set of permissions.
 */
import assert from "node:assert/strict";
import { denoActor } from "../../src/io/deno/actor.ts";

const MODULE = new URL("../../src/io/deno/actor.ts", import.meta.url);
const SCRIPT = `import { denoActor } from "${MODULE.href}";
console.log(denoActor());`;

const CASES: [permissions: string[], actor: RegExp][] = [
  [["-A"], /^ana@\S+$/],
  [["--allow-sys=hostname", "--allow-env=USER"], /^ana@\S+$/],
  [["--allow-env=USER"], /^ana$/],
  [["--allow-sys=hostname"], /^@\S+$/],
  [["--allow-env=USER", "--allow-read"], /^ana(@\S+)?$/],
  [[], /^$/],
];
for (const [permissions, actor] of CASES) {
  Deno.test(`denoActor() with ${permissions.join(" ") || "nothing"} is ${actor}`, async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--ext=ts", ...permissions, "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { USER: "ana" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(SCRIPT));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout).trim(), actor);
  });
}

Deno.test("denoActor() is one line", () => {
  assert.match(denoActor(), /^[^\n]*$/);
});
