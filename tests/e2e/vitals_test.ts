/*
 * Goal: every member tells how it does, from its own counts, and a leader how
 * members get on with a scrub.
 * Method: three real nodes with envelopes on, writes at one of them, and the
 * admin client of scripts; one of them stands still while the scrub begins.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import type { AdminClient } from "../../src/admin/client.ts";
import { connectAdmin } from "../../src/app/connect_admin.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { PATIENT } from "./encryption_trial.ts";
import { kekArgs, KekFiles } from "./kek_files.ts";
import { ADMIN_TOKEN } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import {
  ENABLE_RAFT,
  ENABLE_STORAGE,
  NAMED,
  REWRITE,
  Rollout,
  SEAL_CLEARTEXT,
} from "./rollout.ts";
import { until } from "./until.ts";

const WRITES = 40;
/** A member that is silent for longer ends the scrub. */
const SEEN_MS_MAX = 8_000;

async function withClient(
  cluster: ClusterProcess,
  body: (client: AdminClient) => Promise<void>,
): Promise<void> {
  // All: an election may come before one of them is to stand still.
  const admin = cluster.names.map((name) => cluster.admin(name)).join(",");
  const client = connectAdmin({ admin, token: ADMIN_TOKEN });
  try {
    await body(client);
  } finally {
    client.close();
  }
}

async function vitalsOf(client: AdminClient, name: string) {
  const all = await client.vitalsOfMembers();
  const { vitals } = all.find(({ member }) => member === name) ?? {};
  ok(vitals, `vitals of "${name}"`);
  return vitals;
}

async function write(url: string): Promise<void> {
  using kv = await openKv(url);
  for (let i = 0; i < WRITES; i += 1) await kv.set(["k", i], "x".repeat(500));
}

Deno.test({
  name: "members tell how they do, and how they get on with a scrub",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using files = await KekFiles.open();
    const kek = await files.make("kek");
    const place = () => ({ args: kekArgs(kek) });
    const args = [...PATIENT, ...NAMED];
    await withCluster({ args, place }, async (cluster) => {
      const rollout = new Rollout(cluster);
      for (
        const step of [ENABLE_STORAGE, REWRITE, SEAL_CLEARTEXT, ENABLE_RAFT]
      ) await rollout.take(step);
      await withClient(cluster, async (client) => {
        await tellVitals(cluster, client);
        await tellBackup(rollout, client, `${files.dir}/backup`);
        await tellScrub(cluster, client);
      });
    });
  },
});

/** Who gave it is one of the members; it still knows after a restart. */
async function tellBackup(
  { cluster, encrypted }: Rollout,
  client: AdminClient,
  path: string,
): Promise<void> {
  const given = async () => {
    const all = await client.vitalsOfMembers();
    return all.flatMap(({ member, vitals }) =>
      (vitals?.backups ?? []).map((one) => ({ member, ...one }))
    );
  };
  deepEqual(await given(), []);
  await cluster.settled();
  const { applied } = (await cluster.status("n1"))!;
  const { code, stderr } = await encrypted.run("backup", "create", ...[
    ...["--out", path],
  ]);
  equal(code, 0, stderr);
  const [one, ...others] = await given();
  deepEqual(others, []);
  ok(one !== undefined && one.ageMs < 60_000n);
  ok(one.index >= BigInt(applied), `${one.index} of ${applied}`);
  equal(await cluster.stop(one.member), 0);
  await cluster.start(one.member);
  await cluster.agreed();
  const [again] = await given();
  deepEqual([again?.member, again?.index], [one.member, one.index]);
  ok((again?.ageMs ?? 0n) >= one.ageMs);
}

async function tellVitals(
  cluster: ClusterProcess,
  client: AdminClient,
): Promise<void> {
  const before = await vitalsOf(client, "n1");
  await write(cluster.url("n1"));
  const after = await vitalsOf(client, "n1");
  equal(after.node, "n1");
  ok(after.uptimeMs > before.uptimeMs);
  const requests = after.requests - before.requests;
  ok(requests >= BigInt(WRITES), `${requests} requests`);
  equal(after.latency.at(-1)?.bound, Infinity);
  equal(after.latency.at(-1)?.count, after.requests);
  ok(after.walSyncs > before.walSyncs && after.walBytes > before.walBytes);
  ok(after.residentBytes > 2n ** 20n);
  ok(after.storeBytes > 0n);
  ok(after.leaderMs > 0n);
  ok(after.diskFreeBytes > 0n && after.diskFreeBytes < after.diskTotalBytes);
  const sealed = after.seals.reduce((sum, { count }) => sum + count, 0n);
  ok(sealed > 0n);
}

async function tellScrub(
  cluster: ClusterProcess,
  client: AdminClient,
): Promise<void> {
  equal(await client.changeUnderWay(), null);
  // A member that stands still holds the scrub up until it goes on.
  const leader = await cluster.leader();
  const [paused = ""] = cluster.running.filter((name) => name !== leader);
  cluster.pause(paused);
  const scrub = client.scrub([], { signal: new AbortController().signal });
  const change = await until(
    "a scrub is under way",
    SEEN_MS_MAX,
    () => client.changeUnderWay(),
  );
  equal(change.action, "scrub");
  deepEqual(
    change.members.map(({ member }) => member).toSorted(),
    cluster.running.toSorted(),
  );
  const task = change.members.find(({ member }) => member === paused);
  equal(task?.state, "waiting");
  cluster.resume(paused);
  ok((await scrub).changed);
  equal(await client.changeUnderWay(), null);
}
