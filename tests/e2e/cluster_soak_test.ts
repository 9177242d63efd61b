/*
 * Goal: no order of faults, however odd, makes a history that one copy of the
 * database could not have made.
 * Method: for SEALKV_SOAK minutes (none, and the test is ignored), faults drawn
 * at random hit a cluster on networks of its own under load: kills, halts,
 * cuts, restarts in order, several at once. Every few minutes everything heals
 * and the history is checked; a new one starts. SEALKV_SOAK_SEED replays the
 * draws, not their timing.
 */
import { print } from "../../tools/print.ts";
import { ClusterLoad } from "./cluster_load.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  withCluster,
} from "./cluster_process.ts";
import { HAS_NAMESPACES, NetworkNamespaces } from "./network_namespaces.ts";

const MINUTES = Number(Deno.env.get("SEALKV_SOAK") ?? 0);
const SEED = Number(
  Deno.env.get("SEALKV_SOAK_SEED") ?? Math.floor(Math.random() * 2 ** 31),
);
const FAULTS_A_ROUND = 12;
const WRITES_BETWEEN = 20;
const HALT_MS = 3_000;
const MEMBERS = 3;

/** mulberry32: the next number below `bound`. */
function makeDraw(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Fault = (
  cluster: ClusterProcess,
  networks: NetworkNamespaces,
  victim: string,
) => Promise<void>;

/** Each leaves the cluster whole, or heals with the others at the end. */
const FAULTS: Readonly<Record<string, Fault>> = {
  kill: async (cluster, _, victim) => {
    await cluster.kill(victim);
    await cluster.launch(victim);
  },
  restart: async (cluster, _, victim) => {
    await cluster.stop(victim);
    await cluster.launch(victim);
  },
  halt: async (cluster, _, victim) => {
    cluster.pause(victim);
    await pass(HALT_MS);
    cluster.resume(victim);
  },
  cut: async (cluster, networks, victim) => {
    const index = cluster.names.indexOf(victim);
    await networks.isolate(index);
    await pass(HALT_MS);
    await networks.rejoin(index);
  },
};

async function round(
  cluster: ClusterProcess,
  networks: NetworkNamespaces,
  draw: (bound: number) => number,
): Promise<void> {
  await using load = await ClusterLoad.start(cluster, { restlessMs: 100 });
  const names = Object.keys(FAULTS);
  for (let i = 0; i < FAULTS_A_ROUND; i += 1) {
    const victims = new Set<string>();
    // The leader half of the time, and now and then a second one.
    if (draw(2) === 0) victims.add(await cluster.leader());
    else victims.add(cluster.names[draw(MEMBERS)]!);
    if (draw(4) === 0) victims.add(cluster.names[draw(MEMBERS)]!);
    await Promise.all([...victims].map((victim) => {
      const fault = FAULTS[names[draw(names.length)]!]!;
      return fault(cluster, networks, victim);
    }));
    if (draw(2) === 0) continue;
    await cluster.agreed();
    await load.progress(WRITES_BETWEEN);
  }
  await cluster.agreed();
  await load.allGoOn();
  await load.verify();
}

Deno.test({
  name: `soak: ${MINUTES} minutes of faults at random`,
  ignore: !(MINUTES > 0) || !HAS_CLUSTERS || !HAS_NAMESPACES,
  async fn() {
    print(`SEALKV_SOAK_SEED=${SEED}`);
    const draw = makeDraw(SEED);
    const endMs = performance.now() + MINUTES * 60_000;
    await using networks = await NetworkNamespaces.make(MEMBERS);
    const place = (index: number) => networks.place(index);
    await withCluster({ place }, async (cluster) => {
      for (let count = 1; performance.now() < endMs; count += 1) {
        await round(cluster, networks, draw);
        print(`soak: ${count} rounds`);
      }
    });
  },
});
