/*
 * Goal: what operators ask of a real node is in its audit log, across restarts.
 * Method: a real node with a real data dir, asked by our own client.
 */
import assert from "node:assert/strict";
import { connectAdmin, NodeError, startNode } from "../../mod.ts";
import { followChain } from "../../src/app/audit_chain.ts";

const ANY = "127.0.0.1:0";
const TOKEN = "admin-token-123";

Deno.test("a node keeps what operators asked of it, across restarts", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sealkv_audit_" });
  try {
    await Deno.writeTextFile(`${dir}/token`, `${TOKEN}\n`);
    for (const actor of ["ana@laptop", "bob@desk"]) {
      await changeOnce(dir, actor);
    }
    const text = await Deno.readTextFile(`${dir}/n1/audit.log`);
    assert.ok(!text.includes(TOKEN));
    const lines = text.split("\n").slice(0, -1);
    assert.equal(followChain(lines, { isWhole: true }).isBroken, false);
    const [begun, ...records] = lines.map((line) => JSON.parse(line));
    assert.equal(begun.event, "chain_begun");
    assert.deepEqual(
      records.map(({ actor, remote, call, result, code }) => [
        ...[actor, remote, call.split("/")[1], result, code],
      ]),
      ["ana@laptop", "bob@desk"].flatMap((actor) => [
        [actor, "127.0.0.1", "AddMember", "done", ""],
        [actor, "127.0.0.1", "PromoteMember", "refused", "NODE_MEMBER_UNKNOWN"],
      ]),
    );
    const { mode } = await Deno.stat(`${dir}/n1/audit.log`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Starts the node, adds a learner (again), and promotes nobody. */
async function changeOnce(dir: string, actor: string): Promise<void> {
  const node = await startNode({
    "data-dir": `${dir}/n1`,
    "cluster-name": "audited",
    "listen": ANY,
    "peer-listen": ANY,
    "admin-listen": ANY,
    "access-token-file": `${dir}/token`,
    "admin-token-file": `${dir}/token`,
    "peer-token-file": `${dir}/token`,
    "log-level": "error",
  });
  try {
    const { hostname, port } = node.addresses.admin;
    const options = { admin: `${hostname}:${port}`, token: TOKEN, actor };
    const client = connectAdmin(options);
    const learner = { name: "n2", peerAddress: "127.0.0.1:1", promote: false };
    await client.addMember(learner, { dryRun: true });
    await client.addMember(learner);
    await assert.rejects(client.promoteMember("n9"), NodeError);
    await client.getStatus();
    client.close();
  } finally {
    await node.stop();
  }
}
