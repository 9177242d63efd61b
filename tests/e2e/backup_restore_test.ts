/*
 * Goal: an operator copies a running cluster, is told that the copy is whole,
 * founds another cluster from it and serves from there; what is wrong is
 * refused by name and nothing is changed.
 * Method: real processes of `sealkv` only, and Deno's own client.
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { runSealkv } from "./cli_process.ts";
import { KekFiles } from "./kek_files.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

const RECORDS = 200;
const EXIT = { usage: 2, blocked: 3, disk: 74, config: 78 };

/** A directory for backups and restored data dirs. */
class Place implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  static async open(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "sealkv-restore-" }));
  }

  path(name: string): string {
    return `${this.dir}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.dir, { recursive: true });
  }
}

async function succeeds(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSealkv(words);
  equal(code, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

async function refused(
  code: number,
  name: string,
  ...words: readonly string[]
): Promise<string> {
  const end = await runSealkv(words);
  equal(end.code, code, `${words.join(" ")}: ${end.stdout}${end.stderr}`);
  match(end.stderr, new RegExp(`error\\[${name}\\]: `));
  match(end.stderr, /^ *remedy: \S/m);
  equal(end.stdout, "");
  return end.stderr;
}

async function fill(node: NodeProcess): Promise<string> {
  using kv = await openKv(node.url);
  let last = "";
  for (let i = 0; i < RECORDS; i += 1) {
    const { versionstamp } = await kv.set(["item", i], { i, canary: "before" });
    last = versionstamp;
  }
  return last;
}

/** All records are there, and a new one comes after `last`. */
async function holdsAll(node: NodeProcess, last: string): Promise<string> {
  using kv = await openKv(node.url);
  const entries = await Array.fromAsync(
    kv.list<{ i: number; canary: string }>({ prefix: ["item"] }),
  );
  equal(entries.length, RECORDS);
  deepEqual(entries[7]?.value, { i: 7, canary: "before" });
  ok(entries.every(({ versionstamp }) => versionstamp <= last));
  const { versionstamp } = await kv.set(["after"], "restore");
  ok(versionstamp > last, `${versionstamp} comes after ${last}`);
  equal((await kv.get(["after"])).versionstamp, versionstamp);
  return versionstamp;
}

interface Status {
  readonly cluster: string;
  readonly clusterId: string;
  readonly members: readonly { readonly name: string }[];
}

async function statusOf(node: NodeProcess): Promise<Status> {
  const words = ["status", "--admin", node.bound.admin, "--json"];
  return JSON.parse(await succeeds(...words)) as Status;
}

Deno.test("a cluster is founded from a backup and goes on above it", async () => {
  await using place = await Place.open();
  const file = place.path("prod.sealkv");
  let last = "";
  let old: Status;
  {
    await using node = await NodeProcess.start({
      args: ["--node", "n1", "--cluster-name", "prod"],
    });
    last = await fill(node);
    old = await statusOf(node);
    const admin = ["--admin", node.bound.admin];
    const made = await succeeds("backup", "create", "--out", file, ...admin);
    match(made, /^all of it was read back$/m);
    equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const create = ["backup", "create", ...admin, "--out"];
    await refused(EXIT.blocked, "APP_BACKUP_EXISTS", ...create, file);
    const nowhere = place.path("absent/b");
    await refused(EXIT.disk, "IO_NOT_FOUND", ...create, nowhere);
    await refused(
      ...[EXIT.config, "ADMIN_TOKEN_REJECTED", ...create, place.path("c")],
      ...["--admin-token-file", await tokenFile(place)],
    );
    deepEqual(await namesIn(place), ["prod.sealkv", "token"]);
    equal(await node.stop(), 0, node.output);
  }
  const facts = JSON.parse(await succeeds("backup", "verify", file, "--json"));
  equal(facts.clusterId, old.clusterId);
  ok(facts.records >= RECORDS);
  const dataDir = place.path("data");
  const restore = ["backup", "restore", file, "--data-dir", dataDir];
  const words = [...restore, "--node", "m1"];
  const said = JSON.parse(await succeeds(...words, "--json"));
  notEqual(said.clusterId, old.clusterId);
  await refused(EXIT.blocked, "APP_RESTORE_TARGET_IN_USE", ...words);
  await using node = await NodeProcess.start({
    dataDir,
    args: ["--node", "m1"],
  });
  const { cluster, clusterId, members } = await statusOf(node);
  deepEqual([cluster, clusterId], ["prod", said.clusterId]);
  deepEqual(members.map(({ name }) => name), ["m1"]);
  const versionstamp = await holdsAll(node, last);
  ok(BigInt(`0x${versionstamp.slice(0, 16)}`) > BigInt(said.firstIndex));
  equal(await node.stop(), 0, node.output);
});

Deno.test("what cannot be restored is refused, and nothing is left of it", async () => {
  await using place = await Place.open();
  await using keks = await KekFiles.open();
  const { path: kek } = await keks.make("kek");
  const file = place.path("plain.sealkv");
  {
    await using node = await NodeProcess.start();
    await fill(node);
    const admin = ["--admin", node.bound.admin];
    await succeeds("backup", "create", "--out", file, ...admin);
    equal(await node.stop(), 0, node.output);
  }
  const bytes = await Deno.readFile(file);
  bytes[bytes.length - 10]! ^= 1;
  const damaged = place.path("damaged");
  await Deno.writeFile(damaged, bytes);
  const cut = place.path("cut");
  await Deno.writeFile(cut, bytes.subarray(0, 300));
  const verify = ["backup", "verify"];
  const named = await refused(
    EXIT.disk,
    ...["APP_BACKUP_DAMAGED", ...verify, damaged] as const,
  );
  match(named, /at offset \d+/);
  await refused(EXIT.disk, "APP_BACKUP_DAMAGED", ...verify, cut);
  await refused(EXIT.disk, "APP_BACKUP_DAMAGED", ...verify, kek);
  await refused(EXIT.disk, "IO_NOT_FOUND", ...verify, place.path("none"));
  const to = ["--node", "m1", "--data-dir", place.path("data")];
  const restore = (path: string) => ["backup", "restore", path, ...to];
  await refused(EXIT.disk, "APP_BACKUP_DAMAGED", ...restore(damaged));
  const withKek = [...restore(file), "--kek", `file:${kek}`];
  await refused(EXIT.blocked, "APP_BACKUP_CLEARTEXT", ...withKek);
  await refused(
    ...[EXIT.usage, "CLI_USAGE", "backup", "restore", file] as const,
    ...["--data-dir", place.path("data")],
  );
  deepEqual(await namesIn(place), ["cut", "damaged", "plain.sealkv"]);
  await succeeds(...withKek, "--accept-cleartext-backup");
});

Deno.test("a restored cluster with keys has new ones under the same KEK", async () => {
  await using place = await Place.open();
  await using keks = await KekFiles.open();
  const kek = await keks.make("kek");
  const other = await keks.make("other");
  const keyArgs = ["--encryption-enabled", "--kek", `file:${kek.path}`];
  const file = place.path("keys.sealkv");
  let last = "";
  {
    await using node = await NodeProcess.start({ args: keyArgs });
    last = await fill(node);
    const admin = ["--admin", node.bound.admin];
    await succeeds("encryption", "bootstrap", ...admin);
    await succeeds("backup", "create", "--out", file, ...admin);
    equal(await node.stop(), 0, node.output);
  }
  const facts = JSON.parse(await succeeds("backup", "verify", file, "--json"));
  deepEqual(facts.keys.map((key: { keks: string[] }) => key.keks), [
    [kek.id],
    [kek.id],
    [kek.id],
  ]);
  const dataDir = place.path("data");
  const restore = ["backup", "restore", file, "--node", "m1"];
  const accept = ["--data-dir", dataDir, "--accept-cleartext-backup"];
  const words = [...restore, ...accept];
  await refused(EXIT.blocked, "APP_BACKUP_KEYS_MISSING", ...words);
  const keys = ["--kek", `file:${other.path}`, "--kek", `file:${kek.path}`];
  const said = JSON.parse(await succeeds(...words, ...keys, "--json"));
  const ids = facts.keys.map(({ id }: { readonly id: number }) => id);
  ok(Object.values<number>(said.keys).every((id) => !ids.includes(id)));
  // Under every KEK that was given: the old one is not needed any more.
  await using node = await NodeProcess.start({
    dataDir,
    args: [
      ...["--node", "m1", "--encryption-enabled"],
      ...["--kek", `file:${other.path}`],
    ],
  });
  await holdsAll(node, last);
  equal(await node.stop(), 0, node.output);
});

Deno.test("others join a cluster that was restored", async () => {
  await using place = await Place.open();
  const file = place.path("plain.sealkv");
  let last = "";
  {
    await using node = await NodeProcess.start();
    last = await fill(node);
    const admin = ["--admin", node.bound.admin];
    await succeeds("backup", "create", "--out", file, ...admin);
    equal(await node.stop(), 0, node.output);
  }
  const dataDir = place.path("data");
  const words = ["--data-dir", dataDir, "--node", "m1"];
  await succeeds("backup", "restore", file, ...words);
  const env = { SEALKV_PEER_TOKEN: "peer-token-of-the-test" };
  await using node = await NodeProcess.start({
    ...{ dataDir, env, args: ["--node", "m1"] },
  });
  await holdsAll(node, last);
  const { admin } = node.bound;
  const hostname = loopbackAddress();
  const peer = ["--peer", `${hostname}:4513`];
  await succeeds(
    ...["member", "add", "m2", ...peer, "--admin", admin, "--no-wait"],
  );
  const join = ["--node", "m2", "--join", admin];
  await using other = await NodeProcess.start({ hostname, env, args: join });
  using kv = await openKv(other.url);
  const entries = await Array.fromAsync(kv.list({ prefix: ["item"] }));
  equal(entries.length, RECORDS);
  equal((await kv.get(["after"])).value, "restore");
  equal(await other.stop(), 0, other.output);
});

async function tokenFile(place: Place): Promise<string> {
  const path = place.path("token");
  await Deno.writeTextFile(path, "another-admin-token", { mode: 0o600 });
  return path;
}

async function namesIn(place: Place): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(place.dir));
  return entries.map(({ name }) => name).sort();
}
