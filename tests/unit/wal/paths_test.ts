import assert from "node:assert/strict";
import { walPaths } from "../../../src/wal/paths.ts";

Deno.test("walPaths() lays a log out as raft.md says", () => {
  assert.deepEqual(walPaths("data/raft"), {
    dir: "data/raft",
    segments: "data/raft/wal",
    anchor: "data/raft/anchor",
    lock: "data/raft/LOCK",
  });
});
