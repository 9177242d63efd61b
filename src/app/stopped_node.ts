import { denoClock } from "../io/deno/clock.ts";
import { openDenoDisk } from "../io/deno/disk.ts";
import { denoFiles } from "../io/deno/files.ts";
import { denoHttpClient } from "../io/deno/http.ts";
import { openDenoKv } from "../io/deno/kv.ts";
import { denoProcess } from "../io/deno/process.ts";
import { denoRandom } from "../io/deno/random.ts";
import type { NodeConfig } from "./config.ts";
import { type DoctorReport, runDoctor } from "./doctor.ts";
import { keySettings } from "./key_settings.ts";
import {
  type DataDirRebuild,
  openRebuild,
  type RebuildPlace,
} from "./rebuild.ts";
import {
  type ResyncOptions,
  type ResyncOutcome,
  resyncSidecar,
} from "./resync_sidecar.ts";

/** A stopped node, and how it would be started. */
export interface StoppedNode
  extends Pick<NodeConfig, "dataDir" | "encryptionEnabled" | "keks"> {
  /** `null`: whoever the data dir is of. */
  readonly node: string | null;
}

/** `openRebuild` on the real disk. @throws {NodeError} As it does. */
export async function openDiskRebuild(
  place: RebuildPlace,
): Promise<DataDirRebuild> {
  const disk = openDenoDisk();
  const close = () => disk.close();
  return await openRebuild({ disk, clock: denoClock(), close }, place);
}

/** `runDoctor` on the real disk. @throws {NodeError} As it does. */
export async function runDiskDoctor(node: StoppedNode): Promise<DoctorReport> {
  return await onDisk(node, runDoctor);
}

/** `resyncSidecar` on the real disk. @throws {NodeError} As it does. */
export async function resyncDiskSidecar(
  node: StoppedNode,
  fetchState: ResyncOptions["fetchState"],
): Promise<ResyncOutcome> {
  return await onDisk(
    node,
    (ports, options) => resyncSidecar(ports, { ...options, fetchState }),
  );
}

async function onDisk<Result>(
  node: StoppedNode,
  run: (
    ports: ReturnType<typeof diskPorts>["ports"],
    options: {
      readonly dataDir: string;
      readonly node: string | null;
      readonly keys: ReturnType<typeof keySettings>;
    },
  ) => Promise<Result>,
): Promise<Result> {
  const { ports, close } = diskPorts();
  try {
    const keys = keySettings(node, ports);
    return await run(ports, { dataDir: node.dataDir, node: node.node, keys });
  } finally {
    await close();
  }
}

function diskPorts() {
  const disk = openDenoDisk();
  const http = denoHttpClient({});
  const ports = {
    disk,
    http,
    openKv: openDenoKv,
    files: denoFiles(),
    process: denoProcess(),
    random: denoRandom(),
    clock: denoClock(),
  };
  return {
    ports,
    close: async () => {
      http.close();
      await disk.close();
    },
  };
}
