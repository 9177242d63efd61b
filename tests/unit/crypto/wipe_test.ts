import assert from "node:assert/strict";
import { wipe } from "../../../src/crypto/wipe.ts";

Deno.test("wipe() leaves zeros, in the given view only", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  wipe(bytes.subarray(1, 3));
  assert.deepEqual([...bytes], [1, 0, 0, 4]);
});
