import type { Disk } from "../../io/disk.ts";
import type { Kv } from "../../io/kv.ts";
import type { SidecarFound } from "../../keys/sidecar.ts";
import { readSidecar } from "../../keys/sidecar_file.ts";
import { peekStore, type StorePeek } from "../../store/peek.ts";
import { type DataDirPaths, dataDirPaths } from "../data_dir.ts";
import { readIdentity } from "../identity.ts";
import { type LogHead, readLogHead } from "../log_head.ts";
import { findStore } from "../store_place.ts";
import { readNewestCheckpoint } from "./checkpoint_facts.ts";
import type { CheckpointFacts, Reading, StoreFacts } from "./facts.ts";
import { attempt } from "./reading.ts";

/** What a data dir is read with. */
export interface PartPorts {
  readonly disk: Disk;
  readonly openKv: (path: string) => Promise<Kv>;
}

/** What lies in a data dir, as it is. */
export interface Parts {
  readonly identity: Reading<string | null>;
  readonly log: Reading<LogHead | null>;
  readonly sidecar: Reading<SidecarFound | null>;
  readonly store: Reading<StorePeek | null>;
  readonly checkpoint: Reading<CheckpointFacts | null>;
}

/** Reads the parts of a data dir that is held; changes none of them. */
export async function readParts(
  { disk, openKv }: PartPorts,
  dataDir: string,
): Promise<Parts> {
  const paths = dataDirPaths(dataDir);
  return {
    identity: await attempt(async () => {
      const identity = await readIdentity(disk, paths.identity);
      return identity?.name ?? null;
    }),
    log: await attempt(() => readLogHead(disk, dataDir)),
    sidecar: await attempt(() => readSidecar(disk, paths.encryption)),
    store: await attempt(() => readStore(disk, paths, openKv)),
    checkpoint: await attempt(() =>
      readNewestCheckpoint(disk, paths.checkpoints)
    ),
  };
}

/** Opening makes a store that is not there. */
async function readStore(
  disk: Disk,
  paths: DataDirPaths,
  openKv: PartPorts["openKv"],
): Promise<StorePeek | null> {
  const { path } = await findStore(disk, paths);
  return await disk.exists(path) ? await peekStore(openKv(path)) : null;
}

/** What guards ask of a store. */
export function storeFacts(
  { state, sessionEpochs }: StorePeek,
): StoreFacts {
  const { applied, fsm } = state;
  return {
    appliedIndex: applied.index,
    clusterId: fsm.clusterId,
    encryption: fsm.encryption,
    members: [...fsm.members.values()].map(({ name }) => name),
    sessionEpochs,
  };
}
