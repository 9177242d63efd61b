import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import { sha256 } from "../../../src/crypto/sha256.ts";

// FIPS 180-4 examples.
const CASES: [text: string, digest: string][] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
];

for (const [text, digest] of CASES) {
  Deno.test(`sha256() matches FIPS 180-4 for "${text}"`, async () => {
    assert.equal(toHex(await sha256(utf8(text))), digest);
  });
}
