/*
 * Goal: members can be restarted one after the other, as for an upgrade, and no
 * program notices; a leader that stops hands over first.
 * Method: SIGTERM each member in turn under load. Deno's clients, also those
 * bound to the member that stops, see no error at all; those of npm, which give
 * up at once when nobody listens, only at that member while it is away.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { machineMs } from "./machine_clock.ts";

const WRITES_BETWEEN = 20;
/** Below the least election timeout: nobody waited for one. */
const HANDOVER_MS_MAX = 500;

/** When a member was away, from its signal until it served again. */
interface Absence {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

async function restart(
  cluster: ClusterProcess,
  name: string,
): Promise<Absence> {
  const fromMs = machineMs();
  const node = cluster.node(name);
  equal(await cluster.stop(name), 0, node.output);
  await cluster.start(name);
  await cluster.agreed();
  return { name, fromMs, untilMs: machineMs() };
}

Deno.test({
  name: "restarting all members one by one is not noticed by programs",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const absences: Absence[] = [];
      for (const name of cluster.names) {
        absences.push(await restart(cluster, name));
        await load.progress(WRITES_BETWEEN);
      }
      await load.allGoOn();
      await load.verify();
      deepEqual(load.troubles("deno"), []);
      const isExcused = (client: string, invokeMs: number, returnMs: number) =>
        absences.some(({ name, fromMs, untilMs }) =>
          client.includes(`@${name}#`) && invokeMs < untilMs &&
          returnMs > fromMs
        );
      const troubles = load.troubles("npm");
      const others = troubles.filter(({ client, invokeMs, returnMs }) =>
        !isExcused(client, invokeMs, returnMs ?? Infinity)
      );
      print(
        `rolling restart: npm clients of the member that was away saw ` +
          `${troubles.length - others.length} errors, others ${others.length}`,
      );
      deepEqual(others, []);
    }),
});

Deno.test({
  name: "a leader that stops hands over first",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const gaps: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        const leader = await cluster.leader();
        const others = cluster.names.filter((name) => name !== leader);
        await load.progress(WRITES_BETWEEN);
        const { fromMs, untilMs } = await restart(cluster, leader);
        gaps.push(load.longestGap([fromMs, untilMs], others));
      }
      await load.verify();
      print(`longest time without a write while a leader stops: ${gaps} ms`);
      ok(Math.max(...gaps) < HANDOVER_MS_MAX, `${gaps}`);
    }),
});
