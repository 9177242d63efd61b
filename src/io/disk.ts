import type { Bytes } from "../base/bytes.ts";

/**
 * Files and directories as the log and the data dir need them.
 *
 * Nothing is durable before its sync: bytes by `DiskFile.sync`, names (create,
 * rename, remove) by `syncDir` of their directory. A failed sync may have lost
 * pages for good: callers stop and never retry (raft.md §4.2).
 */
export interface Disk {
  /** Opens for reading and, unless told, for writing. @throws {DiskError} */
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** Names in `path`, sorted. @throws {DiskError} When it is no directory. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** Creates `path` and its parents, 0700; succeeds when it is there. */
  makeDir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes one file or empty directory; succeeds when it is not there. */
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes creations, renames and removals in `path` durable. */
  syncDir(path: string): Promise<void>;
  /** Holds `path` exclusively until closed; `null` when another holds it. */
  lock(path: string): Promise<DiskLock | null>;
}

/**
 * `create` makes a new file (0600) and refuses one that exists; `reading` is for
 * files that may not be ours to change.
 */
export type OpenMode = "create" | "existing" | "reading";

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** An open file. Offsets and lengths in bytes. */
export interface DiskFile {
  readonly path: string;
  size(): Promise<number>;
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  readAt(offset: number, length: number): Promise<Bytes>;
  /** Writes all of `bytes`; do not change them until it resolves. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Writes and makes durable in one call: the log's hot path. */
  writeAndSync(offset: number, bytes: Uint8Array): Promise<void>;
  /** Makes earlier writes durable. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface DiskLock {
  release(): Promise<void>;
}
