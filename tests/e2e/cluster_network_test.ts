/*
 * Goal: a leader that is cut from the others stops leading, and never answers a
 * client from its own idea of the state; afterwards it follows.
 * Method: real networks (network_namespaces.ts). The link between members is
 * cut and clients still reach the leader: Deno's and npm's clients that are
 * bound to it go on asking. The history says whether an answer was stale.
 */
import { equal, notEqual } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { machineMs } from "./machine_clock.ts";
import { HAS_NAMESPACES, NetworkNamespaces } from "./network_namespaces.ts";

const ROUNDS = 2;
const WRITES = 50;

Deno.test({
  name: "a leader that is cut off steps down; no client reads the past",
  ignore: !HAS_CLUSTERS || !HAS_NAMESPACES,
  async fn() {
    await using networks = await NetworkNamespaces.make(3);
    const place = (index: number) => networks.place(index);
    await withCluster({ place }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster, { restlessMs: 50 });
      for (let round = 0; round < ROUNDS; round += 1) {
        const old = await cluster.leader();
        const index = cluster.names.indexOf(old);
        const cutMs = machineMs();
        await networks.isolate(index);
        const next = await cluster.leader([old]);
        notEqual(next, old);
        const gap = await load.nextAcknowledged(cutMs);
        print(`after the cut, the next acknowledged write: ${gap} ms`);
        const alone = await cluster.statusThat(
          old,
          "steps down",
          ({ leader }) => leader !== old,
        );
        equal(alone.ready, false, "it cannot serve alone");
        await load.progress(WRITES);
        await networks.rejoin(index);
        await cluster.statusThat(
          old,
          "follows",
          ({ leader, ready }) => ready && leader !== "" && leader !== old,
        );
      }
      await load.allGoOn();
      await load.verify();
    });
  },
});
