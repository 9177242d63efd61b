/*
 * Goal: what was written in cleartext is gone from all files of all members
 * after rewrite, lock, raft cutover and scrub; a key is retired with evidence.
 * Method: whole nodes with real keys on simulated disks; values carry a canary
 * that is looked for in every file and every row.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { encodeRollout } from "../../../../src/fsm/rollout_payload.ts";
import {
  ENCODING_BYTES,
  type EncryptionChange,
  type EncryptionState,
  type RolloutChange,
} from "../../../../src/fsm/types.ts";
import type { LongChangeContext } from "../../../../src/node/encryption/long_changes.ts";
import type {
  EncryptionRequest,
  MemberScan,
} from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";

useTurnCrypto();

const NAMES = ["n1", "n2", "n3"];
const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };
const CANARY = "canary-of-phase-0";

async function start(): Promise<TestCluster> {
  const kek = await TestKek.of(7);
  const cluster = await TestCluster.start(NAMES, {
    segmentBytes: 4_096,
    keys: () => ({
      isEnabled: true,
      kekCount: 1,
      openKeks: () => Promise.resolve([kek]),
    }),
  });
  const { encryption } = cluster.node(await cluster.leader());
  const done = encryption.changeEncryption({ kind: "bootstrap" }, TERMS);
  await cluster.clock.until(done);
  return cluster;
}

async function propose(
  cluster: TestCluster,
  change: EncryptionChange,
): Promise<number> {
  const engine = engineOf(await cluster.leader());
  const outcome = engine.proposeEncryption(encodeEncryption(change));
  assert.ok(outcome !== null);
  const done = await cluster.clock.until(outcome);
  assert.equal(done.kind, "taken");
  return done.kind === "taken" ? done.index : 0;
}

/** Passes time until `holds` at every member. */
async function everywhere(
  cluster: TestCluster,
  holds: (name: string) => boolean,
): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (NAMES.every(holds)) return;
    await cluster.clock.run(50);
  }
  assert.ok(NAMES.every(holds), "it comes about in time");
}

async function proposeRollout(
  cluster: TestCluster,
  change: RolloutChange,
): Promise<void> {
  const before = rolloutOf(await cluster.leader());
  void engineOf(await cluster.leader())
    .proposeEncryption(encodeRollout(change));
  await everywhere(cluster, (name) => rolloutOf(name) !== before);
}

function rolloutOf(name: string) {
  return engineOf(name).operations.rolloutState().rewrite;
}

function stateOf(name: string): EncryptionState {
  return engineOf(name).encryption.state;
}

async function fill(cluster: TestCluster, from: number, until: number) {
  for (let i = from; i < until; i += 1) {
    const value = {
      data: utf8(`${CANARY}-${i}-${"x".repeat(200)}`),
      encoding: ENCODING_BYTES,
    } as const;
    const change = { kind: "set", key: utf8(`k${i}`), value } as const;
    const write = { database: "", checks: [] };
    await cluster.clock.until(
      cluster.node("n2").write({
        ...write,
        changes: [{ ...change, expireAtMs: 0 }],
      }),
    );
  }
}

/** Files of a member, and rows of its stores, that hold the canary. */
async function canaries(cluster: TestCluster, name: string): Promise<string[]> {
  const { disk, kvDisks } = cluster.place(name);
  const found: string[] = [];
  const look = async (dir: string): Promise<void> => {
    for (const { name: file, isDirectory } of await disk.list(dir)) {
      const path = `${dir}/${file}`;
      if (isDirectory) {
        await look(path);
        continue;
      }
      const open = await disk.open(path, "existing");
      const bytes = await open.readAt(0, 2 ** 24);
      await open.close();
      if (hasCanary(bytes)) found.push(path);
      for (const { value } of kvDisks.get(path)?.rows ?? []) {
        if (hasCanary(value)) found.push(`${path} row`);
      }
    }
  };
  await look("/data");
  return found;
}

function hasCanary(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(CANARY);
}

async function context(cluster: TestCluster): Promise<LongChangeContext> {
  const leader = await cluster.leader();
  return {
    term: cluster.node(leader).status().term,
    members: NAMES.map((name) => ({
      id: engineOf(name).peers.identity().id,
      name,
    })),
    mustLead: () => {},
    propose: async (change) => {
      const payload = encodeEncryption(change);
      const done = await engineOf(leader).proposeEncryption(payload);
      assert.ok(done?.kind === "taken");
      return done.index;
    },
  };
}

async function scan(cluster: TestCluster): Promise<readonly MemberScan[]> {
  const { operations } = engineOf(await cluster.leader());
  const run = async () => {
    let last: readonly MemberScan[] = [];
    for await (const news of operations.scanRecords([])) last = news;
    return last;
  };
  return await cluster.clock.until(run());
}

async function work(cluster: TestCluster) {
  return engineOf(await cluster.leader()).memberPart.work;
}

async function rewrite(cluster: TestCluster): Promise<void> {
  const start = { kind: "start-rewrite", bytesPerSecond: 0 } as const;
  await proposeRollout(cluster, start);
  await everywhere(
    cluster,
    (name) => engineOf(name).memberPart.rewriteState === "done",
  );
}

async function sealCleartext(cluster: TestCluster): Promise<void> {
  const steps = await work(cluster);
  await cluster.clock.until(steps.sealCleartext(await context(cluster)));
  await everywhere(cluster, (name) => stateOf(name).cleartextLockIndex > 0);
}

async function cutRaftOver(cluster: TestCluster): Promise<void> {
  const leader = await cluster.leader();
  const { term } = cluster.node(leader).status();
  const done = engineOf(leader).sealing.cutover.run(term);
  assert.equal((await cluster.clock.until(done)).kind, "taken");
  await everywhere(cluster, (name) => stateOf(name).raftCutoverIndex > 0);
}

async function scrub(cluster: TestCluster): Promise<void> {
  const steps = await work(cluster);
  const terms = await context(cluster);
  await cluster.clock.until(steps.scrub(terms.members, terms));
}

async function rotate(
  cluster: TestCluster,
  purpose: "storage" | "raft",
): Promise<KeyId> {
  const leader = await cluster.leader();
  const old = stateOf(leader).active[purpose];
  const { encryption } = cluster.node(leader);
  const request = { kind: "rotate-dek", purpose } as const;
  await cluster.clock.until(encryption.changeEncryption(request, TERMS));
  await everywhere(cluster, (name) => stateOf(name).active[purpose] !== old);
  return old;
}

async function retire(cluster: TestCluster, keyId: KeyId): Promise<void> {
  const steps = await work(cluster);
  await cluster.clock.until(steps.retireDek(keyId, await context(cluster)));
  await everywhere(cluster, (name) => stateOf(name).retired.has(keyId));
}

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

async function readAll(cluster: TestCluster, name: string) {
  const range = { start: utf8("a"), end: utf8("z"), limit: 1_000 };
  const read = { database: "", ranges: [{ ...range, reverse: false }] };
  const done = cluster.node(name).read({ ...read, strong: true });
  return (await cluster.clock.until(done))[0]!;
}

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
