/*
 * Goal: the backup of a cluster that seals its records is no use without the
 * KEK, whole with it, and founds a cluster that seals from its first byte on.
 * Method: real processes; the first one is restored from a backup made for the
 * test, so that it has come past the storage cutover.
 */
import { equal, match, ok } from "node:assert/strict";
import {
  BackupWorld,
  CANARY,
  RECORD_COUNT,
} from "../unit/app/backup/backup_world.ts";
import { kekBytes } from "../unit/keys/test_kek.ts";
import { runSealkv } from "./cli_process.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

async function succeeds(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSealkv(words);
  equal(code, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

Deno.test("the backup of a sealed cluster founds a sealed cluster", async () => {
  await using world = await BackupWorld.open();
  const kek = `${world.dir}/kek`;
  await Deno.writeFile(kek, kekBytes(1), { mode: 0o600 });
  const keks = ["--kek", `file:${kek}`];
  const first = `${world.dir}/first`;
  const made = await world.backup("storage");
  const restore = (file: string, dir: string, node: string) =>
    succeeds(
      ...["backup", "restore", file, "--data-dir", dir, "--node", node],
      ...keks,
    );
  match(await restore(made, first, "n1"), /^all records are sealed$/m);
  const file = `${world.dir}/sealed.sealkv`;
  const on = ["--encryption-enabled", ...keks];
  let last = "";
  {
    await using node = await NodeProcess.start({
      dataDir: first,
      args: ["--node", "n1", ...on],
    });
    using kv = await openKv(node.url);
    last = (await kv.set(["late"], `${CANARY} late`)).versionstamp;
    const admin = ["--admin", node.bound.admin];
    const said = await succeeds("backup", "create", "--out", file, ...admin);
    match(said, /^bytes {5}\d+, sealed$/m);
    match(said, /sealkv backup verify \S+ --kek URI$/m);
    equal(await node.stop(), 0, node.output);
  }
  ok(!await has(file, CANARY), "no value is in the backup as it was written");
  const closed = await runSealkv(["backup", "verify", file]);
  equal(closed.code, 3, closed.stdout);
  match(closed.stderr, /APP_BACKUP_KEYS_MISSING/);
  const facts = JSON.parse(
    await succeeds("backup", "verify", file, ...keks, "--json"),
  );
  equal(facts.records, RECORD_COUNT + 1);
  const second = `${world.dir}/second`;
  await restore(file, second, "m1");
  for (const path of await filesIn(second)) {
    ok(!await has(path, CANARY), `${path} has a value as it was written`);
  }
  await using node = await NodeProcess.start({
    dataDir: second,
    args: ["--node", "m1", ...on],
  });
  using kv = await openKv(node.url);
  equal((await kv.get(["late"])).value, `${CANARY} late`);
  const { versionstamp } = await kv.set(["later"], 1);
  ok(versionstamp > last);
  equal(await node.stop(), 0, node.output);
});

async function has(path: string, text: string): Promise<boolean> {
  const bytes = await Deno.readFile(path);
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

async function filesIn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) found.push(...await filesIn(path));
    else found.push(path);
  }
  return found;
}
