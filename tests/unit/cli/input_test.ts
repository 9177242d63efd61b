import assert from "node:assert/strict";
import { InputInvalidError } from "../../../src/cli/errors.ts";
import { readInput, readLines } from "../../../src/cli/input.ts";

function stream(...parts: (string | number[])[]) {
  const encoder = new TextEncoder();
  return ReadableStream.from(
    parts.map((part) =>
      typeof part === "string" ? encoder.encode(part) : Uint8Array.from(part)
    ),
  );
}

async function lines(bytesMax: number, ...parts: (string | number[])[]) {
  const read: string[] = [];
  for await (const line of readLines(stream(...parts), bytesMax)) {
    read.push(line);
  }
  return read;
}

Deno.test("readLines() joins parts and splits lines", async () => {
  assert.deepEqual(await lines(9, "a\nb", "c\r\n", "\nd"), [
    "a",
    "bc",
    "",
    "d",
  ]);
  assert.deepEqual(await lines(9, "a\n"), ["a"]);
  assert.deepEqual(await lines(9), []);
});

Deno.test("readLines() keeps a character that two parts share", async () => {
  assert.deepEqual(await lines(9, [0xc3], [0xa9, 0x0a]), ["é"]);
});

Deno.test("readLines() refuses long lines, ended or not, and bad UTF-8", async () => {
  assert.deepEqual(await lines(4, "abcd\nabcd"), ["abcd", "abcd"]);
  await assert.rejects(lines(4, "abcde\n"), InputInvalidError);
  await assert.rejects(lines(4, "abc", "de"), InputInvalidError);
  await assert.rejects(lines(4, [0xff, 0x0a]), InputInvalidError);
});

Deno.test("readInput() stops at its limit", async () => {
  assert.equal((await readInput(stream("ab", "c"), 3)).length, 3);
  await assert.rejects(readInput(stream("ab", "cd"), 3), InputInvalidError);
});
