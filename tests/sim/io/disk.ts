import type { Bytes } from "../../../src/base/bytes.ts";
import type {
  DirectoryEntry,
  Disk,
  DiskFile,
  DiskLock,
  OpenMode,
} from "../../../src/io/disk.ts";
import {
  type DiskAction,
  DiskExistsError,
  DiskFailedError,
  DiskNoSpaceError,
  DiskNotFoundError,
} from "../../../src/io/errors.ts";

/** What a device writes as a whole or not at all. */
const SECTOR_BYTES = 512;
/** A torn sector keeps a prefix of whole words of what was written. */
const WORD_BYTES = 8;

/**
 * What a crash keeps of what was not synced: sectors in the order they were
 * written, names in the order they changed. `mixed` draws one per file.
 */
export const CRASH_KINDS = [
  "none",
  "all",
  "prefix",
  "torn",
  "reordered",
  "mixed",
] as const;
export type CrashKind = (typeof CRASH_KINDS)[number];

/** Thrown by every operation of a crashed machine. */
export class SimCrash extends Error {
  override readonly name = "SimCrash";
}

interface Inode {
  /** What a crash cannot take. */
  durable: Bytes;
  /** What reads see. */
  cached: Bytes;
  /** Sectors that differ since the last sync, in the order of writing. */
  readonly dirty: Set<number>;
}

type Names = Map<string, Inode | "directory">;
type NameChange = (names: Names) => void;

export interface SimDiskOptions {
  readonly seed: number;
  /** Files together may not grow beyond this. */
  readonly capacityBytes?: number;
}

/**
 * A disk in memory that loses what was not synced.
 *
 * Every operation that changes something counts; `crashAt` names the one that
 * the machine dies in. A write dies with its bytes in the cache, anything else
 * before its effect. After `restart` the handles of before are dead.
 */
export class SimDisk implements Disk {
  /** Operations that change something, since the start. */
  operations = 0;
  /** The machine dies in this operation. */
  crashAt = Infinity;
  /** This sync, counted from 1, fails and loses its pages. */
  failSyncAt = Infinity;
  syncs = 0;
  /** Awaited before a sync takes effect. */
  beforeSync: (() => Promise<void>) | null = null;
  /** May change what a read returns. */
  damageRead: ((path: string, offset: number, bytes: Bytes) => void) | null =
    null;
  /** One line per counted operation. */
  readonly trace: string[] = [];
  capacityBytes: number;

  #random: () => number;
  #life = 0;
  #crashed = false;
  #names: Names = new Map();
  #durableNames: Names = new Map();
  readonly #pending = new Map<string, NameChange[]>();
  readonly #locks = new Set<string>();

  constructor(options: SimDiskOptions) {
    this.#random = mulberry32(options.seed);
    this.capacityBytes = options.capacityBytes ?? Infinity;
  }

  get life(): number {
    return this.#life;
  }

  /** A disk with the same durable content, no faults and a seed of its own. */
  clone(seed: number): SimDisk {
    const copy = new SimDisk({ seed });
    for (const [path, node] of this.#durableNames) {
      const fresh = node === "directory" ? node : {
        durable: node.durable.slice(),
        cached: node.durable.slice(),
        dirty: new Set<number>(),
      };
      copy.#names.set(path, fresh);
      copy.#durableNames.set(path, fresh);
    }
    return copy;
  }

