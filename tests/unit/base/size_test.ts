import assert from "node:assert/strict";
import { formatSize, parseSize } from "../../../src/base/size.ts";

const SIZES: [text: string, bytes: number][] = [
  ["0B", 0],
  ["1023B", 1_023],
  ["1KiB", 1_024],
  ["50MiB", 52_428_800],
  ["1GiB", 1_073_741_824],
];
for (const [text, bytes] of SIZES) {
  Deno.test(`parseSize() and formatSize() mean ${text}`, () => {
    assert.equal(parseSize(text), bytes);
    assert.equal(formatSize(bytes), text);
  });
}

const BAD = [
  "",
  "1",
  "MiB",
  "1 MiB",
  "1.5MiB",
  "-1B",
  "1MB",
  "999999999999GiB",
];
for (const text of BAD) {
  Deno.test(`parseSize() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseSize(text), null);
  });
}
