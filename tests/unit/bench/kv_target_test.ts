import assert from "node:assert/strict";
import { toHex } from "../../../src/base/bytes.ts";
import { benchKey, benchKeyText } from "../../../src/bench/kv_target.ts";

Deno.test('benchKey() is the KV Connect form of ["bench", text]', () => {
  assert.equal(benchKeyText(42), "user0000042");
  assert.equal(
    toHex(benchKey(42)),
    "0262656e636800" + "027573657230303030303432" + "00",
  );
});
