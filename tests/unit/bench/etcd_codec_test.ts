import assert from "node:assert/strict";
import { toHex, utf8 } from "../../../src/base/bytes.ts";
import {
  encodePut,
  encodePutAll,
  encodeRange,
} from "../../../src/bench/etcd_codec.ts";

Deno.test("encodePut() writes key and value", () => {
  assert.equal(toHex(encodePut(utf8("k"), utf8("vw"))), "0a016b" + "12027677");
});

Deno.test("encodePut() writes lengths above 127 as varints", () => {
  const bytes = encodePut(utf8("k"), new Uint8Array(300));
  assert.equal(toHex(bytes.subarray(3, 6)), "12ac02");
  assert.equal(bytes.length, 6 + 300);
});

Deno.test("encodeRange() asks for one key, serializable or not", () => {
  assert.equal(toHex(encodeRange(utf8("k"), false)), "0a016b");
  assert.equal(toHex(encodeRange(utf8("k"), true)), "0a016b" + "3801");
});

Deno.test("encodePutAll() wraps each put as an operation of success", () => {
  const put = encodePut(utf8("k"), utf8("v"));
  const wrapped = "12081206" + toHex(put);
  assert.equal(toHex(encodePutAll([put, put])), wrapped + wrapped);
});
