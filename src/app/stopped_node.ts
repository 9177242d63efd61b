import { denoClock } from "../io/deno/clock.ts";
import { openDenoDisk } from "../io/deno/disk.ts";
import type { NodeConfig } from "./config.ts";
import { type DiskPorts, onDiskPorts } from "./disk_ports.ts";
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
    ports: DiskPorts,
    options: {
      readonly dataDir: string;
      readonly node: string | null;
      readonly keys: ReturnType<typeof keySettings>;
    },
  ) => Promise<Result>,
): Promise<Result> {
  return await onDiskPorts(async (ports) => {
    const keys = keySettings(node, ports);
    return await run(ports, { dataDir: node.dataDir, node: node.node, keys });
  });
}
