import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  contextBytes,
  keyContext,
  keyIdBytes,
  uint64Bytes,
  writerBytes,
} from "../../../src/crypto/context.ts";
import { counting } from "./second_opinion.ts";

const CLUSTER = counting(16);
const HEX = "000102030405060708090a0b0c0d0e0f";

Deno.test("contextBytes() joins label, cluster and the rest", () => {
  const joined = contextBytes(utf8("ab"), CLUSTER, utf8("c"), utf8("d"));
  assert.equal(toHex(joined), `6162${HEX}6364`);
  assert.throws(() => contextBytes(utf8("a"), counting(15)), InvariantError);
});

for (
  const [purpose, byte] of [["storage", 1], ["raft", 2], ["state", 3]] as const
) {
  Deno.test(`keyContext() ends with the purpose: ${purpose}`, () => {
    const key = { clusterId: CLUSTER, keyId: 0xfffffffe, purpose };
    assert.equal(
      toHex(keyContext(utf8("ab"), key)),
      `6162${HEX}fffffffe0${byte}`,
    );
  });
}

Deno.test("keyIdBytes() takes 1 to 2^32 - 1", () => {
  assert.equal(toHex(keyIdBytes(1)), "00000001");
  assert.equal(toHex(keyIdBytes(2 ** 32 - 1)), "ffffffff");
  for (const bad of [0, -1, 2 ** 32, 1.5, NaN]) {
    assert.throws(() => keyIdBytes(bad), InvariantError);
  }
});

Deno.test("writerBytes() takes any u16 as node16 and 1 to 0xFFFF as epoch", () => {
  assert.equal(toHex(writerBytes(0, 1)), "00000001");
  assert.equal(toHex(writerBytes(0xffff, 0xffff)), "ffffffff");
  for (
    const [node16, epoch] of [[-1, 1], [0x10000, 1], [0.5, 1], [1, 0], [
      1,
      0x10000,
    ], [1, 1.5]] as const
  ) {
    assert.throws(() => writerBytes(node16, epoch), InvariantError);
  }
});

Deno.test("uint64Bytes() takes safe integers and bigints", () => {
  assert.equal(toHex(uint64Bytes(258)), "0000000000000102");
  assert.equal(toHex(uint64Bytes(2n ** 64n - 1n)), "ffffffffffffffff");
  assert.throws(() => uint64Bytes(-1), InvariantError);
});
