import assert from "node:assert/strict";
import { TestCluster } from "./test_cluster.ts";

const NAMES = ["n1", "n2", "n3"];

Deno.test("a member that says it is ready names a leader, at every moment", async () => {
  const cluster = await TestCluster.start(NAMES);
  const leader = await cluster.leader();
  const node = cluster.node(leader);
  cluster.network.isolate(leader);
  const { clock } = cluster;
  // Looks before promises go on: a client may ask between any two of them.
  for (let steps = 0; node.status().leader === leader; steps += 1) {
    await Promise.resolve();
    clock.step();
    const { ready, leader: named } = node.status();
    assert.ok(!ready || named !== "", `after ${steps} steps`);
    assert.ok(steps < 100_000);
  }
  assert.equal(node.status().ready, false);
  cluster.network.heal();
  await cluster.ready();
  await cluster.close();
});
