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
import type { MemberScan } from "../../../../src/node/encryption_port.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { TestCluster } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";

export const NAMES = ["n1", "n2", "n3"];
export const TERMS = {
  dryRun: false,
  planHash: "",
  confirm: "test",
  accept: [],
};
export const CANARY = "canary-of-phase-0";

export async function start(
  names: readonly string[] = NAMES,
): Promise<TestCluster> {
  const kek = await TestKek.of(7);
  const cluster = await TestCluster.start(names, {
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

export async function propose(
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
export async function everywhere(
  cluster: TestCluster,
  holds: (name: string) => boolean,
): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (cluster.names().every(holds)) return;
    await cluster.clock.run(50);
  }
  assert.ok(cluster.names().every(holds), "it comes about in time");
}

export async function proposeRollout(
  cluster: TestCluster,
  change: RolloutChange,
): Promise<void> {
  const before = rolloutOf(await cluster.leader());
  void engineOf(await cluster.leader())
    .proposeEncryption(encodeRollout(change));
  await everywhere(cluster, (name) => rolloutOf(name) !== before);
}

export function rolloutOf(name: string) {
  return engineOf(name).operations.rolloutState().rewrite;
}

export function stateOf(name: string): EncryptionState {
  return engineOf(name).encryption.state;
}

export async function fill(cluster: TestCluster, from: number, until: number) {
  for (let i = from; i < until; i += 1) {
    const value = {
      data: utf8(`${CANARY}-${i}-${"x".repeat(200)}`),
      encoding: ENCODING_BYTES,
    } as const;
    const change = { kind: "set", key: utf8(`k${i}`), value } as const;
    const write = { database: "", checks: [] };
    await cluster.clock.until(
      cluster.node(cluster.names().at(-1)!).write({
        ...write,
        changes: [{ ...change, expireAtMs: 0 }],
      }),
    );
  }
}

/** Files of a member, and rows of its stores, that hold the canary. */
export async function canaries(
  cluster: TestCluster,
  name: string,
): Promise<string[]> {
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

export function hasCanary(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(CANARY);
}

export async function context(
  cluster: TestCluster,
): Promise<LongChangeContext> {
  const leader = await cluster.leader();
  return {
    term: cluster.node(leader).status().term,
    members: cluster.names().map((name) => ({
      id: engineOf(name).peers.identity().id,
      name,
    })),
    mustLead: () => {},
    told: () => {},
    propose: async (change) => {
      const payload = encodeEncryption(change);
      const done = await engineOf(leader).proposeEncryption(payload);
      assert.ok(done?.kind === "taken");
      return done.index;
    },
  };
}

export async function scan(
  cluster: TestCluster,
): Promise<readonly MemberScan[]> {
  const { operations } = engineOf(await cluster.leader());
  const run = async () => {
    let last: readonly MemberScan[] = [];
    for await (const news of operations.scanRecords([])) last = news;
    return last;
  };
  return await cluster.clock.until(run());
}

export async function work(cluster: TestCluster) {
  return engineOf(await cluster.leader()).memberPart.work;
}

export async function rewrite(cluster: TestCluster): Promise<void> {
  const start = { kind: "start-rewrite", bytesPerSecond: 0 } as const;
  await proposeRollout(cluster, start);
  await everywhere(
    cluster,
    (name) => engineOf(name).memberPart.rewriteState === "done",
  );
}

export async function sealCleartext(cluster: TestCluster): Promise<void> {
  const steps = await work(cluster);
  await cluster.clock.until(steps.sealCleartext(await context(cluster)));
  await everywhere(cluster, (name) => stateOf(name).cleartextLockIndex > 0);
}

export async function cutRaftOver(cluster: TestCluster): Promise<void> {
  const leader = await cluster.leader();
  const { term } = cluster.node(leader).status();
  const done = engineOf(leader).sealing.cutover.run(term);
  assert.equal((await cluster.clock.until(done)).kind, "taken");
  await everywhere(cluster, (name) => stateOf(name).raftCutoverIndex > 0);
}

export async function scrub(cluster: TestCluster): Promise<void> {
  const steps = await work(cluster);
  const terms = await context(cluster);
  await cluster.clock.until(steps.scrub(terms.members, terms));
}

export async function rotate(
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

export async function retire(
  cluster: TestCluster,
  keyId: KeyId,
): Promise<void> {
  const steps = await work(cluster);
  await cluster.clock.until(steps.retireDek(keyId, await context(cluster)));
  await everywhere(cluster, (name) => stateOf(name).retired.has(keyId));
}

export async function readAll(cluster: TestCluster, name: string) {
  const range = { start: utf8("a"), end: utf8("z"), limit: 1_000 };
  const read = { database: "", ranges: [{ ...range, reverse: false }] };
  const done = cluster.node(name).read({ ...read, strong: true });
  return (await cluster.clock.until(done))[0]!;
}
