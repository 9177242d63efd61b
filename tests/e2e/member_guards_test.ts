/*
 * Goal: a member that a startup guard refuses, or that its peers refuse because
 * its disk was put back, comes back by the remedy, with the help of the others.
 * Method: three real members with keys; the third is stopped, brought into the
 * state by files of its own past or by what the product itself would write, and
 * started. The first two serve all the while.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { EPOCH_MAX } from "../../src/base/data_key.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../src/store/encryption_row.ts";
import { encryptionKey } from "../../src/store/row_key.ts";
import { runSealkv } from "./cli_process.ts";
import {
  ClusterProcess,
  HAS_CLUSTERS,
  PEER_TOKEN,
  withCluster,
} from "./cluster_process.ts";
import { encryptionAt, registered } from "./encryption_seen.ts";
import { openKv } from "./open_kv.ts";
import {
  commandIn,
  copyDir,
  type Refusal,
  refusalIn,
  StoppedNode,
} from "./stopped_node.ts";
import { until } from "./until.ts";

const AGREED_MS_MAX = 60_000;
const VALUE = "what all members have";

/** Three members with data keys, and the KEKs that they are started with. */
class KeyedCluster {
  readonly cluster: ClusterProcess;
  readonly home: string;
  /** Flags of every start from now on. */
  readonly #args: string[];

  private constructor(cluster: ClusterProcess, home: string, args: string[]) {
    this.cluster = cluster;
    this.home = home;
    this.#args = args;
  }

  static async with(
    task: (keyed: KeyedCluster) => Promise<void>,
  ): Promise<void> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-keks-" });
    try {
      for (const name of ["kek", "next"]) await makeKek(`${home}/${name}`);
      const args = ["--encryption-enabled", "--kek", `file:${home}/kek`];
      await withCluster({ args }, async (cluster) => {
        const keyed = new KeyedCluster(cluster, home, args);
        await keyed.run("encryption", "bootstrap");
        await keyed.allRegistered();
        using kv = await openKv(cluster.url("n1"));
        await kv.set(["k"], VALUE);
        await task(keyed);
      });
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  }

  /** Admin addresses of those that run. */
  get admins(): string {
    const { cluster } = this;
    return cluster.running.map((name) => cluster.admin(name)).join();
  }

  kek(name: "kek" | "next"): string {
    return `file:${this.home}/${name}`;
  }

  /** The third member, as one that does not run. */
  get third(): StoppedNode {
    const { dataDir, hostname } = this.cluster.place("n3");
    return new StoppedNode({
      ...{ home: dataDir.replace(/\/n3$/, ""), name: "n3", hostname },
      ...{
        kekPath: `${this.home}/kek`,
        env: { SEALKV_PEER_TOKEN: PEER_TOKEN },
      },
    });
  }

