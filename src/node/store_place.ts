import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import { NodeError } from "../base/error.ts";
import type { Disk } from "../io/disk.ts";
import type { DataDirPaths } from "./data_dir.ts";

/** The pointer to the current store cannot be followed. */
export class StorePointerDamagedError extends NodeError {
  override readonly name = "StorePointerDamagedError";
  override readonly code = "NODE_STORE_POINTER_DAMAGED";
  override readonly remedy =
    "Put back the whole data directory from a copy, or have this member built anew by the others: `sealkv member rebuild NAME --data-dir D --admin ADDR`";

  constructor(readonly path: string, readonly fault: string) {
    super(
      `Cannot tell which store is current as "${path}" must name it: current value has "${fault}"`,
    );
  }
}

const POINTER = "store.pointer";
const TEMPORARY = ".tmp";
/**
 * A store that came from a checkpoint, or from the store before; the founding
 * one is "store.sqlite".
 */
const BUILT_NAME = /^store-\d+(-[bcd])?\.sqlite$/;
const ANY_STORE = /^store(-\d+(-[bcd])?)?\.sqlite(-wal|-shm|-journal)?$/;
/** What SQLite keeps beside a file. */
const SIDE_FILES = ["-wal", "-shm", "-journal"];

const MAGIC = utf8("SEALKVP1");
const NAME_AT = MAGIC.length + 8 + 1;
const CHECKSUM_BYTES = 4;
const POINTER_BYTES_MAX = 64;

/** What the pointer says. */
interface Pointer {
  /** Name of a file beside it. */
  readonly store: string;
  /** Of the checkpoint that the store was built from. */
  readonly index: number;
}

/**
 * Which file is the store of a data dir.
 *
 * A store is never renamed, and never changed into another: a new one is built
 * beside it, and one durable rename of a small file makes it the current one.
 */
export class StorePlace {
  readonly #disk: Disk;
  readonly #paths: StorePaths;
  #current: Pointer | null;
  /** A copy of the current store that is being made. */
  #copy: string | null = null;
  /** What is built of a checkpoint, until it is current or removed. */
  #built: string | null = null;
  /** The pointer may name it: writing that failed on the way. */
  #doubtful: string | null = null;

  constructor(disk: Disk, paths: StorePaths, current: Pointer | null) {
    this.#disk = disk;
    this.#paths = paths;
    this.#current = current;
  }

  /** The current store's file; not there before the first start. */
  get path(): string {
    const { root, store } = this.#paths;
    return this.#current === null ? store : `${root}/${this.#current.store}`;
  }

  /** Index of the checkpoint that the current store was built from, if any. */
  get installedIndex(): number | null {
    return this.#current?.index ?? null;
  }

