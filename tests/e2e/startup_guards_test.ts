/*
 * Goal: every startup guard speaks in a real process: the node ends with 78 and
 * three lines, before any listener, having changed nothing and used no epoch;
 * who does what the remedy says has a node that serves.
 * Method: one node lives through its first days; each test takes a copy of a
 * moment and brings it into the state by what operators do: files removed, cut,
 * put back or taken from elsewhere, other flags. All addresses are held by the
 * test while the node is to refuse, so that it could not listen in silence.
 * `doctor` says the same of each. In the order of docs/startup_guards.md.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import { fullNodeId, node16Of } from "../../src/base/identity.ts";
import { runSealkv } from "./cli_process.ts";
import { HAS_CLUSTERS, PEER_TOKEN } from "./cluster_process.ts";
import { registered } from "./encryption_seen.ts";
import {
  type LivedNode,
  type Moment,
  NodeLife,
  servesItsRecord,
} from "./node_life.ts";
import { HAS_MOUNTS } from "./small_disk.ts";
import { commandIn, type Refusal, type StartAs } from "./stopped_node.ts";

let life: NodeLife;

Deno.test.beforeAll(async () => {
  life = await NodeLife.live();
});
Deno.test.afterAll(async () => {
  await life[Symbol.asyncDispose]();
});

interface Case {
  readonly guard: string;
  readonly code: string;
  readonly at?: Moment;
  /** Brings the node into the state; returns how it is started then. */
  readonly spoil: (node: LivedNode) => Promise<StartAs | void>;
  /** Does what the remedy says; returns how it is started then. */
  readonly heal: (
    node: LivedNode,
    refusal: Refusal,
  ) => Promise<StartAs | void>;
  /** Takes back what would outlive the data dir, whatever has happened. */
  readonly tidy?: (node: LivedNode) => Promise<void>;
  readonly ignore?: boolean;
}

/** Refused, named by doctor, healed, served: with epochs of its own. */
function refuses(name: string, given: Case): void {
  const { guard, code, at = "restarted", spoil, heal } = given;
  const fn = async () => {
    await using node = await life.at(at);
    try {
      const start = await spoil(node) ?? {};
      const refusal = await node.refused(code, start);
      const { refused } = await node.doctor(start);
      ok(refused.includes(`${guard} ${code}`), refused.join());
      const healed = await heal(node, refusal) ?? {};
      await using running = await node.start(healed);
      await servesItsRecord(running);
    } finally {
      await given.tidy?.(node);
    }
  };
  const ignore = given.ignore ?? false;
  Deno.test({ name: `${guard} refuses ${name}: ${code}`, ignore, fn });
}

/** Runs the command of a remedy that makes the sidecar anew. */
async function resync(node: LivedNode, refusal: Refusal): Promise<void> {
  const named = { URI: node.kek, D: node.dataDir };
  const words = commandIn(refusal, "encryption resync-sidecar", named);
  const { code, stderr } = await runSealkv(words);
  equal(code, 0, stderr);
}

/** The flags of a remedy that says how to start the node. */
async function serveLine(
  node: LivedNode,
  refusal: Refusal,
): Promise<StartAs> {
  const [, ...args] = commandIn(refusal, "serve", { URI: node.kek });
  return { isEnabled: false, keks: [], args };
}

async function asBefore(): Promise<void> {}

Deno.test("DataDirLocked refuses a second process: NODE_DATA_DIR_LOCKED", async () => {
  await using node = await life.at("restarted");
  await using first = await node.start();
  const epochs = await node.epochs();
  await using second = await node.launch({
    args: ["--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"],
  });
  equal(await second.exited(), 78, second.output);
  match(second.stderr, /^error\[NODE_DATA_DIR_LOCKED\]: .+$/m);
  match(second.stderr, /^remedy: Stop the other `sealkv serve`.+$/m);
  deepEqual(await node.epochs(), epochs);
  const { code, stdout } = await runSealkv([
    ...["doctor", "--data-dir", node.dataDir, ...node.keyArgs({})],
  ]);
  equal(code, 78);
  match(stdout, /^refused +DataDirLocked +error\[NODE_DATA_DIR_LOCKED\]/m);
  equal(await first.stop(), 0, first.output);
  await using again = await node.start();
  await servesItsRecord(again);
});

