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

/** Flags that make the log forget soon. */
const SHORT_LOG = ["--log-compact-after", "1MiB", "--log-keep-entries", "50"];
/** More than it keeps, several times, in entries and in bytes. */
const ENTRIES = 200;
const LARGE_WRITES = 250;
const LARGE_BYTES = 60_000;
/** What the store keeps of them: the size of a checkpoint. */
const LARGE_KEYS = 160;
const RATE = "2MiB";
const SEEN_MS_MAX = 30_000;
const BACK_MS_MAX = 90_000;

/** Writes until the log lets go of what was there before. */
async function outgrowLog(url: string): Promise<void> {
  using kv = await openKv(url);
  // One by one: an entry each.
  for (let i = 0; i < ENTRIES; i += 1) await kv.set(["small"], i);
  const bytes = crypto.getRandomValues(new Uint8Array(LARGE_BYTES));
  let count = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
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
    withCluster(
      { args: [...SHORT_LOG, "--checkpoint-rate", RATE] },
      async (cluster) => {
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
      },
    ),
});
