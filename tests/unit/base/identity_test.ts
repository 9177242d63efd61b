import assert from "node:assert/strict";
import {
  fullNodeId,
  isClusterName,
  isNodeName,
  node16Of,
} from "../../../src/base/identity.ts";

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

Deno.test("fullNodeId() is FNV-1a-64 of the name, node16Of() its low 16 bits", () => {
  const known = [
    ["n1", 0x08b37b07b558d4c0n, 0xd4c0],
    ["", 0xcbf29ce484222325n, 0x2325],
    ["a", 0xaf63dc4c8601ec8cn, 0xec8c],
    ["foobar", 0x85944171f73967e8n, 0x67e8],
  ] as const;
  for (const [name, id, node16] of known) {
    assert.equal(fullNodeId(name), id);
    assert.equal(node16Of(id), node16);
  }
});