Deno.test("WrongCluster refuses the sidecar, and the log, of another cluster", async () => {
  await using node = await life.at("restarted");
  await using other = await newCluster(node);
  const kept = `${node.home}/kept`;
  for (const part of ["encryption", "raft"]) {
    await Deno.rename(`${node.dataDir}/${part}`, kept);
    await Deno.rename(`${other.dataDir}/${part}`, `${node.dataDir}/${part}`);
    const { message } = await node.refused("NODE_WRONG_CLUSTER");
    match(message, part === "raft" ? /the log is of/ : /the sidecar is of/);
    const { refused } = await node.doctor();
    ok(refused.includes("WrongCluster NODE_WRONG_CLUSTER"), refused.join());
    await Deno.remove(`${node.dataDir}/${part}`, { recursive: true });
    await Deno.rename(kept, `${node.dataDir}/${part}`);
  }
  await using running = await node.start();
  await servesItsRecord(running);
});

/** A node of another cluster, under the same name and KEK, with keys. */
async function newCluster(like: LivedNode): Promise<LivedNode> {
  const other = await life.at("founded");
  await Deno.remove(other.dataDir, { recursive: true });
  await Deno.copyFile(like.kekPath, other.kekPath);
  await using node = await other.start();
  const { admin } = node.bound;
  const done = await runSealkv(["encryption", "bootstrap", "--admin", admin]);
  equal(done.code, 0, done.stderr);
  await registered(admin, "n1");
  equal(await node.stop(), 0, node.output);
  return other;
}

refuses("another node's name", {
  guard: "WrongNode",
  code: "NODE_WRONG_NODE",
  spoil: async () => ({ node: "n2" }),
  heal: async (_, { message }) => {
    match(message, /is of "n1"/);
    return { node: "n1" };
  },
});

refuses("a start without the flag", {
  guard: "SidecarPresentWithoutFlag",
  code: "NODE_SIDECAR_WITHOUT_FLAG",
  spoil: async () => ({ isEnabled: false, keks: [] }),
  heal: serveLine,
});

refuses("the flag alone", {
  guard: "KekRequired",
  code: "NODE_KEK_REQUIRED",
  spoil: async () => ({ keks: [] }),
  heal: serveLine,
});

refuses("a KEK that others may read", {
  guard: "InsecureKekFile",
  code: "KEYS_KEK_INSECURE",
  spoil: (node) => Deno.chmod(node.kekPath, 0o644),
  async heal(node, { remedy }) {
    equal(remedy, `chmod 600 ${node.kekPath}`);
    const { code } = await new Deno.Command("sh", { args: ["-c", remedy] })
      .output();
    equal(code, 0);
  },
});

refuses("a KEK file that is gone", {
  guard: "KekUnavailable",
  code: "KEYS_KEK_UNAVAILABLE",
  spoil: (node) => Deno.rename(node.kekPath, `${node.kekPath}.away`),
  heal: (node) => Deno.rename(`${node.kekPath}.away`, node.kekPath),
});

refuses("a program that fails to give the KEK", {
  guard: "KekUnavailable",
  code: "KEYS_KEK_UNAVAILABLE",
  async spoil(node) {
    await Deno.writeTextFile(`${node.home}/give`, "#!/bin/sh\nexit 3\n", {
      mode: 0o700,
    });
    return { keks: [`exec:${node.home}/give`] };
  },
  async heal(node) {
    const text = `#!/bin/sh\ncat ${node.kekPath}\n`;
    await Deno.writeTextFile(`${node.home}/give`, text);
    return { keks: [`exec:${node.home}/give`] };
  },
});

refuses("a variable without the KEK", {
  guard: "KekUnavailable",
  code: "KEYS_KEK_UNAVAILABLE",
  spoil: async () => ({ keks: ["env:SEALKV_TEST_KEK"] }),
  async heal(node) {
    const kek = toHex(await Deno.readFile(node.kekPath));
    return { keks: ["env:SEALKV_TEST_KEK"], env: { SEALKV_TEST_KEK: kek } };
  },
});

