/*
 * Goal: a node goes through the whole rollout by its commands; its backup founds
 * a cluster under another KEK that seals records and log from the first byte on,
 * and takes members in: without encryption they halt alone, with it they vote.
 * Method: real processes of `sealkv`, Deno's own client, and a search for a
 * canary in every file of every data dir.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { runSealkv } from "./cli_process.ts";
import { LATE } from "./encrypted_cluster.ts";
import { kekArgs, type KekFile, KekFiles } from "./kek_files.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import { until } from "./until.ts";

const CANARY = "canary-77d1-in-every-value";
const RECORDS = 50;
const CLUSTER = "drill";
const PEER_TOKEN = { SEALKV_PEER_TOKEN: "peer-token-of-the-test" };
const CONFIG_EXIT = 78;
const STEP_MS_MAX = 60_000;

async function succeeds(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSealkv(words);
  equal(code, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** Files below `dir` that have a value as it was written. */
async function cleartextIn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) found.push(...await cleartextIn(path));
    else {
      const bytes = await Deno.readFile(path);
      const text = new TextDecoder("latin1").decode(bytes);
      if (text.includes(CANARY)) found.push(path);
    }
  }
  return found;
}

async function fill(node: NodeProcess, prefix: string): Promise<string> {
  using kv = await openKv(node.url);
  let last = "";
  for (let i = 0; i < RECORDS; i += 1) {
    last = (await kv.set([prefix, i], `${CANARY} ${i}`)).versionstamp;
  }
  return last;
}

async function countOf(node: NodeProcess, prefix: string): Promise<number> {
  using kv = await openKv(node.url);
  return (await Array.fromAsync(kv.list({ prefix: [prefix] }))).length;
}

/** All steps, one after the other; then a backup to `file`. */
async function rollOut(node: NodeProcess, file: string): Promise<void> {
  const admin = ["--admin", node.bound.admin];
  const step = (...words: readonly string[]) =>
    until(words.join(" "), STEP_MS_MAX, async () => {
      const end = await runSealkv(["encryption", ...words, ...admin]);
      // Given again, as its remedy says: the machine may be busy.
      if (LATE.test(end.stderr)) return null;
      equal(end.code, 0, `${words.join(" ")}: ${end.stderr}`);
      return true;
    });
  const confirm = ["--confirm", CLUSTER];
  await step("enable-storage-envelope", ...confirm);
  await step("rewrite", "--follow");
  await step("seal-cleartext", ...confirm);
  await step("enable-raft-envelope", ...confirm);
  await fill(node, "sealed");
  await step("scrub");
  deepEqual(await cleartextIn(node.dataDir), []);
  await succeeds("backup", "create", "--out", file, ...admin);
}

function start(
  dataDir: string,
  name: string,
  keks: readonly KekFile[],
  args: readonly string[] = [],
  hostname = loopbackAddress(),
): Promise<NodeProcess> {
  return NodeProcess.start({
    ...{ dataDir, hostname, env: PEER_TOKEN },
    args: [
      "--node",
      name,
      ...(keks.length > 0 ? kekArgs(...keks) : []),
      ...args,
    ],
  });
}

Deno.test("the backup of a sealed cluster founds one that seals from its first entry on", async () => {
  await using keks = await KekFiles.open();
  const [old, next] = [await keks.make("old"), await keks.make("next")];
  const file = `${keks.dir}/whole.sealkv`;
  let last = "";
  {
    await using node = await start(`${keks.dir}/n1`, "n1", [old], [
      ...["--cluster-name", CLUSTER],
    ]);
    last = await fill(node, "first");
    await rollOut(node, file);
    equal(await node.stop(), 0, node.output);
  }
  const dataDir = `${keks.dir}/m1`;
  const both = ["--kek", `file:${next.path}`, "--kek", `file:${old.path}`];
  await succeeds(
    ...["backup", "restore", file, "--data-dir", dataDir, "--node", "m1"],
    ...both,
  );
  await using node = await start(dataDir, "m1", [next]);
  const { admin } = node.bound;
  const status = JSON.parse(
    await succeeds("encryption", "status", "--admin", admin, "--json"),
  );
  equal(status.phase, 2, JSON.stringify(status));
  using kv = await openKv(node.url);
  ok((await kv.set(["mine"], `${CANARY} mine`)).versionstamp > last);
  await fill(node, "second");
  equal(await countOf(node, "first"), RECORDS);
  deepEqual(await cleartextIn(dataDir), []);
  await joins(node, keks.dir, next);
  equal(await node.stop(), 0, node.output);
  deepEqual(await cleartextIn(dataDir), []);
});

/** A member joins without encryption, halts, and votes when it has it. */
async function joins(
  node: NodeProcess,
  home: string,
  kek: KekFile,
): Promise<void> {
  const { admin } = node.bound;
  const hostname = loopbackAddress();
  const peer = ["--peer", `${hostname}:4513`];
  await succeeds(
    ...["member", "add", "m2", ...peer, "--admin", admin, "--no-wait"],
  );
  const dataDir = `${home}/m2`;
  {
    await using bare = await NodeProcess.launch({
      ...{ dataDir, hostname, env: PEER_TOKEN },
      args: ["--node", "m2", "--join", admin],
    });
    equal(await bare.exited(), CONFIG_EXIT, bare.output);
    match(bare.stderr, /--encryption-enabled/);
  }
  const members = async () => {
    const said = await succeeds("member", "list", "--admin", admin, "--json");
    return said;
  };
  ok(/m2/.test(await members()));
  await using other = await start(dataDir, "m2", [kek], [
    ...["--join", admin],
  ], hostname);
  await until("m2 votes", 60_000, async () => {
    const { code, stdout } = await runSealkv(
      ["member", "promote", "m2", "--admin", admin, "--json"],
    );
    return code === 0 && stdout !== "" ? true : null;
  });
  equal(await countOf(other, "first"), RECORDS);
  equal(await countOf(other, "second"), RECORDS);
  await fill(other, "third");
  equal(await countOf(node, "third"), RECORDS);
  deepEqual(await cleartextIn(dataDir), []);
  await succeeds(
    ...["member", "remove", "m2", "--confirm", CLUSTER, "--admin", admin],
    "--accept-quorum-loss",
  );
}
