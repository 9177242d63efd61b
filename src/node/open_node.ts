import { present } from "../base/assert.ts";
import type { Clock } from "../io/clock.ts";
import type { Disk } from "../io/disk.ts";
import type { Kv } from "../io/kv.ts";
import type { EventLog } from "../io/log.ts";
import type { KeyCustody } from "../keys/port.ts";
import type { Random } from "../io/random.ts";
import { type SessionRows, Sessions } from "../keys/sessions.ts";
import { Core } from "../raft/core.ts";
import { raftOptions } from "../raft/options.ts";
import type { RaftId } from "../raft/types.ts";
import { BufferedStore } from "../store/buffered_store.ts";
import type { RecordKeys } from "../store/record_keys.ts";
import type { Transport, TransportHost } from "../transport/port.ts";
import { Wal } from "../wal/wal.ts";
import {
  begin,
  type Beginning,
  type BeginOptions,
  FOUNDING_TERM,
} from "./begin.ts";
import { Checkpoints } from "./checkpoints.ts";
import { type DataDirPaths, dataDirPaths, lockDataDir } from "./data_dir.ts";
import { NodeRecordKeys } from "./encryption/record_keys.ts";
import { type KeySettings, NO_KEYS } from "./guards/open_keys.ts";
import { type GuardedStart, guardStart } from "./guards/start.ts";
import { Node } from "./node.ts";
import type { NodeOptions } from "./node_options.ts";
import { openLog } from "./open_log.ts";
import { openStorePlace } from "./store_place.ts";

/** The world as a node needs it. */
export interface NodePorts {
  readonly disk: Disk;
  /** Opens the backing store in a file of its own. */
  readonly openKv: (path: string) => Promise<Kv>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
  /** What this node is told about encryption; it takes no part unless given. */
  readonly keys?: KeySettings;
  /** Judges a data dir and opens its keys; `openGuarded` unless given. */
  readonly openKeys?: (start: GuardedStart) => Promise<OpenedKeys>;
  /** Opens the links to other members; a node without them is alone. */
  readonly openTransport?: (host: TransportHost) => Promise<Transport>;
}

export interface OpenNodeOptions
  extends NodeOptions, Partial<Omit<BeginOptions, "name">> {
  readonly dataDir: string;
  /** Length of a log segment, where 64 MiB is too much. */
  readonly segmentBytes?: number;
  /** Of checkpoints to other members; no bound unless given. */
  readonly checkpointBytesPerSecond?: number;
}

/** Keys of a start, their epochs yet to be raised. */
export interface OpenedKeys {
  readonly custody: KeyCustody;
  /** Makes the sessions of this process, on the rows of its store. */
  readonly openSessions: ((rows: SessionRows) => Sessions) | null;
}

interface Opened {
  readonly store: BufferedStore;
  readonly wal: Wal;
}

/**
 * Opens a data dir, or founds one, and returns its node, not yet started.
 *
 * Guards judge the data dir first: a refused start has changed nothing. Then
 * the epochs of this process begin, before anything can be sealed.
 *
 * @throws {DataDirLockedError} When another process holds it.
 * @throws {NodeError} What log and store refuse; all is closed then.
 */
