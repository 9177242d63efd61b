import assert from "node:assert/strict";
import { runIn } from "./fake_services.ts";

/** Runs the real program: the completion library prints by itself. */
async function complete(...words: string[]): Promise<string[]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", ...words],
    cwd: new URL("../../../", import.meta.url),
    stderr: "null",
  }).output();
  assert.equal(code, 0);
  return new TextDecoder().decode(stdout).split("\n")
    .map((line) => line.split("\t")[0] ?? "");
}

const CASES: [words: string[], expected: string[]][] = [
  [["s"], ["serve", "status"]],
  [["kv", ""], ["get", "set", "delete", "list", "watch", "import", "export"]],
  [["kv", "get", "--ti"], ["--timeout"]],
  [["serve", "--log-level", ""], ["debug", "info", "warn", "error"]],
  [["e"], ["encryption"]],
  [["encryption", ""], ["status", "bootstrap", "rotate-dek", "disable"]],
  [["encryption", "rotate-dek", "--purpose", ""], ["storage", "raft"]],
  [["encryption", "rewrite", "--"], ["--rate", "--pause", "--follow"]],
  [["encryption", "rewrap-deks", "--t"], ["--to", "--timeout"]],
  [["kek", ""], ["generate"]],
  [["completions", ""], ["zsh", "bash", "fish"]],
];
for (const [words, expected] of CASES) {
  Deno.test(`completion of "${words.join(" ")}" offers ${expected}`, async () => {
    const offered = await complete("complete", "--", ...words);
    for (const word of expected) assert.ok(offered.includes(word), word);
  });
}

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completions ${shell} prints a script for it`, async () => {
    const script = (await complete("completions", shell)).join("\n");
    assert.ok(script.includes(`# ${shell} completion for sealkv`));
  });
}

Deno.test("completions without a shell is a usage error", async () => {
  assert.equal((await runIn({}, "completions")).code, 2);
});
