import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";

// RFC 3720 appendix B.4, and the usual check value.
const VECTORS: [name: string, bytes: Uint8Array, crc: number][] = [
  ["check", utf8("123456789"), 0xe3069283],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["ascending", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["descending", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["nothing", new Uint8Array(0), 0],
];

for (const [name, bytes, crc] of VECTORS) {
  Deno.test(`crc32c() of ${name}`, () => assert.equal(crc32c(bytes), crc));
}

/** The definition, bit by bit. */
function bitwise(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 1) === 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
    }
  }
  return ~crc >>> 0;
}

Deno.test("crc32c() agrees with the definition, whole and continued", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (b, n) => {
      const cut = Math.min(n, b.length);
      assert.equal(crc32c(b), bitwise(b));
      assert.equal(
        crc32c(b.subarray(cut), crc32c(b.subarray(0, cut))),
        crc32c(b),
      );
    }),
  );
});
