import assert from "node:assert/strict";
import {
  KEY_BYTES_MAX,
  RECORD_KEY_BYTES_MAX,
} from "../../../src/fsm/limits.ts";
import { suffixKey, versionstampOf } from "../../../src/fsm/versionstamp.ts";

Deno.test("RECORD_KEY_BYTES_MAX is the length of a longest suffixed key", () => {
  const key = suffixKey(new Uint8Array(KEY_BYTES_MAX), versionstampOf(1, 0));
  assert.equal(key.length, RECORD_KEY_BYTES_MAX);
});
