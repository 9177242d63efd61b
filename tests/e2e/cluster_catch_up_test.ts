/*
 * Goal: a member that was away until the log it needs is gone comes back by a
 * checkpoint, while clients write, also when either side dies half way.
 * Method: a follower is killed; more is written than the log keeps; checkpoints
 * are slowed so that each fault hits one on its way.
 */
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { openKv } from "./open_kv.ts";
import { until } from "./until.ts";

/** More than TRAILING_ENTRIES of src/node/limits.ts. */
const ENTRIES = 6_500;
/** More than COMPACT_AFTER_BYTES, some more for what the log was before. */
const LARGE_WRITES = 1_200;
const LARGE_BYTES = 60_000;
/** What the store keeps of them: the size of a checkpoint. */
const LARGE_KEYS = 160;
const RATE = "2MiB";
const SEEN_MS_MAX = 30_000;
const BACK_MS_MAX = 90_000;

/** Writes until the log lets go of what was there before. */
async function outgrowLog(url: string): Promise<void> {
  // Small and one by one, for entries; on two connections, as a node takes.
  await Promise.all([0, 1].map(async (writer) => {
    using kv = await openKv(url);
    for (let i = 0; i < ENTRIES / 2; i += 1) await kv.set(["small", writer], i);
  }));
  using kv = await openKv(url);
  const bytes = crypto.getRandomValues(new Uint8Array(LARGE_BYTES));
  let count = 0;
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (count < LARGE_WRITES) {
      count += 1;
      await kv.set(["large", count % LARGE_KEYS], bytes);
    }
  }));
}

/** Waits until the leader sends `name` a checkpoint. */
async function checkpointTo(
  cluster: ClusterProcess,
  name: string,
): Promise<void> {
  await until(`a checkpoint goes to "${name}"`, SEEN_MS_MAX, async () => {
    const leader = await cluster.leaderNow();
    const status = leader === null ? null : await cluster.status(leader);
    const member = status?.members.find((member) => member.name === name);
    return member?.replication === "snapshot";
  });
}

Deno.test({
  name: "a member whose log is gone comes back by a checkpoint",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({ args: ["--checkpoint-rate", RATE] }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster, { callers: 1 });
      const leader = await cluster.leader();
      const late = cluster.names.find((name) => name !== leader)!;
      await cluster.kill(late);
      await outgrowLog(cluster.url(await cluster.leader()));

      await cluster.launch(late);
      await checkpointTo(cluster, late);
      await cluster.kill(late);
      await cluster.launch(late);
      await checkpointTo(cluster, late);
      const sender = await cluster.leader();
      await cluster.kill(sender);
      await cluster.launch(sender);

      await cluster.agreed(BACK_MS_MAX);
      await load.allGoOn();
      await load.verify();
    }),
});
