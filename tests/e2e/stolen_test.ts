/*
 * Goal: who takes a disk of a cluster in phase 2, any or all of them, or a
 * backup, and has no KEK, has nothing; who changes a byte of a record, the
 * sidecar, the log or a backup is found out by name, and the others make the
 * member anew, whoever leads.
 * Method: real nodes that are stopped, copies of their data dirs, and a KEK
 * that is another one; bytes flipped in what the nodes left.
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type CliEnd, runSealkv } from "./cli_process.ts";
import {
  type ClusterProcess,
  HAS_CLUSTERS,
  PEER_TOKEN,
  withCluster,
} from "./cluster_process.ts";
import { flip, offsetOf, segmentsOf } from "./damage.ts";
import { assertReport } from "./encrypted_cluster.ts";
import { PATIENT } from "./encryption_trial.ts";
import { ENCRYPTION_ON, kekArgs, type KekFile, KekFiles } from "./kek_files.ts";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";
import {
  CLUSTER_NAME,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  NAMED,
  REWRITE,
  Rollout,
  SCRUB,
  SEAL_CLEARTEXT,
} from "./rollout.ts";
import { Canaries, type Canary } from "./search_files.ts";
import { contentOf, copyDir } from "./stopped_node.ts";
import { flipRecord } from "./stored_record.ts";
import { until } from "./until.ts";

const EXIT = { blocked: 3, disk: 74, config: 78 };
const RECORDS = 40;
const TOLD_MS_MAX = 30_000;
const STORE = /\/store[^/]*\.sqlite(?:-wal|-shm)?$/;
/** The last byte of what is sealed: behind it lies the tag alone. */
const SEALED_FROM_END = 17;

/** A cluster in phase 2, and whoever wants what it keeps. */
class Theft {
  readonly rollout: Rollout;
  readonly canaries = new Canaries();
  readonly kek: KekFile;
  /** Of somebody else. */
  readonly other: KekFile;
  /** Copies of data dirs, and a backup. */
  readonly loot: string;
  readonly #keys: Canary[] = [];
  readonly #values: Canary[] = [];

  constructor(rollout: Rollout, keks: readonly KekFile[], loot: string) {
    this.rollout = rollout;
    [this.kek, this.other] = keks as [KekFile, KekFile];
    this.loot = loot;
  }

  get cluster(): ClusterProcess {
    return this.rollout.cluster;
  }

  get backup(): string {
    return `${this.loot}/backup`;
  }

  keyOf(i: number): string {
    return this.#keys[i]!.text;
  }

