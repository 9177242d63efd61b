/*
 * Goal: members that are killed at any moment cost no acknowledged write, and
 * clients wait for about an election at most.
 * Method: clients of both kinds, bound to each member, go on while members are
 * killed and started again; then the history is checked (ClusterLoad.verify).
 */
import { deepEqual, ok } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { PATIENT } from "./encryption_trial.ts";
import { machineMs } from "./machine_clock.ts";
import { until } from "./until.ts";

const LEADER_KILLS = 20;
/** An election of at most 1,000 ms, its vote, and the next write. */
const MEDIAN_GAP_MS_MAX = 1_500;
/** Coarse: that nobody else came to lead says more than any time. */
const FOLLOWER_GAP_MS_MAX = 2_000;
const WRITES_BETWEEN = 20;
const LONELY_DEATHS = 3;
/** Shorter than a leader takes to see that nobody hears it. */
const ALONE_MS = 300;

Deno.test({
  name: `kill -9 of the leader, ${LEADER_KILLS} times under load`,
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const gaps: number[] = [];
      for (let kill = 0; kill < LEADER_KILLS; kill += 1) {
        const leader = await cluster.leader();
        const killedMs = machineMs();
        await cluster.kill(leader);
        gaps.push(await load.nextAcknowledged(killedMs));
        await cluster.start(leader);
        await cluster.agreed();
        await load.progress(WRITES_BETWEEN);
      }
      await load.allGoOn();
      await load.verify();
      gaps.sort((a, b) => a - b);
      const median = gaps[gaps.length >> 1] ?? Infinity;
      const worst = gaps.at(-1) ?? Infinity;
      print(
        `after kill -9 of the leader, the next acknowledged write: ` +
          `median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`,
      );
      ok(median <= MEDIAN_GAP_MS_MAX, `${gaps}`);
    }),
});

Deno.test({
  name: "a leader that dies alone takes no acknowledged write along",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      for (let round = 0; round < LONELY_DEATHS; round += 1) {
        const leader = await cluster.leader();
        const others = cluster.names.filter((name) => name !== leader);
        const haltedMs = machineMs();
        for (const name of others) cluster.pause(name);
        await until("the leader was alone for a while", 10 * ALONE_MS, () =>
          machineMs() - haltedMs > ALONE_MS);
        await cluster.kill(leader);
        for (const name of others) {
          cluster.resume(name);
        }
        await load.nextAcknowledged(machineMs());
        await cluster.start(leader);
        await cluster.agreed();
        await load.progress(WRITES_BETWEEN);
      }
      await load.verify();
    }),
});

/** Who leads, and since which term, as `name` sees it. */
async function ledBy(cluster: ClusterProcess, name: string) {
  const { leader, term } = await cluster.statusThat(
    name,
    "answers",
    () => true,
  );
  return { leader, term };
}

Deno.test({
  name: "kill -9 of a follower is not noticed",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({ args: PATIENT }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const leader = await cluster.leader();
      const victim = cluster.names.find((name) => name !== leader)!;
      const others = cluster.names.filter((name) => name !== victim);
      const before = await ledBy(cluster, leader);
      const fromMs = machineMs();
      await cluster.kill(victim);
      await load.progress(5 * WRITES_BETWEEN);
      const gap = load.longestGap([fromMs, machineMs()], others);
      deepEqual(await ledBy(cluster, leader), before);
      ok(gap < FOLLOWER_GAP_MS_MAX, `no write for ${gap} ms`);
      await cluster.start(victim);
      await cluster.agreed();
      await load.allGoOn();
      await load.verify();
    }),
});

Deno.test({
  name: "kill -9 of all members at once loses nothing",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      for (let round = 0; round < 2; round += 1) {
        await load.progress(WRITES_BETWEEN);
        await Promise.all(cluster.names.map((name) => cluster.kill(name)));
        await cluster.startAll();
        await cluster.agreed();
      }
      await load.allGoOn();
      await load.verify();
    }),
});
