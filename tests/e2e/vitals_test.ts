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
  // Not one that is to stand still: it would be waited for.
  const admin = cluster.admin(await cluster.leader());
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
        await tellScrub(cluster, client);
      });
    });
  },
});

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
