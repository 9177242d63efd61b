/*
 * Goal: what was written in cleartext is gone from all files of all members
 * after rewrite, lock, raft cutover and scrub; a key is retired with evidence.
 * Method: whole nodes with real keys on simulated disks; values carry a canary
 * that is looked for in every file and every row.
 */
import assert from "node:assert/strict";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { engineOf } from "./encrypted_cluster.ts";
import {
  canaries,
  context,
  cutRaftOver,
  everywhere,
  fill,
  NAMES,
  propose,
  readAll,
  retire,
  rewrite,
  rolloutOf,
  rotate,
  scan,
  scrub,
  sealCleartext,
  start,
  stateOf,
  TERMS,
  work,
} from "./member_steps.ts";

useTurnCrypto();

Deno.test("nothing that was written in cleartext is left after a scrub", async () => {
  const cluster = await start();
  await fill(cluster, 0, 60);
  await propose(cluster, { kind: "enable-storage-envelope" });
  const sealed = stateOf(await cluster.leader()).active.storage;
  await fill(cluster, 60, 80);
  const early = await scan(cluster);
  assert.deepEqual(early.map(({ counts }) => counts?.cleartext), [60, 60, 60]);
  const steps = await work(cluster);
  await assert.rejects(
    cluster.clock.until(steps.sealCleartext(await context(cluster))),
    {
      code: "NODE_CLEARTEXT_REMAINS",
      message: /"n1" has 60 cleartext records, "n2" has 60/,
    },
  );
  await rewrite(cluster);
  const late = await scan(cluster);
  for (const { counts } of late) {
    assert.deepEqual(counts, { cleartext: 0, sealed: new Map([[sealed, 80]]) });
  }
  await sealCleartext(cluster);
  await cutRaftOver(cluster);
  await fill(cluster, 80, 90);
  for (const name of NAMES) {
    assert.notDeepEqual(await canaries(cluster, name), [], "still in the log");
  }
  const { disk } = cluster.place("n2");
  const aside = "/data/store.sqlite.old-20261126T060000Z";
  await (await disk.open(aside, "create")).close();
  await assert.rejects(scrub(cluster), {
    code: "NODE_MEMBER_TASK_FAILED",
    message: new RegExp(`"n2" could not: .*remove it first: ${aside}$`),
  });
  await disk.remove(aside);
  await scrub(cluster);
  for (const name of NAMES) assert.deepEqual(await canaries(cluster, name), []);
  await fill(cluster, 90, 95);
  for (const name of NAMES) {
    await cluster.stop(name);
    await cluster.open(name);
    await cluster.ready();
    assert.equal((await readAll(cluster, name)).length, 95);
    assert.deepEqual(await canaries(cluster, name), []);
  }
  await cluster.close();
});

Deno.test("a key is retired once nothing is left that it sealed", async () => {
  const cluster = await start();
  await propose(cluster, { kind: "enable-storage-envelope" });
  await fill(cluster, 0, 30);
  await rewrite(cluster);
  await sealCleartext(cluster);
  await cutRaftOver(cluster);
  await fill(cluster, 30, 40);
  const steps = await work(cluster);
  const { active, stateKey } = stateOf("n1");
  for (const keyId of [active.storage, active.raft, stateKey, 12345]) {
    await assert.rejects(steps.retireDek(keyId, await context(cluster)), {
      code: "NODE_KEY_NOT_RETIRABLE",
    });
  }
  const storage = await rotate(cluster, "storage");
  // The job follows the rotation.
  await everywhere(
    cluster,
    (name) => cluster.place(name).log.named("rewrite_done").length === 2,
  );
  await retire(cluster, storage);
  const raft = await rotate(cluster, "raft");
  await retire(cluster, raft);
  for (const name of NAMES) {
    await cluster.stop(name);
    await cluster.open(name);
    await cluster.ready();
    assert.equal((await readAll(cluster, name)).length, 40);
  }
  await cluster.close();
});

