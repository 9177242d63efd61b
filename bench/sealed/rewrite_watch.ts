import type { ClusterTask } from "../../src/admin/client.ts";
import type { SealedCluster } from "./cluster.ts";

const LOOK_MS_MAX = 10 * 60_000;

/** Resolves when every member is done; how each got on. */
export function rewritten(
  cluster: SealedCluster,
): Promise<readonly ClusterTask[]> {
  return watch(
    cluster,
    (tasks) => tasks.every(({ state }) => state === "done"),
  );
}

/** How members are getting on now. */
export function rewriteNow(
  cluster: SealedCluster,
): Promise<readonly ClusterTask[]> {
  return watch(cluster, () => true);
}

function watch(
  cluster: SealedCluster,
  isWanted: (tasks: readonly ClusterTask[]) => boolean,
): Promise<readonly ClusterTask[]> {
  return cluster.nodes.ask(async (client) => {
    for await (const { job, members } of client.watchRewrite()) {
      const failed = members.find(({ state }) => state === "failed");
      if (failed !== undefined) throw new Error(failed.failure);
      const isWhole = job !== null && members.length === 3;
      if (isWhole && isWanted(members)) return members;
    }
    throw new Error("nobody tells of the rewrite");
  }, LOOK_MS_MAX);
}