  /** A path at which nothing is, for a store to be built at `index`. */
  async prepare(index: number): Promise<string> {
    this.#built = await this.#free(
      `store-${index}.sqlite`,
      `store-${index}-b.sqlite`,
    );
    return this.#built;
  }

  /**
   * As `prepare`, for a copy of the current store of `index`: what is there
   * stays through `removeOthers` until it is current, or `discard` removes it.
   * One at a time.
   */
  async prepareCopy(index: number): Promise<string> {
    assert(this.#copy === null, "one copy at a time");
    this.#copy = await this.#free(
      `store-${index}-c.sqlite`,
      `store-${index}-d.sqlite`,
    );
    return this.#copy;
  }

  /**
   * Removes a store that is not current: a copy, or the one before it; not one
   * that the next start may take for current.
   */
  async discard(path: string): Promise<void> {
    assert(path !== this.path, "the current store stays");
    if (path === this.#doubtful) return;
    for (const side of ["", ...SIDE_FILES]) {
      await this.#disk.remove(`${path}${side}`);
    }
    await this.#disk.syncDir(this.#paths.root);
    if (this.#copy === path) this.#copy = null;
  }

  async #free(name: string, other: string): Promise<string> {
    const isTaken = name === this.#current?.store;
    const path = `${this.#paths.root}/${isTaken ? other : name}`;
    for (const side of ["", ...SIDE_FILES]) {
      await this.#disk.remove(`${path}${side}`);
    }
    return path;
  }

  /**
   * Makes the store at `path`, whole and durable, the current one: before a
   * crash in here the old one is, or the new one. After a failure either may
   * be, and both stay.
   *
   * `path` is what `prepare(index)` or `prepareCopy` gave, `index` that of the
   * checkpoint that it came from, 0 for none; the old store's files stay until
   * `removeOthers`, or `discard`.
   */
  async switchTo(path: string, index: number): Promise<void> {
    const { root } = this.#paths;
    const store = path.slice(root.length + 1);
    assert(
      path === `${root}/${store}` && BUILT_NAME.test(store),
      "a prepared path",
    );
    assert(await this.#disk.exists(path), "a store that was built");
    // The new store's files are new names: nothing may point to them before.
    const pointer = `${root}/${POINTER}`;
    const temporary = `${pointer}${TEMPORARY}`;
    await this.#disk.remove(temporary);
    const file = await this.#disk.open(temporary, "create");
    try {
      await file.writeAndSync(0, encodePointer({ store, index }));
    } finally {
      await file.close();
    }
    this.#doubtful = path;
    await this.#disk.rename(temporary, pointer);
    await this.#disk.syncDir(root);
    this.#doubtful = null;
    this.#current = { store, index };
    if (this.#copy === path) this.#copy = null;
    if (this.#built === path) this.#built = null;
  }

  /** Removes stores that are not current, and temporary files. */
  async removeOthers(): Promise<void> {
    this.#built = null;
    await this.#removeRest((name) =>
      ANY_STORE.test(name) || name.endsWith(TEMPORARY)
    );
  }

  /** Removes stores that nobody uses or is going to use. */
  async removeStray(): Promise<void> {
    await this.#removeRest((name) => ANY_STORE.test(name));
  }

  async #removeRest(isRest: (name: string) => boolean): Promise<void> {
    const { root } = this.#paths;
    const own = [this.path, this.#copy, this.#built, this.#doubtful]
      .flatMap((kept) => ["", ...SIDE_FILES].map((side) => `${kept}${side}`));
    for (const { name, isDirectory } of await this.#disk.list(root)) {
      const path = `${root}/${name}`;
      if (isRest(name) && !isDirectory && !own.includes(path)) {
        await this.#disk.remove(path);
      }
    }
    await this.#disk.syncDir(root);
  }
}

type StorePaths = Pick<DataDirPaths, "root" | "store">;

/**
 * Finds the current store of a data dir that is there and held by us, and
 * removes what a crash left of others.
 *
 * @throws {StorePointerDamagedError} Nothing was removed then.
 */
export async function openStorePlace(
  disk: Disk,
  paths: StorePaths,
): Promise<StorePlace> {
  const place = await findStore(disk, paths);
  await place.removeOthers();
  return place;
}

/**
 * As `openStorePlace`, and removes nothing.
 *
 * @throws {StorePointerDamagedError}
 */
export async function findStore(
  disk: Disk,
  paths: StorePaths,
): Promise<StorePlace> {
  const pointer = `${paths.root}/${POINTER}`;
  const current = await readPointer(disk, pointer);
  const place = new StorePlace(disk, paths, current);
  const isThere = await disk.exists(place.path);
  if (current !== null && !isThere) {
    throw new StorePointerDamagedError(pointer, "a store that is not there");
  }
  if (current === null && !isThere) {
    // A store is only built beside one: without it the pointer was lost.
    const names = await disk.list(paths.root);
    if (names.some(({ name }) => BUILT_NAME.test(name))) {
      throw new StorePointerDamagedError(pointer, "nothing, beside a store");
    }
  }
  return place;
}

async function readPointer(disk: Disk, path: string): Promise<Pointer | null> {
  if (!await disk.exists(path)) return null;
  const file = await disk.open(path, "existing");
  try {
    return decodePointer(path, await file.readAt(0, POINTER_BYTES_MAX + 1));
  } finally {
    await file.close();
  }
}

/**
 *     offset  bytes  field
 *     0       8      "SEALKVP1"
 *     8       8      index of the checkpoint
 *     16      1      length n of the name
 *     17      n      name of the store's file, ASCII
 *     17 + n  4      CRC-32C of all before
 */
function encodePointer({ store, index }: Pointer): Bytes {
  const name = utf8(store);
  const head = new Uint8Array(NAME_AT);
  head.set(MAGIC);
  setUint64(viewOf(head), MAGIC.length, index);
  head[NAME_AT - 1] = name.length;
  const body = concatBytes(head, name);
  const checksum = new Uint8Array(CHECKSUM_BYTES);
  viewOf(checksum).setUint32(0, crc32c(body));
  return concatBytes(body, checksum);
}

/** @throws {StorePointerDamagedError} Not what `encodePointer` wrote. */
export function decodePointer(path: string, bytes: Uint8Array): Pointer {
  const until = bytes.length - CHECKSUM_BYTES;
  const damaged = (fault: string) => new StorePointerDamagedError(path, fault);
  if (until < NAME_AT || bytes.length > POINTER_BYTES_MAX) {
    throw damaged("a wrong length");
  }
  const view = viewOf(bytes);
  if (view.getUint32(until) !== crc32c(bytes.subarray(0, until))) {
    throw damaged("a wrong checksum");
  }
  if (MAGIC.some((byte, i) => byte !== bytes[i])) {
    throw damaged("an unknown format");
  }
  const index = getUint64(view, MAGIC.length);
  const store = String.fromCharCode(...bytes.subarray(NAME_AT, until));
  if (index === null || bytes[NAME_AT - 1] !== store.length) {
    throw damaged("a wrong number");
  }
  if (!BUILT_NAME.test(store)) throw damaged("a name of no store");
  return { store, index };
}
