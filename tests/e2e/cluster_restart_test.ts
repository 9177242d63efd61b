/*
 * Goal: members can be restarted one after the other, as for an upgrade, and no
 * program notices; a leader that stops hands over first.
 * Method: SIGTERM each member in turn under load. Deno's clients, also those
 * bound to the member that stops, see no error at all; those of npm, which give
 * up at once when nobody listens, only at that member while it is away.
 */
import { deepEqual, equal } from "node:assert/strict";
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

const WRITES_BETWEEN = 20;
const SAID_MS_MAX = 10_000;
const LEADS = '"role":"leader"';
/** Where every member goes that has waited for a leader, and no heir. */
const WAITED = '"role":"pre-candidate"';

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

/** What a member logs from now on. */
function sinceNow(cluster: ClusterProcess, name: string): () => string {
  const node = cluster.node(name);
  const { length } = node.stderr;
  return () => node.stderr.slice(length);
}

Deno.test({
  name: "a leader that stops hands over first",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    // However long it took: the clock would judge the machine as well.
    withCluster({ args: PATIENT }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const gaps: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        await load.progress(WRITES_BETWEEN);
        const leader = await cluster.leader();
        const others = cluster.names.filter((name) => name !== leader);
        const logs = others.map((name) => sinceNow(cluster, name));
        const { fromMs, untilMs } = await restart(cluster, leader);
        gaps.push(load.longestGap([fromMs, untilMs], others));
        const heirs = await until("another one leads", SAID_MS_MAX, () => {
          const found = logs.map((log) => log())
            .filter((log) => log.includes(LEADS));
          return found.length > 0 ? found : null;
        });
        const waited = heirs.map((log) => log.slice(0, log.indexOf(LEADS)))
          .filter((log) => log.includes(WAITED));
        deepEqual(waited, [], "no heir waited for an election");
      }
      await load.verify();
      print(`longest time without a write while a leader stops: ${gaps} ms`);
    }),
});
