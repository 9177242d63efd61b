/*
 * Goal: while a long change is carried out its leader tells how every member
 * gets on with it, other members name the leader, and afterwards it is gone.
 * Method: whole nodes on simulated time, looked at again and again.
 */
import assert from "node:assert/strict";
import type {
  ChangeUnderWay,
  EncryptionRequest,
} from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import type { TestCluster } from "../test_cluster.ts";
import { fill, NAMES, rewrite, start, TERMS } from "./member_steps.ts";

useTurnCrypto();

/** Carries `request` out; what the leader told meanwhile, news only. */
async function told(
  cluster: TestCluster,
  request: EncryptionRequest,
): Promise<readonly ChangeUnderWay[]> {
  const { encryption } = cluster.node(await cluster.leader());
  assert.equal(encryption.changeUnderWay(), null);
  let isOver = false;
  const done = encryption.changeEncryption(request, TERMS)
    .finally(() => isOver = true);
  const looks: ChangeUnderWay[] = [];
  for (let turn = 0; turn < 10_000 && !isOver; turn += 1) {
    const look = encryption.changeUnderWay();
    if (look !== null && look !== looks.at(-1)) looks.push(look);
    await cluster.clock.run(1);
  }
  assert.ok((await cluster.clock.until(done)).isChanged);
  assert.equal(encryption.changeUnderWay(), null);
  return looks;
}

Deno.test("a leader tells how members are with a long change", async () => {
  const cluster = await start();
  const on = { kind: "enable-storage-envelope" } as const;
  const { encryption } = cluster.node(await cluster.leader());
  await cluster.clock.until(encryption.changeEncryption(on, TERMS));
  await fill(cluster, 0, 50);
  await rewrite(cluster);
  const looks = await told(cluster, { kind: "seal-cleartext" });
  const names = (look: ChangeUnderWay | undefined) =>
    look?.members.map(({ member }) => member);
  for (const look of looks) {
    assert.equal(look.action, "seal-cleartext");
    assert.deepEqual(names(look), NAMES);
  }
  const states = (look: ChangeUnderWay | undefined) =>
    look?.members.map(({ state }) => state);
  assert.deepEqual(states(looks[0]), ["waiting", "waiting", "waiting"]);
  assert.deepEqual(states(looks.at(-1)), ["done", "done", "done"]);
  const { done, total } = looks.at(-1)!.members[0]!;
  assert.ok(done >= 50 && total >= done, `${done} of ${total}`);
  for (const name of NAMES) {
    if (name === await cluster.leader()) continue;
    assert.throws(() => cluster.node(name).encryption.changeUnderWay(), {
      code: "NODE_NOT_LEADER",
    });
  }
  await cluster.close();
});