  /** Runs a command against the members that run. */
  async run(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await runSealkv([
      ...words,
      ...["--admin", this.admins],
    ]);
    equal(code, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  async allRegistered(): Promise<void> {
    const { cluster } = this;
    await Promise.all(
      cluster.running.map((name) => registered(cluster.admin(name), name)),
    );
  }

  /** Waits until all that run have applied the same keys, and hold them. */
  async agreed(): Promise<void> {
    const { cluster } = this;
    await until("one state of the keys", AGREED_MS_MAX, async () => {
      const seen = await Promise.all(
        cluster.running.map((name) => encryptionAt(cluster.admin(name))),
      );
      const indexes = seen.flatMap(({ stateIndex = "0", own }) => [
        stateIndex,
        own.sidecarIndex ?? "0",
      ]);
      return new Set(indexes).size === 1;
    });
  }

  /** Starts one member after the other with these KEKs. */
  async restartWith(...keks: readonly string[]): Promise<void> {
    const { cluster } = this;
    const uris = keks.flatMap((uri) => ["--kek", uri]);
    this.#args.splice(0, this.#args.length, "--encryption-enabled", ...uris);
    for (const name of cluster.names) {
      equal(await cluster.stop(name), 0);
      await cluster.start(name);
      await cluster.agreed();
    }
    await this.allRegistered();
  }

  /** Carries out a remedy that says `member rebuild`, and starts the member. */
  async rebuilt(refusal: Refusal): Promise<void> {
    const { cluster, third } = this;
    const named = { D: third.dataDir, ADDR: this.admins, NAME: "n3" };
    const words = commandIn(refusal, "member rebuild n3", named);
    const status = await cluster.status(cluster.running[0] ?? "");
    const { code, stderr } = await runSealkv([
      ...words,
      ...["--confirm", status?.cluster ?? ""],
    ]);
    equal(code, 0, stderr);
    const args = ["--join", this.admins];
    await cluster.start("n3", { isFounding: false, args });
    await this.serves();
  }

  /** All three are ready, registered, and the third has what all have. */
  async serves(): Promise<void> {
    const { cluster } = this;
    await cluster.agreed();
    await this.allRegistered();
    await this.agreed();
    using kv = await openKv(cluster.url("n3"));
    equal((await kv.get(["k"])).value, VALUE);
  }
}

async function makeKek(path: string): Promise<void> {
  const { code, stderr } = await runSealkv(["kek", "generate", "--out", path]);
  equal(code, 0, stderr);
}

function clusterTest(
  name: string,
  task: (keyed: KeyedCluster) => Promise<void>,
): void {
  const fn = () => KeyedCluster.with(task);
  Deno.test({ name, ignore: !HAS_CLUSTERS, fn });
}

clusterTest(
  "a KEK is rotated under a running cluster; a disk of before is refused by its peers, and rebuilt",
  async (keyed) => {
    const { cluster, third } = keyed;
    const image = `${keyed.home}/image`;
    equal(await cluster.stop("n3"), 0);
    await copyDir(third.dataDir, image);
    await cluster.start("n3");
    await keyed.allRegistered();

    await keyed.restartWith(keyed.kek("next"), keyed.kek("kek"));
    await keyed.run("encryption", "rewrap-deks");
    await keyed.agreed();
    await keyed.restartWith(keyed.kek("next"));
    const { keys = [] } = await encryptionAt(cluster.admin("n1"));
    equal(new Set(keys.flatMap(({ keks }) => keks)).size, 1, "one KEK");

    equal(await cluster.stop("n3"), 0);
    await Deno.remove(third.dataDir, { recursive: true });
    await copyDir(image, third.dataDir);
    await third.refused("KEYS_KEK_MISMATCH", { keks: [keyed.kek("next")] });
    await cluster.launch("n3", { args: ["--kek", keyed.kek("kek")] });
    const { code, stderr } = await cluster.ended("n3");
    equal(code, 78, stderr);
    const refusal = refusalIn(stderr);
    equal(refusal.code, "NODE_EPOCH_ROLLBACK", stderr);
    match(refusal.message, /another member knows of later sessions/);
    await keyed.rebuilt(refusal);
  },
);

clusterTest(
  "a member that a guard refuses comes back with the help of the others",
  async (keyed) => {
    const { cluster, third } = keyed;
    const stop = async () => equal(await cluster.stop("n3"), 0);
    const start = async () => {
      await cluster.start("n3");
      await keyed.serves();
    };

    await stop();
    const own = await Deno.readFile(third.sidecar);
    await Deno.copyFile(
      `${cluster.place("n1").dataDir}/encryption/keys.json`,
      third.sidecar,
    );
    const wrong = await third.refused("NODE_WRONG_NODE");
    match(wrong.message, /the sidecar is of "n1"/);
    match(wrong.remedy, /^Put back the sidecar/);
    await Deno.writeFile(third.sidecar, own);
    await start();

    await stop();
    await changeStoredState(third);
    const tampered = await third.refused("STORE_STATE_TAMPERED");
    deepEqual((await third.doctor()).refused, [
      "StoreStateTampered STORE_STATE_TAMPERED",
    ]);
    await keyed.rebuilt(tampered);

    await stop();
    await third.rewriteShared((shared) => ({
      ...shared,
      storageCutoverIndex: shared.stateIndex,
    }));
    const divergence = await third.refused("NODE_CUTOVER_DIVERGENCE");
    match(divergence.message, /storage cutover index/);
    deepEqual((await third.doctor()).refused, [
      "EnvelopeCutoverDivergence NODE_CUTOVER_DIVERGENCE",
    ]);
    await keyed.rebuilt(divergence);
  },
);

clusterTest(
  "a spent epoch, and a sidecar lost while keys change, are mended by the leader's keys",
  async (keyed) => {
    const { cluster, third } = keyed;
    equal(await cluster.stop("n3"), 0);
    await third.withCustody(async (custody, { shared }) => {
      await custody.nextEpoch(shared.active.storage, EPOCH_MAX - 1);
    });
    const spent = await third.refused("KEYS_EPOCH_EXHAUSTED");
    deepEqual((await third.doctor()).refused, [
      "LocalEpochExhausted KEYS_EPOCH_EXHAUSTED",
    ]);
    const named = {
      ...{ D: third.dataDir, URI: third.kek, ADDR: keyed.admins },
    };
    // Without the leader there is no key to go on with.
    const alone = await third.resync("--kek", third.kek);
    equal(alone.code, 78, alone.stdout);
    match(alone.stderr, /KEYS_EPOCH_EXHAUSTED/);
    await keyed.run(...commandIn(spent, "encryption rotate-dek", named));
    await third.refused("KEYS_EPOCH_EXHAUSTED");
    const words = commandIn(spent, "encryption resync-sidecar", named);
    const mended = await runSealkv([...words, "--json"]);
    equal(mended.code, 0, mended.stderr);
    equal(JSON.parse(mended.stdout).source, "leader");
    await cluster.start("n3");
    await keyed.serves();

    const before = await registered(cluster.admin("n3"), "n3");
    equal(await cluster.stop("n3"), 0);
    await Deno.remove(third.sidecar);
    await keyed.run("encryption", "rotate-dek", "--purpose", "raft");
    const made = await third.resync(
      ...["--kek", third.kek, "--admin", keyed.admins],
    );
    equal(made.code, 0, made.stderr);
    const { source, keptAs } = JSON.parse(made.stdout);
    deepEqual({ source, keptAs }, { source: "leader", keptAs: null });
    await cluster.start("n3");
    await keyed.serves();
    const after = await registered(cluster.admin("n3"), "n3");
    const { keys = [] } = await encryptionAt(cluster.admin("n3"));
    for (const { id, writers = [] } of keys) {
      // Only the lost sidecar knew of an epoch that was never registered.
      if (!writers.some(({ member }) => member === "n3")) continue;
      const [was = 0, is = 0] = [before.get(id), after.get(id)];
      ok(is > was || was === EPOCH_MAX, `key ${id}: ${was}, then ${is}`);
    }
  },
);

/** Changes who may seal in the stored state, by all but its MAC's key. */
async function changeStoredState({ store }: StoppedNode): Promise<void> {
  using kv = await Deno.openKv(store);
  const key = encryptionKey(0);
  const { value } = await kv.get<Uint8Array>(key);
  ok(value !== null);
  const { encryption, encryptionMac } = decodeEncryption([value]);
  const changed = { ...encryption, writers: new Map() };
  const [row] = encodeEncryption({ encryption: changed, encryptionMac });
  await kv.set(key, row);
}
