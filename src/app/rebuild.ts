import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { DirectoryEntry, Disk, DiskLock } from "../io/disk.ts";
import { isNodeName } from "../base/identity.ts";
import { dataDirPaths, lockDataDir, OLD_SUFFIX } from "../node/data_dir.ts";
import { readLogHead } from "../node/log_head.ts";
import { AUDIT_LOG_NAME } from "./audit_log.ts";
import { RebuildConflictError } from "./errors.ts";
import { oldSuffix } from "./old_suffix.ts";
import { removeTree } from "./remove_tree.ts";

const RECORD_NAME = "rebuild.json";
const DRAFT_NAME = `${RECORD_NAME}.draft`;
const RECORD_BYTES_MAX = 4_096;
const LOCK_NAME = "LOCK";

/**
 * What a rebuild must still know when it is run again: the cluster forgets a
 * member's address with the member.
 */
export interface RebuildRecord {
  readonly node: string;
  /** HOST:PORT that other members dial. */
  readonly peerAddress: string;
  /** It was a voter and becomes one again. */
  readonly promote: boolean;
}

/** The data dir of a stopped node, held while it is rebuilt. */
export interface DataDirRebuild {
  /** Of a rebuild that was cut short; `null`: none was begun. */
  readonly record: RebuildRecord | null;
  /** What there is to be moved or deleted. */
  readonly names: readonly string[];
  /** What `moveAside` appends to their names. */
  readonly oldSuffix: string;
  /** Remembers `record` across a crash; the first one stays. */
  begin(record: RebuildRecord): Promise<void>;
  /** Renames the old contents. Goes on where it was cut short. */
  moveAside(): Promise<void>;
  /** Removes the old contents, and what an earlier run moved aside. */
  deleteOld(): Promise<void>;
  /** Forgets the record: the data dir is empty for a new member. */
  finish(): Promise<void>;
  /** Lets go of the data dir. */
  close(): Promise<void>;
}

export interface RebuildPlace {
  readonly dataDir: string;
  /** Name of the member. */
  readonly node: string;
}

export interface RebuildPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Lets go of what the ports hold, at the end. */
  close(): Promise<void>;
}

interface KeptRecord extends RebuildRecord {
  readonly oldSuffix: string;
}

/**
 * Holds the data dir of `node`, made when absent.
 *
 * @throws {DataDirLockedError} When a node runs on it.
 * @throws {RebuildConflictError} When it is another node's.
 * @throws {DiskError}
 */
export async function openRebuild(
  ports: RebuildPorts,
  { dataDir, node }: RebuildPlace,
): Promise<DataDirRebuild> {
  const { disk, clock } = ports;
  let lock: DiskLock | null = null;
  const close = async () => {
    await lock?.release();
    await ports.close();
  };
  try {
    lock = await lockDataDir(disk, dataDirPaths(dataDir));
    const kept = await readRecord(disk, dataDir);
    const head = await readLogHead(disk, dataDir);
    const owner = kept?.node ?? head?.node ?? null;
    if (owner !== null && owner !== node) {
      throw new RebuildConflictError(dataDir, node, owner);
    }
    const names = await oldNames(disk, dataDir);
    const suffix = kept?.oldSuffix ?? oldSuffix(clock.wallMs());
    return new HeldDataDir({
      ...{ disk, dataDir, kept, names, close },
      oldSuffix: suffix,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

interface HeldParts {
  readonly disk: Disk;
  readonly dataDir: string;
  readonly kept: KeptRecord | null;
  readonly names: readonly string[];
  readonly oldSuffix: string;
  readonly close: () => Promise<void>;
}

class HeldDataDir implements DataDirRebuild {
  readonly #parts: HeldParts;
  readonly record: RebuildRecord | null;
  readonly names: readonly string[];
  readonly oldSuffix: string;

  constructor(parts: HeldParts) {
    this.#parts = parts;
    this.record = parts.kept;
    this.names = parts.names;
    this.oldSuffix = parts.oldSuffix;
  }

  async begin(record: RebuildRecord): Promise<void> {
    const { disk, dataDir, oldSuffix } = this.#parts;
    if (this.record !== null) return;
    const text = JSON.stringify({ ...record, oldSuffix });
    const draft = `${dataDir}/${DRAFT_NAME}`;
    await disk.remove(draft);
    const file = await disk.open(draft, "create");
    try {
      await file.writeAt(0, utf8(`${text}\n`));
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(draft, `${dataDir}/${RECORD_NAME}`);
    await disk.syncDir(dataDir);
  }

  async moveAside(): Promise<void> {
    const { disk, dataDir, oldSuffix } = this.#parts;
    for (const name of this.names) {
      const path = `${dataDir}/${name}`;
      let free = `${path}${oldSuffix}`;
      // A node that was started amid the rebuild made the name again.
      for (let turn = 2; await disk.exists(free); turn += 1) {
        free = `${path}.${turn}${oldSuffix}`;
      }
      await disk.rename(path, free);
      // One by one: the log is gone before the store is.
      await disk.syncDir(dataDir);
    }
  }

  async deleteOld(): Promise<void> {
    const { disk, dataDir, oldSuffix } = this.#parts;
    const isOfThis = ({ name }: DirectoryEntry) =>
      this.names.includes(name) || name.endsWith(oldSuffix);
    const entries = (await disk.list(dataDir)).filter(isOfThis);
    for (const entry of entries) {
      await removeTree(disk, entry, dataDir);
      await disk.syncDir(dataDir);
    }
  }

  async finish(): Promise<void> {
    const { disk, dataDir } = this.#parts;
    await disk.remove(`${dataDir}/${DRAFT_NAME}`);
    await disk.remove(`${dataDir}/${RECORD_NAME}`);
    await disk.syncDir(dataDir);
  }

  async close(): Promise<void> {
    await this.#parts.close();
  }
}

/**
 * What belongs to the old member, the log first: a node that starts amid a
 * rebuild finds a store without a log, and refuses. What operators did stays.
 */
async function oldNames(
  disk: Disk,
  dataDir: string,
): Promise<readonly string[]> {
  const isKept = (name: string) =>
    name === LOCK_NAME || name === RECORD_NAME || name === DRAFT_NAME ||
    name === AUDIT_LOG_NAME || OLD_SUFFIX.test(name);
  const names = (await disk.list(dataDir)).map(({ name }) => name)
    .filter((name) => !isKept(name));
  const log = dataDirPaths(dataDir).wal.slice(dataDir.length + 1);
  return [
    ...names.filter((name) => name === log),
    ...names.filter((name) => name !== log),
  ];
}

async function readRecord(
  disk: Disk,
  dataDir: string,
): Promise<KeptRecord | null> {
  const path = `${dataDir}/${RECORD_NAME}`;
  if (!await disk.exists(path)) return null;
  const file = await disk.open(path, "existing");
  try {
    return parseRecord(await file.readAt(0, RECORD_BYTES_MAX));
  } finally {
    await file.close();
  }
}

/** `null` for what no rebuild wrote: it is then made again. */
function parseRecord(bytes: Bytes): KeptRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const { node, peerAddress, promote, oldSuffix } = parsed as Record<
    string,
    unknown
  >;
  const isWhole = typeof node === "string" && isNodeName(node) &&
    typeof peerAddress === "string" && typeof promote === "boolean" &&
    typeof oldSuffix === "string" && OLD_SUFFIX.test(oldSuffix);
  return isWhole ? { node, peerAddress, promote, oldSuffix } : null;
}
