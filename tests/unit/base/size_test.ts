import assert from "node:assert/strict";
import { formatSize, parseSize, sizeText } from "../../../src/base/size.ts";

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

Deno.test("sizeText() takes at most 8 characters", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [1_023, "1023 B"],
    [1_024, "1.0 KiB"],
    [1_536, "1.5 KiB"],
    [102_400, "100 KiB"],
    [1_048_575, "1.0 MiB"],
    [75_161_927_680, "70.0 GiB"],
    [2 ** 53, "8.0 PiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(sizeText(bytes), text);
  for (let bytes = 1; bytes < 1e17; bytes *= 1.013) {
    assert.ok(sizeText(bytes).length <= 8, `${bytes}`);
  }
});
