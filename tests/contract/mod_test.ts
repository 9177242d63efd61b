/*
 * Goal: a program that embeds a node and asks it, with what mod.ts exports.
 * Method: a real node on free ports and a temporary data dir.
 */
import assert from "node:assert/strict";
import { connectAdmin, NodeError, rolloutPlan, startNode } from "../../mod.ts";
import { generateKek } from "../../src/app/generate_kek.ts";

const ANY = "127.0.0.1:0";
const TOKEN = "admin-token-123";

Deno.test("startNode() and connectAdmin() work together", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sealkv_mod_" });
  try {
    await Deno.writeTextFile(`${dir}/token`, `${TOKEN}\n`);
    const settings = {
      "data-dir": `${dir}/n1`,
      "cluster-name": "embedded",
      "listen": ANY,
      "peer-listen": ANY,
      "admin-listen": ANY,
      "access-token-file": `${dir}/token`,
      "admin-token-file": `${dir}/token`,
      "peer-token-file": `${dir}/token`,
      "log-level": "error",
    };
    const node = await startNode(settings);
    try {
      const { hostname, port } = node.addresses.admin;
      const admin = connectAdmin({
        admin: `${hostname}:${port}`,
        token: TOKEN,
      });
      const status = await admin.getStatus();
      admin.close();
      assert.equal(status.cluster, "embedded");
      assert.equal(status.ready, true);
      await assert.rejects(startNode(settings), (error) => {
        assert.ok(error instanceof NodeError);
        assert.equal(error.code, "NODE_DATA_DIR_LOCKED");
        return true;
      });
    } finally {
      await node.stop();
    }
    const again = await startNode(settings);
    await again.stop();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("startNode() refuses what is no setting, by name", async () => {
  const settings = { "data-dirr": "/d" };
  await assert.rejects(
    startNode(settings as Record<string, string>),
    /"data-dirr"/,
  );
});

Deno.test("rolloutPlan() takes the steps of a node", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sealkv_mod_" });
  try {
    await Deno.writeTextFile(`${dir}/token`, `${TOKEN}\n`);
    await generateKek(`${dir}/kek/sealkv.kek`);
    const node = await startNode({
      "data-dir": `${dir}/n1`,
      "cluster-name": "embedded",
      "listen": ANY,
      "peer-listen": ANY,
      "admin-listen": ANY,
      "access-token-file": `${dir}/token`,
      "admin-token-file": `${dir}/token`,
      "peer-token-file": `${dir}/token`,
      "encryption-enabled": "true",
      "kek": [`file:${dir}/kek/sealkv.kek`],
      "log-level": "error",
    });
    try {
      const { hostname, port } = node.addresses.admin;
      const admin = connectAdmin({
        admin: `${hostname}:${port}`,
        token: TOKEN,
      });
      const taken: string[] = [];
      let plan = await rolloutPlan(admin);
      while (plan.next !== null) {
        const step = plan.steps.find(({ id }) => id === plan.next);
        assert.ok(step !== undefined);
        assert.equal(step.state, "ready", `${step.id}: ${step.detail}`);
        taken.push(step.id);
        for await (const event of step.run({ confirm: plan.cluster })) {
          if (event.kind === "failed") throw event.error;
        }
        plan = await rolloutPlan(admin);
      }
      admin.close();
      assert.deepEqual(
        taken,
        ["storage", "rewrite", "seal", "raft", "scrub"],
      );
      assert.equal(plan.phase, 2);
    } finally {
      await node.stop();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