  /** The power comes back after a crash that kept what `kind` says. */
  restart(kind: CrashKind): void {
    for (const [dir, changes] of this.#pending) {
      const kept = this.#keptNames(kind, changes.length);
      for (const change of changes.slice(0, kept)) change(this.#durableNames);
      this.#pending.set(dir, []);
    }
    dropOrphans(this.#durableNames);
    const inodes = new Set([...this.#names, ...this.#durableNames].map(
      ([_, node]) => node,
    ));
    for (const node of inodes) {
      if (node !== "directory") this.#crashInode(node, kind);
    }
    this.#names = new Map(this.#durableNames);
    this.#locks.clear();
    this.#life += 1;
    this.#crashed = false;
    this.crashAt = Infinity;
    this.failSyncAt = Infinity;
  }

  /** Durable bytes of `path`, not a copy; `null` when it is no file. */
  durableBytes(path: string): Bytes | null {
    const node = this.#durableNames.get(path);
    return node === undefined || node === "directory" ? null : node.durable;
  }

  /** Paths of the files whose names are durable, sorted. */
  durablePaths(): string[] {
    const paths = [...this.#durableNames];
    return paths.filter(([_, node]) => node !== "directory")
      .map(([path]) => path).sort();
  }

  /** All that is there, synced or not; some bytes twice. */
  *everything(): Iterable<readonly [path: string, bytes: Bytes]> {
    for (const names of [this.#names, this.#durableNames]) {
      for (const [path, node] of names) {
        if (node === "directory") continue;
        yield [path, node.cached];
        yield [path, node.durable];
      }
    }
  }

  /** Damages one bit that was durable. */
  flipBit(path: string, bit: number): void {
    const node = this.#names.get(path);
    if (node === undefined || node === "directory") throw new Error(path);
    const [at, mask] = [bit >> 3, 1 << (bit & 7)];
    node.durable[at] = (node.durable[at] ?? 0) ^ mask;
    node.cached[at] = (node.cached[at] ?? 0) ^ mask;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    await this.#turn();
    const found = this.#names.get(path);
    if (mode !== "create") {
      if (found === undefined) throw new DiskNotFoundError("open", path);
      if (found === "directory") throw new DiskFailedError("open", path);
      return new SimFile(this, path, found);
    }
    if (found !== undefined) throw new DiskExistsError("create", path);
    this.#mustBeDirectory("create", parentOf(path));
    this.count(`create ${path}`);
    const fresh: Inode = {
      durable: new Uint8Array(0),
      cached: new Uint8Array(0),
      dirty: new Set(),
    };
    this.#change(parentOf(path), (names) => void names.set(path, fresh));
    return new SimFile(this, path, fresh);
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    await this.#turn();
    this.#mustBeDirectory("list", path);
    const entries: DirectoryEntry[] = [];
    for (const [child, node] of this.#names) {
      if (parentOf(child) !== path) continue;
      const name = child.slice(child.lastIndexOf("/") + 1);
      entries.push({ name, isDirectory: node === "directory" });
    }
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async makeDir(path: string): Promise<void> {
    await this.#turn();
    const parents = path.split("/").map((_, i, parts) =>
      parts.slice(0, i + 1).join("/")
    );
    for (const dir of parents) {
      if (isRoot(dir) || this.#names.get(dir) === "directory") continue;
      if (this.#names.has(dir)) throw new DiskExistsError("make", dir);
      this.count(`makeDir ${dir}`);
      this.#change(parentOf(dir), (names) => void names.set(dir, "directory"));
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn();
    const node = this.#names.get(from);
    if (node === undefined) throw new DiskNotFoundError("rename", from);
    if (parentOf(from) !== parentOf(to)) throw new Error("across directories");
    const below = [...this.#pending].some(([dir, changes]) =>
      changes.length > 0 && `${dir}/`.startsWith(`${from}/`)
    );
    if (below) throw new Error("not modelled: names below are not synced");
    this.count(`rename ${from} ${to}`);
    this.#change(parentOf(from), (names) => {
      names.delete(from);
      names.set(to, node);
      // What is in a directory goes along.
      for (const [path, child] of [...names]) {
        if (!path.startsWith(`${from}/`)) continue;
        names.delete(path);
        names.set(to + path.slice(from.length), child);
      }
    });
  }

  async remove(path: string): Promise<void> {
    await this.#turn();
    if (!this.#names.has(path)) return;
    for (const child of this.#names.keys()) {
      if (parentOf(child) === path) throw new DiskFailedError("remove", path);
    }
    this.count(`remove ${path}`);
    this.#change(parentOf(path), (names) => void names.delete(path));
  }

  async exists(path: string): Promise<boolean> {
    await this.#turn();
    return isRoot(path) || this.#names.has(path);
  }

  async syncDir(path: string): Promise<void> {
    await this.#turn();
    this.#mustBeDirectory("sync", path);
    this.count(`syncDir ${path}`);
    for (const change of this.#pending.get(path) ?? []) {
      change(this.#durableNames);
    }
    this.#pending.set(path, []);
  }

  async lock(path: string): Promise<DiskLock | null> {
    await this.#turn();
    this.#mustBeDirectory("lock", parentOf(path));
    if (this.#locks.has(path)) return null;
    this.#locks.add(path);
    const life = this.#life;
    return {
      release: () => {
        if (life === this.#life) this.#locks.delete(path);
        return Promise.resolve();
      },
    };
  }

  /** Counts one operation. @throws {SimCrash} When it is the last one. */
  count(what: string): void {
    this.#mustRun();
    this.operations += 1;
    this.trace.push(what);
    if (this.operations < this.crashAt) return;
    this.#crashed = true;
    throw new SimCrash(`Crashed in operation ${this.operations}: ${what}`);
  }

  /** @throws {SimCrash} When the machine, or the life of a handle, is over. */
  async turnOf(life: number, path: string): Promise<void> {
    await this.#turn();
    if (life !== this.#life) throw new SimCrash(`"${path}" is of a past life`);
  }

  /** @throws {DiskNoSpaceError} When `growth` more bytes do not fit. */
  mustFit(path: string, growth: number): void {
    let used = growth;
    for (const node of new Set(this.#names.values())) {
      if (node !== "directory") used += node.cached.length;
    }
    if (used > this.capacityBytes) throw new DiskNoSpaceError("write", path);
  }

  async #turn(): Promise<void> {
    await null;
    this.#mustRun();
  }

  #mustRun(): void {
    if (this.#crashed) throw new SimCrash("The machine is down");
  }

  #mustBeDirectory(action: DiskAction, path: string): void {
    if (isRoot(path) || this.#names.get(path) === "directory") return;
    throw new DiskNotFoundError(action, path);
  }

  #change(dir: string, change: NameChange): void {
    change(this.#names);
    const changes = this.#pending.get(dir) ?? [];
    this.#pending.set(dir, [...changes, change]);
  }

  #keptNames(kind: CrashKind, count: number): number {
    if (kind === "none") return 0;
    return kind === "all" ? count : this.#below(count + 1);
  }

  #crashInode(inode: Inode, given: CrashKind): void {
    const kinds = CRASH_KINDS.filter((kind) => kind !== "mixed");
    const kind = given === "mixed"
      ? kinds[this.#below(kinds.length)] as CrashKind
      : given;
    const dirty = [...inode.dirty];
    const keepsLength = kind === "all" ||
      kind !== "none" && this.#below(2) === 1;
    const length = keepsLength ? inode.cached.length : inode.durable.length;
    const after = new Uint8Array(length);
    after.set(inode.durable.subarray(0, length));
    const kept = kind === "all"
      ? dirty.length
      : kind === "none"
      ? 0
      : this.#below(dirty.length + 1);
    for (const [i, sector] of dirty.entries()) {
      const keeps = kind === "reordered" ? this.#below(2) === 1 : i < kept;
      if (keeps) copySector(inode.cached, after, sector, SECTOR_BYTES);
      else if (kind === "torn" && i === kept) {
        const words = this.#below(SECTOR_BYTES / WORD_BYTES);
        copySector(inode.cached, after, sector, words * WORD_BYTES);
      }
    }
    inode.durable = after;
    inode.cached = after.slice();
    inode.dirty.clear();
  }

  #below(until: number): number {
    return Math.floor(this.#random() * until);
  }
}

class SimFile implements DiskFile {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #life: number;
  readonly #inode: Inode;
  #closed = false;

  constructor(disk: SimDisk, path: string, inode: Inode) {
    this.path = path;
    this.#disk = disk;
    this.#life = disk.life;
    this.#inode = inode;
  }

  async size(): Promise<number> {
    await this.#turn();
    return this.#inode.cached.length;
  }

  async readAt(offset: number, length: number): Promise<Bytes> {
    await this.#turn();
    const bytes = this.#inode.cached.slice(offset, offset + length);
    this.#disk.damageRead?.(this.path, offset, bytes);
    return bytes;
  }

  async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#turn();
    this.#write(offset, bytes);
  }

  async writeAndSync(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#turn();
    this.#write(offset, bytes);
    await this.#turn();
    await this.#syncNow();
  }

  async sync(): Promise<void> {
    await this.#turn();
    await this.#syncNow();
  }

  async truncate(length: number): Promise<void> {
    await this.#turn();
    this.#disk.count(`truncate ${this.path} ${length}`);
    const inode = this.#inode;
    this.#disk.mustFit(this.path, length - inode.cached.length);
    const cut = new Uint8Array(length);
    cut.set(inode.cached.subarray(0, length));
    const least = Math.min(length, inode.cached.length);
    markDirty(inode, least, Math.max(length, inode.cached.length));
    inode.cached = cut;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #write(offset: number, bytes: Uint8Array): void {
    const inode = this.#inode;
    const end = offset + bytes.length;
    const growth = Math.max(0, end - inode.cached.length);
    this.#disk.mustFit(this.path, growth);
    if (growth > 0) {
      const grown = new Uint8Array(end);
      grown.set(inode.cached);
      inode.cached = grown;
    }
    inode.cached.set(bytes, offset);
    markDirty(inode, offset, end);
    this.#disk.count(`write ${this.path} ${offset}+${bytes.length}`);
  }

  async #syncNow(): Promise<void> {
    const disk = this.#disk;
    await disk.beforeSync?.();
    disk.count(`sync ${this.path}`);
    disk.syncs += 1;
    const inode = this.#inode;
    if (disk.syncs === disk.failSyncAt) {
      // The kernel calls the pages clean: a second sync would succeed.
      inode.dirty.clear();
      throw new DiskFailedError("sync", this.path);
    }
    const isAsLong = inode.durable.length === inode.cached.length;
    const durable = isAsLong
      ? inode.durable
      : new Uint8Array(inode.cached.length);
    if (!isAsLong) durable.set(inode.durable.subarray(0, durable.length));
    for (const sector of inode.dirty) {
      copySector(inode.cached, durable, sector, SECTOR_BYTES);
    }
    inode.durable = durable;
    inode.dirty.clear();
  }

  async #turn(): Promise<void> {
    await this.#disk.turnOf(this.#life, this.path);
    if (this.#closed) throw new Error(`"${this.path}" is closed`);
  }
}

function markDirty(inode: Inode, from: number, until: number): void {
  const last = Math.ceil(until / SECTOR_BYTES);
  for (let at = Math.floor(from / SECTOR_BYTES); at < last; at += 1) {
    inode.dirty.add(at);
  }
}

function copySector(
  from: Uint8Array,
  into: Uint8Array,
  sector: number,
  length: number,
): void {
  const start = sector * SECTOR_BYTES;
  const end = Math.min(start + length, from.length, into.length);
  if (end > start) into.set(from.subarray(start, end), start);
}

function dropOrphans(names: Names): void {
  for (const path of [...names.keys()].sort()) {
    const parent = parentOf(path);
    if (!isRoot(parent) && names.get(parent) !== "directory") {
      names.delete(path);
    }
  }
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  if (end === -1) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}

function isRoot(path: string): boolean {
  return path === "" || path === "." || path === "/";
}

/** Uniform numbers of [0, 1) from a 32-bit seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}