export async function openNode(
  ports: NodePorts,
  options: OpenNodeOptions,
): Promise<Node> {
  const paths = dataDirPaths(options.dataDir);
  const lock = await lockDataDir(ports.disk, paths);
  const opened: { close(): Promise<unknown> }[] = [
    { close: () => lock.release() },
  ];
  try {
    const { custody, openSessions } = await openKeys(ports, options);
    const place = await openStorePlace(ports.disk, paths);
    const { store, sessions, recordKeys } = await openStore(ports, {
      ...{ path: place.path, custody, openSessions },
    });
    opened.unshift(store);
    const beginning = await beginNode(ports, options, { paths, store });
    const wal = await openNodeLog(ports, options, {
      paths,
      store,
      beginning,
      installedIndex: place.installedIndex ?? 0,
    });
    opened.unshift(wal);
    // The backing store's files are new names in it.
    await ports.disk.syncDir(paths.root);
    await beginEpochs(custody, ports.log);
    const { identity, beginnings } = beginning;
    const core = newCore(ports, options, identity.id, { wal, store });
    const { checkpointBytesPerSecond: rate } = options;
    const checkpoints = await Checkpoints.open({
      ...ports,
      ...{ store, place, identity, custody, recordKeys },
      dir: paths.checkpoints,
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    });
    opened.unshift({ close: () => checkpoints.stop() });
    const parts = {
      ...ports,
      ...{ core, wal, store, lock, identity, custody, checkpoints, sessions },
      place,
    };
    const node = new Node(parts, options, {
      ...beginnings,
      clusterId: wal.clusterId,
    });
    if (ports.openTransport !== undefined) {
      await node.connect(ports.openTransport, options.peerAddress || null);
    }
    return node;
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

/** Guards judge the data dir; its epochs are yet to be raised. */
function openKeys(
  ports: NodePorts,
  { dataDir, name: node, initialCluster }: OpenNodeOptions,
): Promise<OpenedKeys> {
  const founders = initialCluster?.map(({ name }) => name) ?? [];
  const start = { dataDir, node, founders, keys: ports.keys ?? NO_KEYS };
  return ports.openKeys?.(start) ?? openGuarded(ports, start);
}

async function openGuarded(
  ports: NodePorts,
  start: GuardedStart,
): Promise<OpenedKeys> {
  const custody = await guardStart(ports, start);
  const { random } = ports;
  return {
    custody,
    openSessions: (rows) => new Sessions({ custody, rows, random }),
  };
}

/** From here on this process may seal. */
async function beginEpochs(custody: KeyCustody, log: EventLog): Promise<void> {
  await custody.raiseEpochs();
  const keys = custody.epochs().size;
  if (keys === 0 && !custody.isEnabled) return;
  log.write("info", "encryption_keys_opened", {
    keys,
    keks: custody.kekIds.join(),
    stateIndex: custody.sidecarIndex,
  });
}

/** A node that never seals has no sessions and no keys of records. */
async function openStore(
  { openKv, log, clock }: NodePorts,
  { path, custody, openSessions }: OpenedKeys & { readonly path: string },
): Promise<{
  readonly store: BufferedStore;
  readonly sessions: Sessions | null;
  readonly recordKeys: RecordKeys | null;
}> {
  const opened: { store?: BufferedStore } = {};
  const sessions = openSessions?.({
    insert: (row) => present(opened.store, "a store").insertSession(row),
  }) ?? null;
  const recordKeys = sessions === null
    ? null
    : new NodeRecordKeys({ custody, sessions });
  const store = await BufferedStore.open({
    ...{ kv: openKv(path), log, clock },
    ...(recordKeys === null ? {} : { keys: recordKeys }),
  });
  opened.store = store;
  return { store, sessions, recordKeys };
}

async function beginNode(
  { disk, random }: NodePorts,
  options: OpenNodeOptions,
  { paths, store }: {
    readonly paths: DataDirPaths;
    readonly store: BufferedStore;
  },
): Promise<Beginning> {
  const { voters, votersOutgoing, learners, learnersNext } =
    store.state.confState;
  return await begin({ disk, random }, paths.identity, {
    name: options.name,
    initialCluster: options.initialCluster ?? null,
    join: options.join ?? null,
    peerAddress: options.peerAddress ?? "",
    hasLog: await Wal.exists({ disk, dir: paths.wal }),
    storedMembers: [...voters, ...votersOutgoing, ...learners, ...learnersNext],
  });
}

interface LogPlace {
  readonly paths: DataDirPaths;
  readonly store: BufferedStore;
  readonly beginning: Beginning;
  readonly installedIndex: number;
}

async function openNodeLog(
  ports: NodePorts,
  options: OpenNodeOptions,
  { paths, store, beginning, installedIndex }: LogPlace,
): Promise<Wal> {
  const { disk, random, log, clock } = ports;
  const { name: nodeName, segmentBytes } = options;
  const { founding, beginnings } = beginning;
  const wal = await openLog({
    ...{ disk, random, log, clock, nodeName, dir: paths.wal, founding },
    installedIndex,
    applied: store.state.applied.index,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  }, store);
  // A node that joins says from the start of which cluster it is.
  if (wal.clusterId === null && beginnings.clusterId !== null) {
    await wal.setClusterId(beginnings.clusterId);
  }
  return wal;
}

function newCore(
  { random }: NodePorts,
  { heartbeatMs, electionMs }: OpenNodeOptions,
  id: RaftId,
  { wal, store }: Opened,
): Core {
  const electionTicks = Math.ceil(electionMs / heartbeatMs);
  // Only who took part before may have promised anything to a leader.
  const { term } = wal.storage.initialState().hardState;
  return new Core(raftOptions({
    id,
    storage: wal.storage,
    randomTicks: (count) => random.below(count),
    applied: store.state.applied.index,
    confState: store.state.confState,
    electionTicks,
    quietTicks: term > FOUNDING_TERM ? electionTicks : 0,
    tailSuspect: wal.tailSuspect ?? 0,
  }));
}
