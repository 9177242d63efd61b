/*
 * Goal: a leader that stands still and goes on later answers no read from the
 * past, and steps down.
 * Method: SIGSTOP the leader for far longer than any lease, while clients bound
 * to it keep asking: what they ask meanwhile is answered when it goes on, from
 * what it believes then. The history says whether an answer was stale.
 */
import { notEqual, ok } from "node:assert/strict";
import { ClusterLoad } from "./cluster_load.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { machineMs } from "./machine_clock.ts";
import { until } from "./until.ts";

const PAUSE_MS = 10_000;

Deno.test({
  name: "SIGSTOP of the leader: no stale read when it goes on",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster, { restlessMs: 100 });
      const old = await cluster.leader();
      const pausedMs = machineMs();
      cluster.pause(old);
      const next = await cluster.leader([old]);
      await load.nextAcknowledged(pausedMs);
      await until("the pause is over", 2 * PAUSE_MS, () =>
        machineMs() - pausedMs > PAUSE_MS);
      const resumedMs = machineMs();
      cluster.resume(old);
      await cluster.statusThat(old, "follows another leader", (status) =>
        status.leader !== "" && status.leader !== old);
      notEqual(next, old);
      await cluster.agreed();
      await load.allGoOn();
      const late = load.history.filter((
        { client, invokeMs, returnMs, result },
      ) =>
        client.includes(`@${old}#restless`) && result.kind === "read" &&
        invokeMs > pausedMs + PAUSE_MS / 2 && invokeMs < resumedMs &&
        (returnMs ?? 0) > resumedMs
      );
      ok(late.length > 0, "reads of the pause were answered after it");
      await load.verify();
    }),
});
