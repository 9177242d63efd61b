import type { Bytes } from "../../base/bytes.ts";
import type {
  DirectoryEntry,
  Disk,
  DiskFile,
  DiskLock,
  OpenMode,
} from "../disk.ts";
import type { DiskAction } from "../errors.ts";
import { diskFailure } from "./disk_failure.ts";
import { FileLocks } from "./disk_lock.ts";
import { SyncThread } from "./sync_thread.ts";

/** A disk that owns a thread: `close` it, or the process does not end. */
export interface DenoDisk extends Disk {
  close(): Promise<void>;
}

/** The file system of this machine. */
export function openDenoDisk(): DenoDisk {
  const thread = new SyncThread();
  const locks = new FileLocks();
  return {
    open: (path, mode) => openFile(thread, path, mode),
    list: (path) => attempt("list", path, () => listed(path)),
    makeDir: (path) =>
      attempt(
        "make",
        path,
        () => Deno.mkdir(path, { recursive: true, mode: 0o700 }),
      ),
    rename: (from, to) => attempt("rename", from, () => Deno.rename(from, to)),
    remove: (path) => attempt("remove", path, () => removed(path)),
    exists: (path) => attempt("stat", path, () => present(path)),
    syncDir: (path) => attempt("sync", path, () => dirSynced(path)),
    lock: (path): Promise<DiskLock | null> =>
      attempt("lock", path, () => locks.lock(path)),
    close: () => locks.close().finally(() => thread.quit()),
  };
}

async function openFile(
  thread: SyncThread,
  path: string,
  mode: OpenMode,
): Promise<DiskFile> {
  const creates = mode === "create";
  const file = await attempt(
    creates ? "create" : "open",
    path,
    () =>
      Deno.open(path, {
        read: true,
        write: mode !== "reading",
        ...(creates ? { createNew: true, mode: 0o600 } : {}),
      }),
  );
  return new DenoDiskFile(thread, path, file);
}

async function listed(path: string): Promise<readonly DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    entries.push({ name, isDirectory });
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function removed(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function present(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function dirSynced(path: string): Promise<void> {
  // Windows has no handle on a directory to sync; its names are journaled.
  if (Deno.build.os === "windows") return;
  const dir = await Deno.open(path);
  try {
    await dir.sync();
  } finally {
    dir.close();
  }
}

/**
 * One file. Reads and plain writes run on the runtime's pool, one at a time
 * because they share the file's cursor; `writeAndSync` runs on the thread,
 * under a descriptor of its own that it opens by path at the first call, so a
 * file is closed before it is renamed.
 */
class DenoDiskFile implements DiskFile {
  readonly path: string;
  readonly #thread: SyncThread;
  readonly #file: Deno.FsFile;
  #last: Promise<unknown> = Promise.resolve();
  #handle: Promise<number> | null = null;

  constructor(thread: SyncThread, path: string, file: Deno.FsFile) {
    this.path = path;
    this.#thread = thread;
    this.#file = file;
  }

  size(): Promise<number> {
    return this.#inOrder("stat", async () => (await this.#file.stat()).size);
  }

  readAt(offset: number, length: number): Promise<Bytes> {
    return this.#inOrder("read", async () => {
      const bytes = new Uint8Array(length);
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      let done = 0;
      while (done < length) {
        const read = await this.#file.read(bytes.subarray(done));
        if (read === null) break;
        done += read;
      }
      return done === length ? bytes : bytes.slice(0, done);
    });
  }

  writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#inOrder("write", async () => {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) {
        done += await this.#file.write(bytes.subarray(done));
      }
    });
  }

  async writeAndSync(offset: number, bytes: Uint8Array): Promise<void> {
    this.#handle ??= this.#thread.open(this.path);
    const handle = await this.#handle;
    await this.#thread.writeAndSync(handle, offset, bytes, this.path);
  }

  sync(): Promise<void> {
    return this.#inOrder("sync", () => this.#file.sync());
  }

  truncate(length: number): Promise<void> {
    return this.#inOrder("truncate", () => this.#file.truncate(length));
  }

  async close(): Promise<void> {
    await this.#last;
    this.#file.close();
    if (this.#handle === null) return;
    const handle = await this.#handle.catch(() => null);
    if (handle !== null) await this.#thread.close(handle, this.path);
  }

  #inOrder<T>(action: DiskAction, task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => attempt(action, this.path, task));
    this.#last = result.catch(() => {});
    return result;
  }
}

async function attempt<T>(
  action: DiskAction,
  path: string,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw diskFailure(error, action, path);
  }
}
