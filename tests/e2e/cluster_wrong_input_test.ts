/*
 * Goal: whoever is not a member, or is not who it says, is refused by name, and
 * the members that serve do not notice.
 * Method: the third member comes back with a wrong token, an empty disk or the
 * disk of another cluster; strangers send garbage to every port. All the while
 * clients write, and the history is checked at the end.
 */
import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { ClusterLoad } from "./cluster_load.ts";
import { runSealkv } from "./cli_process.ts";
import {
  ClusterProcess,
  HAS_CLUSTERS,
  type StartOptions,
  withCluster,
} from "./cluster_process.ts";
import { NodeProcess } from "./node_process.ts";
import { until } from "./until.ts";

const EXIT_BLOCKED = 3;
const EXIT_CONFIG = 78;
const SAID_MS_MAX = 15_000;
const CLOSED_MS_MAX = 15_000;
const WRITES = 30;
const READY = /^ready /m;
const WRONG_CLUSTER = /wrong-cluster|wrong-founding|NODE_ALREADY_FOUNDED/;

/** Waits until one of the members says it. */
async function says(
  cluster: ClusterProcess,
  names: readonly string[],
  pattern: RegExp,
): Promise<void> {
  await until(
    `${names} say ${pattern}`,
    SAID_MS_MAX,
    () => names.some((name) => pattern.test(cluster.node(name).output)),
  );
}

/** n3 comes back differently, is refused, and comes back as it was. */
async function refused(
  cluster: ClusterProcess,
  options: StartOptions,
  pattern: RegExp,
): Promise<void> {
  await cluster.stop("n3");
  await cluster.launch("n3", options);
  await says(cluster, cluster.running, pattern);
  doesNotMatch(cluster.node("n3").output, READY, "it never serves");
  await cluster.kill("n3");
  await cluster.start("n3");
  await cluster.agreed();
}

Deno.test({
  name: "a member that is not who it says is refused by name",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      const others = { members: ["n1", "n2"] };
      await using load = await ClusterLoad.start(cluster, others);
      const empty = `${cluster.place("n3").dataDir}-empty`;
      const env = { SEALKV_PEER_TOKEN: "another-token-than-the-others" };
      await refused(cluster, { env }, /wrong-token/);
      await load.progress(WRITES);
      await refused(
        cluster,
        { args: ["--data-dir", empty] },
        /wrong-disk|NODE_DISK_REPLACED/,
      );
      await load.progress(WRITES);
      await using other = await ClusterProcess.start();
      equal(await other.stop("n3"), 0);
      // They would have it back at any address, and it would serve with them.
      await Promise.all(other.running.map((name) => other.kill(name)));
      const foreign = other.place("n3").dataDir;
      await refused(
        cluster,
        { args: ["--data-dir", foreign] },
        WRONG_CLUSTER,
      );
      await load.progress(WRITES);
      await load.verify();
    }),
});

Deno.test({
  name: "a data dir that served alone is no member of a cluster",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      const lone = `${cluster.place("n3").dataDir}-lone`;
      {
        const args = ["--node", "n3"];
        await using node = await NodeProcess.start({ dataDir: lone, args });
        equal(await node.stop(), 0);
      }
      await refused(cluster, { args: ["--data-dir", lone] }, WRONG_CLUSTER);
    }),
});

Deno.test({
  name: "a member that nobody added, or whose address is taken, is refused",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      const admin = cluster.admin("n1");
      const taken = await runSealkv([
        ...["member", "add", "n4", "--peer", cluster.peer("n1")],
        ...["--admin", admin],
      ]);
      equal(taken.code, EXIT_BLOCKED, taken.stderr);
      match(taken.stderr, /^error\[NODE_MEMBER_EXISTS\]: /m);

      cluster.addPlace("n4");
      const n4 = cluster.place("n4").dataDir;
      const twice = `${cluster.founders},n4=${cluster.peer("n1")}`;
      await cluster.launch("n4", { args: ["--initial-cluster", twice] });
      const { code, stderr } = await cluster.ended("n4");
      equal(code, EXIT_CONFIG, stderr);
      match(stderr, /^error\[APP_CONFIG_INVALID\]: /m);

      const larger = `${cluster.founders},n4=${cluster.peer("n4")}`;
      await cluster.launch("n4", { args: ["--initial-cluster", larger] });
      await says(
        cluster,
        ["n4"],
        /wrong-founding|unknown-member|removed-member/,
      );
      doesNotMatch(cluster.node("n4").output, READY, "it never serves");
      await cluster.kill("n4");

      await cluster.launch("n4", {
        isFounding: false,
        args: ["--join", admin, "--data-dir", `${n4}-new`],
      });
      const uninvited = await cluster.ended("n4");
      equal(uninvited.code, EXIT_CONFIG, uninvited.stderr);
      match(uninvited.stderr, /^error\[NODE_JOIN_REFUSED\]: /m);
      await cluster.agreed();
      const { members } = await cluster.statusThat(
        "n1",
        "answers",
        () => true,
      );
      equal(members.length, 3);
    }),
});

const GARBAGE: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["random bytes", crypto.getRandomValues(new Uint8Array(40_000))],
  ["an HTTP request", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  ["a frame of 4 GiB", new Uint8Array(64).fill(0xff)],
  ["zeros", new Uint8Array(4_096)],
  ["nothing", new Uint8Array(0)],
];

const PEERS_ONLY = new Set(["an HTTP request", "nothing"]);

/** Sends `bytes`; true once the other side closes, false if it never does. */
async function isCutOff(address: string, bytes: Uint8Array): Promise<boolean> {
  const [hostname = "", port] = address.split(":");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, CLOSED_MS_MAX);
  try {
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
    const buffer = new Uint8Array(65_536);
    while (await connection.read(buffer) !== null);
    return true;
  } catch (error) {
    if (isLate) return false;
    // Closed while it was written to.
    if (error instanceof Deno.errors.ConnectionReset) return true;
    if (error instanceof Deno.errors.BrokenPipe) return true;
    throw error;
  } finally {
    clearTimeout(timer);
    if (!isLate) connection.close();
  }
}

Deno.test({
  name: "garbage on every port is cut off, and nobody else notices",
  ignore: !HAS_CLUSTERS,
  fn: () =>
    withCluster({}, async (cluster) => {
      await using load = await ClusterLoad.start(cluster);
      const leader = await cluster.leader();
      for (const [name, bytes] of GARBAGE) {
        const { listen, peer, admin } = cluster.node(leader).bound;
        // HTTP servers keep a connection that is idle or in order.
        const ports = PEERS_ONLY.has(name) ? [peer] : [listen, peer, admin];
        for (const address of ports) {
          ok(await isCutOff(address, bytes), `${address} is patient: ${name}`);
        }
      }
      match(cluster.node(leader).output, /"event":"peer_garbage"/);
      await cluster.agreed();
      await load.allGoOn();
      await load.verify();
    }),
});