refuses("a file where the sidecar's directory belongs", {
  guard: "UnsupportedFilesystem",
  code: "KEYS_FILESYSTEM_UNSUPPORTED",
  at: "founded",
  async spoil({ dataDir }) {
    await Deno.writeTextFile(`${dataDir}/encryption`, "no directory\n");
  },
  heal: ({ dataDir }) => Deno.remove(`${dataDir}/encryption`),
});

refuses("a sidecar's directory that takes no writes", {
  guard: "UnsupportedFilesystem",
  code: "KEYS_FILESYSTEM_UNSUPPORTED",
  ignore: !HAS_MOUNTS,
  async spoil({ dataDir }) {
    const dir = `${dataDir}/encryption`;
    await run("mount", "--bind", dir, dir);
    await run("mount", "-o", "remount,ro,bind", dir);
  },
  heal: (node) => unmount(node),
  tidy: async (node) => {
    if (await isMounted(node)) await unmount(node);
  },
});

refuses("data keys without their sidecar", {
  guard: "SidecarMissing",
  code: "NODE_SIDECAR_MISSING",
  spoil: (node) => Deno.remove(node.sidecar),
  heal: resync,
});

refuses("data keys without their sidecar and without the flag", {
  guard: "SidecarMissing",
  code: "NODE_SIDECAR_MISSING",
  async spoil(node) {
    await Deno.remove(node.sidecar);
    return { isEnabled: false, keks: [] };
  },
  heal: resync,
});

refuses("a sidecar that was cut", {
  guard: "SidecarMalformed",
  code: "KEYS_SIDECAR_MALFORMED",
  spoil: (node) => Deno.truncate(node.sidecar, 400),
  heal: resync,
});

refuses("an empty sidecar", {
  guard: "SidecarMalformed",
  code: "KEYS_SIDECAR_MALFORMED",
  spoil: (node) => Deno.truncate(node.sidecar),
  heal: resync,
});

refuses("a sidecar that is another JSON", {
  guard: "SidecarMalformed",
  code: "KEYS_SIDECAR_MALFORMED",
  spoil: (node) => Deno.writeTextFile(node.sidecar, '{"keys": []}\n'),
  heal: resync,
});

refuses("another KEK", {
  guard: "KekMismatch",
  code: "KEYS_KEK_MISMATCH",
  async spoil(node) {
    const out = `${node.home}/other`;
    const { code } = await runSealkv(["kek", "generate", "--out", out]);
    equal(code, 0);
    return { keks: [`file:${out}`] };
  },
  async heal(node, refusal) {
    const { keks } = JSON.parse(await kekIds(node));
    ok(refusal.message.includes(keks), refusal.message);
    return await serveLine(node, refusal);
  },
});

/** The id that the sidecar's wraps name. */
async function kekIds(node: LivedNode): Promise<string> {
  const text = await Deno.readTextFile(node.sidecar);
  const [, id = ""] = /"kek": "([^"]+)"/.exec(text) ?? [];
  return JSON.stringify({ keks: id });
}

refuses("an epoch that somebody changed", {
  guard: "SidecarTampered",
  code: "KEYS_SIDECAR_TAMPERED",
  async spoil(node) {
    const text = await Deno.readTextFile(node.sidecar);
    const changed = text.replace(/"local_epoch": \d+/, '"local_epoch": 99');
    ok(changed !== text);
    await Deno.writeTextFile(node.sidecar, changed);
  },
  heal: resync,
});

Deno.test({
  name:
    "NodeIdCollision refuses to found a cluster with twins: NODE_ID_COLLISION",
  ignore: !HAS_CLUSTERS,
  async fn() {
    const [one, two] = namesOfOneHalfNonce();
    await using node = await life.at("founded");
    await Deno.remove(node.dataDir, { recursive: true });
    await Deno.mkdir(node.dataDir);
    const founders = (...others: string[]) => {
      const members = others.map((name, i) => `${name}=127.0.0.1:${7000 + i}`);
      const own = `n1=${node.hostname}:4513`;
      const list = [own, ...members].join();
      const env = { SEALKV_PEER_TOKEN: PEER_TOKEN };
      return { args: ["--initial-cluster", list], env };
    };
    const { remedy } = await node.refused(
      "NODE_ID_COLLISION",
      founders(one, two),
    );
    match(remedy, /another name: in --initial-cluster/);
    // Under another name the members are let in: they wait for each other.
    await using running = await node.launch(founders(one, `${two}-b`));
    ok(await running.says(/"event":"leadership_changed"/), running.output);
  },
});

