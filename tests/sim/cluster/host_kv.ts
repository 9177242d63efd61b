import type { Kv } from "../../../src/io/kv.ts";
import type { SimDisk } from "../io/disk.ts";
import { SimKv, SimKvDisk } from "../io/kv.ts";
import type { Device } from "./host_disk.ts";
import type { Life } from "./life.ts";

const READ_MS = 0.1;
const COMMIT_MS = 1.5;
const ID_BYTES = 8;

/**
 * The backing stores of one machine. Each is a file on its disk that names the
 * rows, so that renaming, removing and losing the file do what they would.
 */
export class KvFiles {
  readonly #disk: SimDisk;
  readonly #rows: SimKvDisk[] = [];

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  /** Opens the store at `path`, or makes it. */
  async open(path: string): Promise<SimKvDisk> {
    if (await this.#disk.exists(path)) {
      const file = await this.#disk.open(path, "existing");
      return this.#named(await file.readAt(0, ID_BYTES));
    }
    const file = await this.#disk.open(path, "create");
    const id = new Uint8Array(ID_BYTES);
    new DataView(id.buffer).setUint32(0, this.#rows.length + 1);
    const rows = new SimKvDisk();
    this.#rows.push(rows);
    await file.writeAndSync(0, id);
    return rows;
  }

  /** What the store at `path` holds durably; `null` without one. */
  peek(path: string): SimKvDisk | null {
    const id = this.#disk.durableBytes(path);
    return id === null ? null : this.#named(id);
  }

  /** What all stores that were ever made hold. */
  all(): readonly SimKvDisk[] {
    return this.#rows;
  }

  /** What the stores hold whose names are on the disk, synced or not. */
  *named(): Iterable<readonly [path: string, rows: SimKvDisk["rows"]]> {
    for (const [path, id] of this.#disk.everything()) {
      if (path.endsWith(".sqlite")) yield [path, this.#named(id).rows];
    }
  }

  /** The same rows in files of their own, named by `disk`. */
  copy(disk: SimDisk): KvFiles {
    const copy = new KvFiles(disk);
    copy.#rows.push(...this.#rows.map((rows) => rows.copy()));
    return copy;
  }

  #named(id: Uint8Array): SimKvDisk {
    if (id.length < ID_BYTES) return new SimKvDisk();
    const number = new DataView(id.buffer, id.byteOffset).getUint32(0);
    return this.#rows[number - 1] ?? new SimKvDisk();
  }
}

/** Opens backing stores for one life of the machine. */
export function hostOpenKv(
  life: Life,
  files: KvFiles,
  device: Device,
): (path: string) => Promise<Kv> {
  return async (path) => {
    const rows = await life.operate(
      device.latency(COMMIT_MS),
      () => files.open(path),
    );
    const kv = new SimKv({ disk: rows });
    return {
      get: (keys) => life.operate(device.latency(READ_MS), () => kv.get(keys)),
      list: (range) =>
        life.operate(device.latency(READ_MS), () => kv.list(range)),
      commit: (batch) =>
        life.operate(device.latency(COMMIT_MS), () => {
          for (const row of batch.sets) life.host.observer.wroteRow(path, row);
          if (device.failingCommits === 0) return kv.commit(batch);
          device.failingCommits -= 1;
          return Promise.reject(new Error("simulated write error"));
        }),
      close: () => kv.close(),
    };
  };
}
