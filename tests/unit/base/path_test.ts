import assert from "node:assert/strict";
import { parentOf } from "../../../src/base/path.ts";

Deno.test("parentOf() names the directory of a path", () => {
  assert.equal(parentOf("/data/n1/raft"), "/data/n1");
  assert.equal(parentOf("/data"), "/");
  assert.equal(parentOf("data/n1"), "data");
  assert.equal(parentOf("data"), ".");
});
