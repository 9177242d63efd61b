import assert from "node:assert/strict";
import { closest } from "../../../src/cli/suggest.ts";

const CASES: [typed: string, choices: string[], expected: string | null][] = [
  ["bsh", ["zsh", "bash", "fish"], "bash"],
  ["fsh", ["zsh", "bash", "fish"], "fish"],
  ["JSON", ["json", "text"], "json"],
  ["u65", ["json", "u64"], "u64"],
  ["wholly-else", ["json", "u64"], null],
  ["", ["json"], null],
  ["x", [], null],
];
for (const [typed, choices, expected] of CASES) {
  Deno.test(`closest() of "${typed}" in ${choices} is ${expected}`, () => {
    assert.equal(closest(typed, choices), expected);
  });
}
