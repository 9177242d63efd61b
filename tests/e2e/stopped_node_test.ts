/*
 * Goal: on a stopped node, `doctor` names all that is wrong and changes
 * nothing; `encryption resync-sidecar` gives it a sidecar with which it starts,
 * with epochs above all that were used, or refuses and changes nothing.
 * Method: copies of a real node's data dir, spoilt in one or several ways.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { runSealkv } from "./cli_process.ts";
import { encryptionAt, registered } from "./encryption_seen.ts";
import {
  change,
  type LivedNode,
  NodeLife,
  servesItsRecord,
} from "./node_life.ts";
import { contentOf, refusalIn } from "./stopped_node.ts";

const EXIT = { usage: 2, disk: 74, config: 78 };

let life: NodeLife;

Deno.test.beforeAll(async () => {
  life = await NodeLife.live();
});
Deno.test.afterAll(async () => {
  await life[Symbol.asyncDispose]();
});

Deno.test("doctor names three faults of one data dir at once", async () => {
  await using node = await life.at("restarted");
  await Deno.chmod(node.kekPath, 0o640);
  await Deno.truncate(node.sidecar, 300);
  const start = { node: "n9" };
  deepEqual((await node.doctor(start)).refused, [
    "WrongNode NODE_WRONG_NODE",
    "InsecureKekFile KEYS_KEK_INSECURE",
    "SidecarMalformed KEYS_SIDECAR_MALFORMED",
  ]);
  // serve says the first of them.
  await node.refused("NODE_WRONG_NODE", start);
  const { code, stdout } = await runSealkv([
    ...["doctor", "--node", "n9", "--data-dir", node.dataDir],
    ...node.keyArgs({}),
  ]);
  equal(code, EXIT.config);
  equal([...stdout.matchAll(/^refused .+ error\[[A-Z_]+\]: .+$/gm)].length, 3);
  equal([...stdout.matchAll(/^ +remedy: .+$/gm)].length, 3);
  match(stdout, /^n9 in .+ may not start: 3 refused$/m);
});

Deno.test("doctor lets a healthy node pass, in words and as JSON", async () => {
  await using node = await life.at("restarted");
  const said = await node.doctor();
  equal(said.node, "n1");
  equal(said.mayStart, true);
  ok(said.findings.every(({ verdict }) => verdict === "passed"));
  const { code, stdout } = await runSealkv([
    ...["doctor", "--data-dir", node.dataDir, ...node.keyArgs({})],
  ]);
  equal(code, 0, stdout);
  match(stdout, /^n1 in .+ may start$/m);
});

Deno.test("doctor refuses what it cannot look at", async () => {
  await using node = await life.at("founded");
  const doctor = (...args: string[]) => runSealkv(["doctor", ...args]);
  const absent = await doctor("--data-dir", `${node.home}/nowhere`);
  equal(absent.code, EXIT.disk, absent.stderr);
  equal(refusalIn(absent.stderr).code, "IO_NOT_FOUND");
  const unknown = await doctor("--data-dir", node.dataDir, "--fix");
  equal(unknown.code, EXIT.usage);
  const secret = "c2VjcmV0IHRoYXQgd2FzIHBhc3RlZCBoZXJl";
  const pasted = await doctor(
    ...["--data-dir", node.dataDir, "--encryption-enabled", "--kek", secret],
  );
  equal(pasted.code, EXIT.config, pasted.stderr);
  const all = `${pasted.stdout}${pasted.stderr}`;
  match(all, /KEYS_KEK_SOURCE_INVALID|APP_CONFIG_INVALID/);
  ok(!all.includes(secret), all);
});

/** What happened to the sidecar, and whether its epochs can still be read. */
const LOSSES: readonly {
  readonly name: string;
  readonly lose: (node: LivedNode) => Promise<void>;
  readonly isKept: boolean;
}[] = [
  {
    name: "was deleted",
    lose: (node) => Deno.remove(node.sidecar),
    isKept: false,
  },
  {
    name: "was damaged",
    lose: (node) => Deno.writeTextFile(node.sidecar, "{"),
    isKept: true,
  },
  {
    name: "was rolled back",
    lose: (node) => node.put("bootstrapped", "encryption/keys.json"),
    isKept: true,
  },
];

