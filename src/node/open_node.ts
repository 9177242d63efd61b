import type { Clock } from "../io/clock.ts";
import type { Disk } from "../io/disk.ts";
import type { Kv } from "../io/kv.ts";
import type { EventLog } from "../io/log.ts";
import type { Random } from "../io/random.ts";
import { Core } from "../raft/core.ts";
import { raftOptions } from "../raft/options.ts";
import type { RaftId } from "../raft/types.ts";
import { BufferedStore } from "../store/buffered_store.ts";
import type { Wal } from "../wal/wal.ts";
import { type DataDirPaths, dataDirPaths, lockDataDir } from "./data_dir.ts";
import { Node, type NodeOptions } from "./node.ts";
import { openLog } from "./open_log.ts";

/** The world as a node needs it. */
export interface NodePorts {
  readonly disk: Disk;
  /** Opens the backing store in a file of its own. */
  readonly openKv: (path: string) => Promise<Kv>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLog;
}

export interface OpenNodeOptions extends NodeOptions {
  readonly dataDir: string;
  /** Lower bound; timeouts are drawn from [electionMs, 2 × electionMs). */
  readonly electionMs: number;
  /** Length of a log segment, where 64 MiB is too much. */
  readonly segmentBytes?: number;
}

/** Raft id of the only founding member. */
const FOUNDER: RaftId = 1;

/**
 * Opens a data dir, or founds one, and returns its node, not yet started.
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
    const store = await BufferedStore.open({
      kv: ports.openKv(paths.store),
      log: ports.log,
      clock: ports.clock,
    });
    opened.unshift(store);
    const wal = await openNodeLog(ports, { paths, options, store });
    opened.unshift(wal);
    // The backing store's files are new names in it.
    await ports.disk.syncDir(paths.root);
    const core = newCore(ports, options, { wal, store });
    return new Node({ ...ports, core, wal, store, lock }, options);
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

interface LogPlace {
  readonly paths: DataDirPaths;
  readonly options: OpenNodeOptions;
  readonly store: BufferedStore;
}

function openNodeLog(
  ports: NodePorts,
  { paths, options, store }: LogPlace,
): Promise<Wal> {
  const { disk, random, log, clock } = ports;
  const voters = [FOUNDER];
  const { name: nodeName, segmentBytes } = options;
  const dir = paths.wal;
  return openLog({
    ...{ disk, random, log, clock, nodeName, dir, voters },
    applied: store.state.applied.index,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  }, store);
}

function newCore(
  { random }: NodePorts,
  { heartbeatMs, electionMs }: OpenNodeOptions,
  { wal, store }: { readonly wal: Wal; readonly store: BufferedStore },
): Core {
  return new Core(raftOptions({
    id: FOUNDER,
    storage: wal.storage,
    randomTicks: (count) => random.below(count),
    applied: store.state.applied.index,
    confState: store.state.confState,
    electionTicks: Math.ceil(electionMs / heartbeatMs),
    forwardProposals: false,
  }));
}