  async write(): Promise<void> {
    using kv = await openKv(this.cluster.url("n1"));
    for (let i = 0; i < RECORDS; i += 1) {
      this.#keys[i] ??= this.canaries.draw("k", 2);
      this.#values[i] = this.canaries.draw("v", 2);
      await kv.set([this.keyOf(i)], this.#values[i]!.text);
    }
  }

  /** As that member itself has it. */
  async read(name: string, i: number): Promise<unknown> {
    using kv = await openKv(this.cluster.url(name));
    const options = { consistency: "eventual" } as const;
    return (await kv.get([this.keyOf(i)], options)).value;
  }

  async holds(name: string, i: number): Promise<void> {
    equal(await this.read(name, i), this.#values[i]!.text, name);
  }

  /** No value is in the loot, and keys are in stores alone. */
  async showsNoValue(): Promise<void> {
    const keys = this.#keys.flatMap(({ halves }) => halves);
    const found = await this.canaries.search([this.loot]);
    const others = found.filter(({ text, path }) =>
      !keys.includes(text) || !STORE.test(path)
    );
    deepEqual(others, []);
  }
}

/** Phase 2, with everything of before removed, then written again. */
async function rollOut(theft: Theft): Promise<void> {
  const { rollout } = theft;
  await theft.write();
  const steps = [ENABLE_STORAGE, REWRITE, SEAL_CLEARTEXT, ENABLE_RAFT, SCRUB];
  for (const step of steps) await rollout.take(step);
  await theft.write();
  const out = ["backup", "create", "--out", theft.backup];
  const { code, stderr } = await rollout.encrypted.run(...out);
  equal(code, 0, stderr);
  await rollout.cluster.settled();
}

/** Starts a node on a copy of a data dir; how it refuses. */
async function refusesToServe(
  { loot, cluster }: Theft,
  name: string,
  { args, code }: { readonly args: readonly string[]; readonly code: string },
): Promise<void> {
  const dataDir = `${loot}/${name}`;
  const before = await contentOf(dataDir);
  await using node = await NodeProcess.launch({
    dataDir,
    // The addresses are free: the cluster does not run.
    hostname: cluster.place(name).hostname,
    args: ["--node", name, "--initial-cluster", cluster.founders, ...args],
    env: { SEALKV_PEER_TOKEN: PEER_TOKEN },
  });
  equal(await node.exited(), EXIT.config, node.output);
  assertReport(node.stderr, code);
  ok(!/^ready /m.test(node.output));
  deepEqual(await contentOf(dataDir), before, "nothing has changed");
}

/** The thief tries each way there is, with all data dirs at once. */
async function tryAll(theft: Theft, names: readonly string[]): Promise<void> {
  const { other } = theft;
  const foreign = kekArgs(other);
  for (
    const way of [
      { args: [], code: "NODE_SIDECAR_WITHOUT_FLAG" },
      { args: [ENCRYPTION_ON], code: "NODE_KEK_REQUIRED" },
      { args: foreign, code: "KEYS_KEK_MISMATCH" },
    ]
  ) await Promise.all(names.map((name) => refusesToServe(theft, name, way)));
  await Promise.all(names.map((name) => tryWithoutSidecar(theft, name)));
}

/** The thief removes the file that tells of the keys. */
async function tryWithoutSidecar(theft: Theft, name: string): Promise<void> {
  const { other, loot } = theft;
  const sidecar = `${loot}/${name}/encryption/keys.json`;
  const aside = `${loot}/sidecar-of-${name}`;
  await Deno.rename(sidecar, aside);
  const code = "NODE_SIDECAR_MISSING";
  for (const args of [[], kekArgs(other)]) {
    await refusesToServe(theft, name, { args, code });
  }
  const end = await runSealkv([
    ...["encryption", "resync-sidecar", "--data-dir", `${loot}/${name}`],
    ...["--kek", `file:${other.path}`],
  ]);
  refused(end, EXIT.config, /^KEYS_KEK_MISMATCH$/);
  await Deno.rename(aside, sidecar);
}

/** Refused by a code like this, with a remedy and nothing on standard output. */
function refused(
  { code, stdout, stderr }: CliEnd,
  exit: number,
  name: RegExp,
): void {
  equal(code, exit, `exit ${code}: ${stdout}${stderr}`);
  equal(stdout, "");
  const [, said = ""] = /^error\[([A-Z_]+)\]: /m.exec(stderr) ?? [];
  match(said, name, stderr);
  assertReport(stderr, said);
}

/** Without the KEK, with another one, and with a byte changed. */
async function tryBackup({ backup, kek, other, loot }: Theft): Promise<void> {
  const missing = /^APP_BACKUP_KEYS_MISSING$/;
  const verify = ["backup", "verify", backup];
  const foreign = ["--kek", `file:${other.path}`];
  const restore = [
    ...["backup", "restore", backup, "--data-dir", `${loot}/restored`],
    ...["--node", "m1"],
  ];
  const all = [verify, restore]
    .flatMap((words) => [words, [...words, ...foreign]]);
  await Promise.all(all.map(async (words) => {
    refused(await runSealkv(words), EXIT.blocked, missing);
  }));

  const own = ["--kek", `file:${kek.path}`];
  const { code, stderr } = await runSealkv([...verify, ...own]);
  equal(code, 0, stderr);
  const { size } = await Deno.stat(backup);
  for (const part of [0, 0.01, 0.3, 0.7, 1]) {
    const offset = Math.min(Math.floor(part * size), size - 1);
    await flip(backup, offset);
    await Promise.all([verify, restore].map(async (words) => {
      const end = await runSealkv([...words, ...own]);
      refused(end, EXIT.disk, /^APP_BACKUP_DAMAGED$/);
      match(end.stderr, /offset \d+/);
    }));
    await flip(backup, offset);
  }
  const whole = await runSealkv([...restore, ...own]);
  equal(whole.code, 0, whole.stderr);
}

/** The file of the store in use. */
async function storeOf(dataDir: string): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(dataDir)))
    .map(({ name }) => name).filter((name) => /^store.*\.sqlite$/.test(name));
  equal(names.length, 1, `${names}`);
  return `${dataDir}/${names[0]}`;
}

/** The record is named and not served; others are, and other members do. */
async function servesNoChanged(theft: Theft, name: string): Promise<void> {
  const { cluster, rollout } = theft;
  const { dataDir } = cluster.place(name);
  equal(await cluster.stop(name), 0);
  const key = theft.keyOf(7);
  flipRecord(await storeOf(dataDir), key, SEALED_FROM_END);
  await cluster.start(name);
  await cluster.agreed();
  await rejects(theft.read(name, 7), (error: Error) => {
    match(error.message, /STORE_RECORD_INTEGRITY|tag-mismatch|sealed/);
    ok(!error.message.includes(key), "it shows no key");
    return true;
  });
  await theft.holds(name, 8);
  const sound = cluster.names.find((other) => other !== name)!;
  await theft.holds(sound, 7);
  const metrics = await rollout.encrypted.metrics(name);
  const series = 'sealkv_encryption_open_failures_total{reason="tag-mismatch"}';
  ok((metrics.get(series) ?? 0) > 0, [...metrics.keys()].join("\n"));
}