for (const { name, lose, isKept } of LOSSES) {
  Deno.test(`resync-sidecar makes anew what ${name}`, async () => {
    await using node = await life.at("restarted");
    const used = await registeredEpochs(node);
    await lose(node);
    const old = isKept ? await Deno.readFile(node.sidecar) : null;
    const { code, stdout, stderr } = await node.resync("--kek", node.kek);
    equal(code, 0, stderr);
    const { source, keptAs, epochs } = JSON.parse(stdout);
    equal(source, "store");
    if (old === null) equal(keptAs, null);
    else deepEqual(await Deno.readFile(keptAs), old, "the old file is kept");
    const made = new Map<number, number>(
      epochs.map(({ key, epoch }: { key: number; epoch: number }) => [
        key,
        epoch,
      ]),
    );
    for (const [key, epoch] of used) ok((made.get(key) ?? 0) > epoch);
    await using running = await node.start();
    const now = await registered(running.bound.admin, "n1");
    for (const [key, epoch] of used) ok((now.get(key) ?? 0) > epoch + 1);
    await servesItsRecord(running);
  });
}

/** The epochs of sealing keys that the sidecar shows before it is lost. */
async function registeredEpochs(
  node: LivedNode,
): Promise<ReadonlyMap<number, number>> {
  const { keys } = JSON.parse(await Deno.readTextFile(node.sidecar));
  const entries = Object.entries<{ purpose: string; local_epoch: number }>(
    keys,
  );
  const active = Object.values(
    JSON.parse(await Deno.readTextFile(node.sidecar)).active,
  );
  return new Map(
    entries.filter(([id]) => active.includes(Number(id)))
      .map(([id, { local_epoch: epoch }]) => [Number(id), epoch]),
  );
}

Deno.test("resync-sidecar refuses another KEK, a running node, and another cluster", async () => {
  await using node = await life.at("restarted");
  await using other = await life.at("founded");
  // The same node in another cluster, under a KEK of its own.
  await Deno.remove(other.dataDir, { recursive: true });
  await Deno.remove(other.kekPath);
  equal((await runSealkv(["kek", "generate", "--out", other.kekPath])).code, 0);
  await using stranger = await other.start();
  const { admin } = stranger.bound;
  await change(stranger, ["bootstrap"]);
  const { stateIndex: strangersIndex } = await encryptionAt(admin);
  ok(strangersIndex !== undefined);

  await Deno.remove(node.sidecar);
  const before = await contentOf(node.dataDir);
  const refused = async (code: string, ...args: string[]) => {
    const end = await node.resync(...args);
    equal(end.code, EXIT.config, `${end.stdout}${end.stderr}`);
    const { error } = JSON.parse(end.stderr.trim().split("\n").at(-1) ?? "");
    equal(error.code, code, end.stderr);
    ok(error.remedy.length > 0);
    deepEqual(await contentOf(node.dataDir), before, "nothing has changed");
  };
  await refused("KEYS_KEK_MISMATCH", "--kek", other.kek);
  await refused("NODE_KEK_REQUIRED");
  await refused("NODE_WRONG_CLUSTER", "--kek", node.kek, "--admin", admin);
  await refused("NODE_WRONG_NODE", "--kek", node.kek, "--node", "n2");

  const locked = await other.resync("--kek", other.kek);
  equal(locked.code, EXIT.config, locked.stderr);
  match(locked.stderr, /NODE_DATA_DIR_LOCKED/);
  equal(await stranger.stop(), 0, stranger.output);
});
