import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { sha256 } from "../../../src/base/sha256.ts";

/** FIPS 180-2 appendix B. */
const VECTORS: readonly (readonly [text: string, hex: string])[] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
];

for (const [text, hex] of VECTORS) {
  Deno.test(`sha256() of "${text}"`, () => {
    assert.equal(toHex(sha256(utf8(text))), hex);
  });
}

Deno.test("sha256() agrees with the platform at every block boundary", () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 + length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    assert.equal(toHex(sha256(bytes)), expected);
  }
});
