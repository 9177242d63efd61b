import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../io/clock.ts";
import type { Disk } from "../../io/disk.ts";
import type { Kv } from "../../io/kv.ts";
import type { EventLog } from "../../io/log.ts";
import type { Random } from "../../io/random.ts";
import type { Custody } from "../../keys/custody.ts";
import { Sessions } from "../../keys/sessions.ts";
import {
  type DataDirPaths,
  dataDirPaths,
  lockDataDir,
} from "../../node/data_dir.ts";
import { NodeRecordKeys } from "../../node/encryption/record_keys.ts";
import { sharedKeysOf } from "../../node/encryption/own_rows.ts";
import { foundingDigest, foundingMembers } from "../../node/founding.ts";
import { drawIdentity, writeIdentity } from "../../node/identity.ts";
import { openStorePlace } from "../../node/store_place.ts";
import { type BuildOptions, buildStore } from "../../store/checkpoint/build.ts";
import type { CheckpointSource } from "../../store/checkpoint/source.ts";
import { encryptionRowBody } from "../../store/encryption_row.ts";
import type { CheckpointState } from "../../store/meta.ts";
import { Wal } from "../../wal/wal.ts";
import { removeTree } from "../remove_tree.ts";
import { RestoreTargetInUseError } from "./errors.ts";

export interface NewDataDirPorts {
  readonly disk: Disk;
  readonly openKv: (path: string) => Promise<Kv>;
  readonly random: Random;
  readonly clock: Clock;
}

export interface NewDataDirOptions {
  readonly dataDir: string;
  /** Name of its node, the only member. */
  readonly node: string;
  /** All that is to be in the store. */
  readonly source: CheckpointSource;
  /** Of the new keys, none absorbed yet; `null` without keys. */
  readonly custody: Custody | null;
}

/** @throws {RestoreTargetInUseError} Something is in it. @throws {DiskError} */
export async function mustBeEmpty(disk: Disk, dataDir: string): Promise<void> {
  if (!await disk.exists(dataDir)) return;
  const { root, lock } = dataDirPaths(dataDir);
  const found = (await disk.list(root))
    .find(({ name }) => `${root}/${name}` !== lock);
  if (found !== undefined) throw new RestoreTargetInUseError(root, found.name);
}

/**
 * Makes the data dir of a node that has applied `source` and nothing else.
 *
 * The pointer to its store comes last. Without it no start takes the data dir,
 * nor for an empty one: a store is there from the beginning. An error leaves
 * nothing behind.
 *
 * @throws {RestoreTargetInUseError}
 * @throws {DataDirLockedError}
 * @throws {NodeError} What the source, the disk and the keys throw.
 */
export async function makeDataDir(
  ports: NewDataDirPorts,
  options: NewDataDirOptions,
): Promise<void> {
  const { disk } = ports;
  const paths = dataDirPaths(options.dataDir);
  const lock = await lockDataDir(disk, paths);
  try {
    await mustBeEmpty(disk, paths.root);
    try {
      await fill(ports, paths, options);
    } catch (error) {
      // Why it failed matters more than why its rest stays.
      await removeAll(disk, paths).catch(() => {});
      throw error;
    }
  } finally {
    await lock.release();
  }
}

async function fill(
  ports: NewDataDirPorts,
  paths: DataDirPaths,
  { node, source, custody }: NewDataDirOptions,
): Promise<void> {
  const { disk, random, openKv } = ports;
  const { state } = source;
  const { index } = state.applied;
  const place = await openStorePlace(disk, paths);
  const path = await place.prepare(index);
  const kv = await openKv(path);
  try {
    await disk.syncDir(paths.root);
    const own = await ownRows(state, custody, random);
    await buildStore(kv, source, own);
  } finally {
    kv.close();
  }
  await makeLog(ports, { dir: paths.wal, node, state });
  const founders = foundingMembers([{ name: node, address: "" }]);
  const [own] = founders;
  const identity = drawIdentity(random, {
    name: node,
    id: present(own, "a founder").id,
    foundingDigest: foundingDigest(founders),
  });
  await writeIdentity(disk, paths.identity, identity);
  await place.switchTo(path, index);
}

/** Makes the keys this node's, durably, before anything is sealed. */
async function ownRows(
  { fsm }: CheckpointState,
  custody: Custody | null,
  random: Random,
): Promise<BuildOptions> {
  if (custody === null) return { encryptionMac: null, sessions: [] };
  const clusterId = present(fsm.clusterId, "a lineage's cluster id");
  await custody.raiseEpochs();
  await custody.absorb(clusterId, sharedKeysOf(fsm.encryption), () => 0);
  const row = encryptionRowBody(fsm.encryption);
  const encryptionMac = await custody.stateMac(clusterId, row);
  // A row goes to the store that is being built, before its session seals.
  const rows = { insert: () => Promise.resolve(true) };
  const sessions = new Sessions({ custody, rows, random });
  const keys = new NodeRecordKeys({ custody, sessions });
  return { encryptionMac, sessions: [], keys };
}

/** A log without entries that goes on after `state`. */
async function makeLog(
  { disk, random }: NewDataDirPorts,
  { dir, node, state }: {
    readonly dir: string;
    readonly node: string;
    readonly state: CheckpointState;
  },
): Promise<void> {
  const metadata = { ...state.applied, confState: state.confState };
  const options = { disk, random, dir, nodeName: node, log: NO_LOG };
  const wal = await Wal.create(options, { metadata });
  try {
    const clusterId: Bytes = present(state.fsm.clusterId, "a cluster id");
    await wal.setClusterId(clusterId);
  } finally {
    await wal.close();
  }
}

const NO_LOG: EventLog = { write: () => {} };

async function removeAll(disk: Disk, { root, lock }: DataDirPaths) {
  for (const entry of await disk.list(root)) {
    if (`${root}/${entry.name}` !== lock) await removeTree(disk, entry, root);
  }
  await disk.syncDir(root);
}
