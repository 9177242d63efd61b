import { type AdminClient, makeAdminClient } from "../admin/client.ts";
import type {
  createDiskBackup,
  restoreDiskBackup,
  verifyDiskBackup,
} from "../app/backup/on_disk.ts";
import type { NodeConfig } from "../app/config.ts";
import type { DataDirRebuild, RebuildPlace } from "../app/rebuild.ts";
import type { RunningNode } from "../app/running_node.ts";
import type { resyncDiskSidecar, runDiskDoctor } from "../app/stopped_node.ts";
import type { Clock } from "../io/clock.ts";
import { denoActor } from "../io/deno/actor.ts";
import { denoClock } from "../io/deno/clock.ts";
import { denoFiles } from "../io/deno/files.ts";
import { denoHttpClient, type DenoHttpClientOptions } from "../io/deno/http.ts";
import { denoProcess } from "../io/deno/process.ts";
import { denoScreen } from "../io/deno/screen.ts";
import type { Files } from "../io/files.ts";
import type { HttpClientPort } from "../io/http.ts";
import type { ProcessPort } from "../io/process.ts";
import type { ScreenPort } from "../io/screen.ts";
import { denoTerminal, type Terminal } from "./terminal.ts";

/** Everything a command needs of the world; tests replace parts of it. */
export interface Services {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly files: Files;
  readonly process: ProcessPort;
  readonly screen: ScreenPort;
  /** A client with connections of its own, closed by whoever asked. */
  httpClient(options: DenoHttpClientOptions): HttpClientPort;
  adminClient: typeof makeAdminClient;
  /** Who types, as user@host; "" where nothing tells it. */
  actor(): string;
  startNode(config: NodeConfig): Promise<RunningNode>;
  /** Makes a KEK file and returns its id. */
  generateKek(path: string): Promise<{ readonly id: string }>;
  /** Id of the KEK in a file. */
  kekFileId(path: string): Promise<string>;
  /** Holds the data dir of a stopped node; `close` lets go of it. */
  openRebuild(place: RebuildPlace): Promise<DataDirRebuild>;
  /** Lets the startup guards speak about a stopped node. */
  runDoctor: typeof runDiskDoctor;
  /** Makes the sidecar of a stopped node anew. */
  resyncSidecar: typeof resyncDiskSidecar;
  /** Keeps a copy of the store that a member sends. */
  createBackup: typeof createDiskBackup;
  /** Reads all of a backup. */
  verifyBackup: typeof verifyDiskBackup;
  /** Founds a cluster with what is in a backup. */
  restoreBackup: typeof restoreDiskBackup;
  /** Opens a remote database with Deno's own client. */
  openKv(url: string, token: string): Promise<Deno.Kv>;
  /** Opens a file of data for reading. */
  openInput(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
}

export type { AdminClient };

export function denoServices(): Services {
  return {
    terminal: denoTerminal(),
    clock: denoClock(),
    files: denoFiles(),
    process: denoProcess(),
    screen: denoScreen(),
    httpClient: denoHttpClient,
    adminClient: makeAdminClient,
    actor: denoActor,
    openKv,
    openInput: async (path) => (await Deno.open(path)).readable,
    ...nodeServices(),
  };
}

/**
 * What a node is made of. It is most of the program, and loads with the first
 * use: commands that only ask a node start much sooner without it.
 */
function nodeServices() {
  const stopped = () => import("../app/stopped_node.ts");
  const backup = () => import("../app/backup/on_disk.ts");
  return {
    startNode: async (config) =>
      (await import("../app/start_node.ts")).startNode(config),
    generateKek: async (path) =>
      (await import("../app/generate_kek.ts")).generateKek(path),
    kekFileId: async (path) =>
      (await import("../app/kek_file_id.ts")).kekFileId(path),
    openRebuild: async (place) => (await stopped()).openDiskRebuild(place),
    runDoctor: async (node) => (await stopped()).runDiskDoctor(node),
    resyncSidecar: async (...args) =>
      (await stopped()).resyncDiskSidecar(...args),
    createBackup: async (...args) => (await backup()).createDiskBackup(...args),
    verifyBackup: async (...args) => (await backup()).verifyDiskBackup(...args),
    restoreBackup: async (...args) =>
      (await backup()).restoreDiskBackup(...args),
  } satisfies Partial<Services>;
}

/** Deno's client takes its token from the environment and nowhere else. */
async function openKv(url: string, token: string): Promise<Deno.Kv> {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", token);
  // Deno puts it in front of every path, this complete URL included.
  Deno.env.delete("DENO_KV_PATH_PREFIX");
  return await Deno.openKv(url);
}