/**
 * A leader with a damaged record makes no checkpoint of it: whoever is made
 * anew waits, and has its vote once another one leads, as the remedy says. Then
 * the member that led is made anew too.
 */
async function damagedLeads(
  theft: Theft,
  name: string,
  joiner: string,
): Promise<void> {
  const { cluster, rollout } = theft;
  await rollout.encrypted.lead(name);
  equal(await cluster.stop(joiner), 0);
  await rollout.beginRebuild(joiner);
  await until("the leader tells why", TOLD_MS_MAX, () => {
    return cluster.node(name).output.split("\n").some((line) =>
      line.includes('"event":"checkpoint_failed"') &&
      line.includes("STORE_RECORD_INTEGRITY")
    );
  });
  const heir = cluster.names.find((one) => one !== name && one !== joiner)!;
  const words = ["member", "transfer-leader", heir];
  const { code, stderr } = await rollout.encrypted.run(...words);
  equal(code, 0, stderr);
  await rollout.hasVote(joiner);
  equal(await cluster.stop(name), 0);
  await rollout.rebuild(name);
  for (const made of [joiner, name]) await theft.holds(made, 7);
}

/** The member is harmed, refuses to start by name, and is made anew. */
async function refusesAfter(
  { cluster, rollout }: Theft,
  name: string,
  { harm, exit, code }: {
    readonly harm: (dataDir: string) => Promise<void>;
    readonly exit: number;
    readonly code: RegExp;
  },
): Promise<void> {
  equal(await cluster.stop(name), 0);
  await harm(cluster.place(name).dataDir);
  await cluster.launch(name);
  const end = await cluster.ended(name);
  equal(end.code, exit, end.stderr);
  const [, said = ""] = /^error\[([A-Z_]+)\]: /m.exec(end.stderr) ?? [];
  match(said, code, end.stderr);
  assertReport(end.stderr, said);
  await rollout.rebuild(name);
}

async function flipSidecar(dataDir: string): Promise<void> {
  const path = `${dataDir}/encryption/keys.json`;
  const offset = await offsetOf(path, '"local_epoch": ');
  ok(offset > 0, "there is an epoch");
  await flip(path, offset + '"local_epoch": '.length);
}

/** A byte in the middle of what the log's last segment has. */
async function flipLog(dataDir: string): Promise<void> {
  const segment = (await segmentsOf(dataDir)).at(-1)!;
  const bytes = await Deno.readFile(segment);
  const end = bytes.findLastIndex((byte) => byte !== 0);
  await flip(segment, Math.floor(end / 2));
}

Deno.test({
  name: "what is stolen does not open, and what is changed is found out",
  ignore: !HAS_CLUSTERS,
  async fn(t) {
    await using files = await KekFiles.open();
    const keks = [await files.make("kek"), await files.make("other")];
    const place = () => ({ args: kekArgs(keks[0]!) });
    const loot = `${files.dir}/loot`;
    await Deno.mkdir(loot);
    const args = [...PATIENT, ...NAMED];
    await withCluster({ args, place }, async (cluster) => {
      const theft = new Theft(new Rollout(cluster), keks, loot);
      // Each goes on where the one before it ended.
      const step = async (name: string, fn: () => Promise<void>) =>
        ok(await t.step(name, fn), name);
      await rollOut(theft);
      for (const name of cluster.names) {
        equal(await cluster.stop(name), 0);
        await copyDir(cluster.place(name).dataDir, `${loot}/${name}`);
      }
      await step("data dirs", () => tryAll(theft, cluster.names));
      await step("no value shows", () => theft.showsNoValue());
      await step("a backup", () => tryBackup(theft));
      await step(
        "no value shows in what is restored",
        () => theft.showsNoValue(),
      );

      await cluster.startAll();
      await cluster.agreed();
      await step("a byte of a record", () => servesNoChanged(theft, "n2"));
      await step(
        "the damaged member leads",
        () => damagedLeads(theft, "n2", "n3"),
      );
      await step("a byte of the sidecar", () =>
        refusesAfter(theft, "n3", {
          harm: flipSidecar,
          exit: EXIT.config,
          code: /^KEYS_SIDECAR_(?:TAMPERED|MALFORMED)$/,
        }));
      await step("a byte of the log", () =>
        refusesAfter(theft, "n1", {
          harm: flipLog,
          exit: EXIT.disk,
          code: /^WAL_DAMAGED$/,
        }));
      for (const name of cluster.names) {
        for (let i = 0; i < RECORDS; i += 1) await theft.holds(name, i);
      }
      equal((await cluster.status("n1"))?.cluster, CLUSTER_NAME);
      await theft.rollout.isOver();
    });
  },
});
