import assert from "node:assert/strict";
import { isClusterName, isNodeName } from "../../../src/base/identity.ts";

Deno.test("isNodeName() takes 1 to 63 of the alphabet", () => {
  const good = ["a", "n1", "n-1.eu", "1", "a".repeat(63)];
  const bad = ["", "N1", "n_1", "a/b", "é", ".", "..", "a".repeat(64), "a\n"];
  assert.deepEqual(good.filter(isNodeName), good);
  assert.deepEqual(bad.filter(isNodeName), []);
});

Deno.test("isClusterName() takes 1 to 63 of the alphabet", () => {
  const good = ["a", "prod-eu-1", "P_1.x", "a".repeat(63)];
  const bad = ["", "-a", "a b", "a/b", "a".repeat(64), "a\n"];
  assert.deepEqual(good.filter(isClusterName), good);
  assert.deepEqual(bad.filter(isClusterName), []);
});