Deno.test("a member that was away does not pass an older rewrite off as the new one", async () => {
  const cluster = await start();
  await propose(cluster, { kind: "enable-storage-envelope" });
  await fill(cluster, 0, 5);
  await rewrite(cluster);
  const leader = await cluster.leader();
  const away = NAMES.find((name) => name !== leader)!;
  const { encryption } = cluster.node(leader);
  const request = { kind: "start-rewrite", bytesPerSecond: 0 } as const;
  for (let job = 2; job <= 12; job += 1) {
    cluster.network.isolate(away);
    await cluster.clock.until(encryption.changeEncryption(request, TERMS));
    cluster.network.heal();
    // Its links are dialled again at another time each.
    await cluster.clock.run(job);
    for (let state = ""; state !== "done";) {
      const tasks = encryption.rewriteProgress();
      const task = (await cluster.clock.until(tasks))
        .find(({ member }) => member === away);
      state = task?.state ?? "";
      const isThere = rolloutOf(away)?.id === rolloutOf(leader)?.id;
      assert.ok(isThere || state === "waiting" || state === "silent", state);
      await cluster.clock.run(1);
    }
  }
  await cluster.close();
});

Deno.test("a new leader tells of a rewrite when it knows what was begun before", async () => {
  const cluster = await start();
  await propose(cluster, { kind: "enable-storage-envelope" });
  await rewrite(cluster);
  await cluster.stop(await cluster.leader());
  const names = cluster.names();
  const leads = (name: string) => cluster.node(name).status().leader === name;
  while (!names.some(leads)) await cluster.clock.run(1);
  const leader = names.find(leads)!;
  const { encryption } = cluster.node(leader);
  await assert.rejects(encryption.rewriteProgress(), {
    code: "NODE_NOT_READY",
  });
  await cluster.clock.run(1_000);
  const tasks = await cluster.clock.until(encryption.rewriteProgress());
  const own = tasks.find(({ member }) => member === leader);
  assert.equal(own?.state, "done");
  await cluster.close();
});

Deno.test("a key with records under it stays, and says where", async () => {
  const cluster = await start();
  await propose(cluster, { kind: "enable-storage-envelope" });
  await fill(cluster, 0, 10);
  const old = await rotate(cluster, "storage");
  const steps = await work(cluster);
  await assert.rejects(
    cluster.clock.until(steps.retireDek(old, await context(cluster))),
    {
      code: "NODE_KEY_IN_USE",
      message: /"n1" has 10 records under it; "n2" has 10 records/,
      remedy: /n3: let `sealkv encryption rewrite --follow` end/,
    },
  );
  await cluster.close();
});

Deno.test("a member without the mark scans before the lock, and may halt", async () => {
  const cluster = await start();
  await fill(cluster, 0, 5);
  await propose(cluster, { kind: "enable-storage-envelope" });
  const leader = await cluster.leader();
  const engine = engineOf(leader);
  const payload = encodeEncryption({ kind: "seal-cleartext" });
  void engine.proposeEncryption(payload);
  for (const name of NAMES) {
    for (let turn = 0; cluster.place(name).fatal === null; turn += 1) {
      assert.ok(turn < 200);
      await cluster.clock.run(50);
    }
    const { fatal } = cluster.place(name);
    assert.match(`${fatal?.cause}`, /"n\d" has 5 cleartext records/);
    cluster.place(name).fatal = null;
  }
  await cluster.close();
});

Deno.test("an operator takes all steps through the leader", async () => {
  const cluster = await start();
  await fill(cluster, 0, 20);
  const ask = async (request: EncryptionRequest) => {
    const { encryption } = cluster.node(await cluster.leader());
    const done = encryption.changeEncryption(request, TERMS);
    return await cluster.clock.until(done);
  };
  await ask({ kind: "enable-storage-envelope" });
  await assert.rejects(ask({ kind: "scrub", members: [] }), {
    code: "NODE_PHASE_TOO_LOW",
  });
  await assert.rejects(ask({ kind: "seal-cleartext" }), {
    code: "NODE_CLEARTEXT_REMAINS",
  });
  await ask({ kind: "start-rewrite", bytesPerSecond: 0 });
  const { encryption } = cluster.node(await cluster.leader());
  const isDone = async () => {
    const tasks = await cluster.clock.until(encryption.rewriteProgress());
    return tasks.length === 3 && tasks.every(({ state }) => state === "done");
  };
  for (let turn = 0; !await isDone(); turn += 1) {
    assert.ok(turn < 100);
    await cluster.clock.run(100);
  }
  await ask({ kind: "seal-cleartext" });
  await ask({ kind: "enable-raft-envelope" });
  await ask({ kind: "scrub", members: [] });
  for (const name of NAMES) assert.deepEqual(await canaries(cluster, name), []);
  const old = stateOf("n1").active.raft;
  await ask({ kind: "rotate-dek", purpose: "raft" });
  await ask({ kind: "retire-dek", keyId: old });
  assert.ok(stateOf(await cluster.leader()).retired.has(old));
  await cluster.close();
});