/** Two names whose node ids end in the same 16 bits, none of them n1's. */
function namesOfOneHalfNonce(): [string, string] {
  const holders = new Map([[node16Of(fullNodeId("n1")), "n1"]]);
  for (let number = 2;; number += 1) {
    const name = `n${number}`;
    const node16 = node16Of(fullNodeId(name));
    const other = holders.get(node16);
    if (other !== undefined && other !== "n1") return [other, name];
    holders.set(node16, name);
  }
}

refuses("a sidecar of before a rotation", {
  guard: "SidecarBehindRaftLog",
  code: "NODE_SIDECAR_BEHIND",
  spoil: (node) => node.put("bootstrapped", "encryption/keys.json"),
  heal: resync,
});

refuses("a sidecar of before the last start", {
  guard: "LocalEpochRollback",
  code: "NODE_EPOCH_ROLLBACK",
  spoil: (node) => node.put("rotated", "encryption/keys.json"),
  // The one for a node alone: nobody is there to rebuild it from.
  heal: resync,
});

refuses("an identity that does not say who the node is", {
  guard: "PartUnreadable",
  code: "NODE_IDENTITY_DAMAGED",
  spoil: ({ dataDir }) => Deno.truncate(`${dataDir}/NODE`, 20),
  heal: (node) => node.put("restarted", "NODE"),
});

function unmount({ dataDir }: LivedNode): Promise<void> {
  return run("umount", "--lazy", `${dataDir}/encryption`);
}

async function isMounted({ dataDir }: LivedNode): Promise<boolean> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  return mounts.includes(` ${dataDir}/encryption `);
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, { args }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
}

/** A node whose state only looks dangerous starts, one epoch further. */
function starts(
  name: string,
  at: Moment,
  prepare: (node: LivedNode) => Promise<StartAs | void>,
): void {
  Deno.test(`a node starts with ${name}`, async () => {
    await using node = await life.at(at);
    const start = await prepare(node) ?? {};
    const hasKeys = at !== "founded";
    const before = hasKeys ? await node.epochs() : {};
    deepEqual((await node.doctor(start)).refused, []);
    await using running = await node.start(start);
    if (hasKeys) {
      const epochs = await registered(running.bound.admin, "n1");
      const raised = Object.entries(before).map(([id, epoch]) => [
        Number(id),
        epoch + 1,
      ]);
      deepEqual([...epochs], raised);
    }
    await servesItsRecord(running);
  });
}

starts("flag and KEK and no keys yet", "founded", asBefore);
starts("neither, before there are keys", "founded", async () => ({
  isEnabled: false,
  keks: [],
}));
starts("all as it was left", "restarted", asBefore);
starts("a second KEK in front", "restarted", async (node) => {
  const out = `${node.home}/second`;
  const { code } = await runSealkv(["kek", "generate", "--out", out]);
  equal(code, 0);
  return { keks: [`file:${out}`, node.kek] };
});
starts(
  "a sidecar that a crash left ahead at bootstrap",
  "bootstrapped",
  (node) => node.put("founded", "store.sqlite"),
);
starts(
  "a sidecar that a crash left ahead at a rotation",
  "rotated",
  (node) => node.put("bootstrapped", "store.sqlite"),
);
starts("a draft of a sidecar that a crash left", "restarted", async (node) => {
  await Deno.copyFile(node.sidecar, `${node.sidecar}.tmp`);
  await Deno.truncate(`${node.sidecar}.tmp`, 100);
});

Deno.test("a killed node starts again, one epoch further", async () => {
  await using node = await life.at("restarted");
  await using first = await node.start();
  const before = await registered(first.bound.admin, "n1");
  await first.kill();
  await using second = await node.start();
  const epochs = await registered(second.bound.admin, "n1");
  const raised = [...before].map(([id, epoch]) => [id, epoch + 1]);
  deepEqual([...epochs], raised);
  await servesItsRecord(second);
});
