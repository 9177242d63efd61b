import { equal } from "node:assert/strict";
import { ClusterProcess, HAS_CLUSTERS } from "../../e2e/cluster_process.ts";
import { VERY_PATIENT } from "../../e2e/encryption_trial.ts";
import { kekArgs, type KekFile, KekFiles } from "../../e2e/kek_files.ts";
import { ADMIN_TOKEN } from "../../e2e/node_process.ts";
import { NAMED, Rollout } from "../../e2e/rollout.ts";
import { openKv } from "../../e2e/open_kv.ts";
import { fillableDisk, HAS_MOUNTS } from "../../e2e/small_disk.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";
import { HAS_TMUX } from "./tmux.ts";

/** Of memory, as much as is written; three members take about 300. */
const DISK_MIB = 2_048;
const RECORDS = 200;
const READS = 400;

/** Whether clusters and terminals can be had here. */
export const CAN_WATCH = HAS_CLUSTERS && HAS_TMUX;

/** Three members, and as many people at terminals as there need to be. */
export interface Watched {
  readonly cluster: ClusterProcess;
  readonly rollout: Rollout;
  readonly kek: KekFile;
  /** A terminal whose `sealkv` finds the cluster. */
  open(options?: TerminalOptions): Promise<Terminal>;
}

export interface WatchedOptions {
  /** Members that start with the KEK; all when left out. */
  readonly withKek?: readonly string[];
}

/** Runs `task`; a failure comes with the members' logs. "n1" leads at first. */
export async function withWatchedCluster(
  { withKek }: WatchedOptions,
  task: (watched: Watched) => Promise<void>,
): Promise<void> {
  await using files = await KekFiles.open();
  const kek = await files.make("kek");
  await using disk = await roomyDisk();
  await using cluster = await ClusterProcess.start({
    args: [...VERY_PATIENT, ...NAMED],
    place: (index) => ({
      hostname: evenAddress(),
      dataDir: `${disk.path}/n${index + 1}`,
      args: withKek?.includes(`n${index + 1}`) === false ? [] : kekArgs(kek),
    }),
  });
  const rollout = new Rollout(cluster);
  try {
    await rollout.encrypted.lead("n1");
    const admin = cluster.names.map((name) => cluster.admin(name)).join(",");
    const env = { SEALKV_ADMIN: admin, SEALKV_ADMIN_TOKEN: ADMIN_TOKEN };
    const open = (options: TerminalOptions = {}) =>
      Terminal.open({ ...options, env: { ...env, ...options.env } });
    await task({ cluster, rollout, kek, open });
  } catch (error) {
    throw cluster.explain(error);
  }
}

/**
 * Writes records of before, for a rewrite to have something to do. They come at
 * once, and many short requests after them: screens warn where more than one of
 * a hundred was slow, as writes are on a machine that has much to do.
 */
export async function fill(url: string): Promise<void> {
  using kv = await openKv(url);
  const value = "of before ".repeat(100);
  const write = kv.atomic();
  for (let at = 0; at < RECORDS; at += 1) write.set(["before", at], value);
  equal((await write.commit()).ok, true);
  for (let at = 0; at < READS; at += 1) await kv.get(["before", at % RECORDS]);
}

/** A disk with room, which this machine's may lack: screens warn of it. */
export async function roomyDisk(): Promise<Roomy> {
  if (HAS_MOUNTS) return await fillableDisk(DISK_MIB);
  const path = await Deno.makeTempDir({ prefix: "sealkv-disk-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

export interface Roomy extends AsyncDisposable {
  readonly path: string;
}

/** As wide as every other one, for columns to be where stored frames say. */
function evenAddress(): string {
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3))
    .map((byte) => 100 + byte % 154);
  return `127.${a}.${b}.${c}`;
}
