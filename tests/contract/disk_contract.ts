import assert from "node:assert/strict";
import type { Disk } from "../../src/io/disk.ts";
import { DiskError } from "../../src/io/errors.ts";

/** A disk to test and a directory on it that is there, empty and ours. */
export interface DiskUnderTest {
  readonly disk: Disk;
  readonly root: string;
  dispose(): Promise<void>;
}

function refused(code: string, path: string) {
  return (error: unknown) =>
    error instanceof DiskError && error.code === code && error.path === path &&
    error.message.includes(path);
}

/** What every disk does, named after the call it is about. */
const RULES: Record<string, (disk: Disk, root: string) => Promise<void>> = {
  "open() creates a file once": async (disk, root) => {
    const path = `${root}/a`;
    await (await disk.open(path, "create")).close();
    await assert.rejects(
      disk.open(path, "create"),
      refused("IO_ALREADY_EXISTS", path),
    );
    assert.equal(await disk.exists(path), true);
  },
  "open() refuses a missing file": async (disk, root) => {
    const path = `${root}/a`;
    await assert.rejects(
      disk.open(path, "existing"),
      refused("IO_NOT_FOUND", path),
    );
    assert.equal(await disk.exists(path), false);
  },
  "readAt() is short only at the end": async (disk, root) => {
    const file = await disk.open(`${root}/a`, "create");
    await file.writeAt(0, Uint8Array.of(1, 2, 3, 4));
    assert.deepEqual([...await file.readAt(1, 2)], [2, 3]);
    assert.deepEqual([...await file.readAt(2, 10)], [3, 4]);
    assert.deepEqual([...await file.readAt(4, 10)], []);
    assert.deepEqual([...await file.readAt(9, 10)], []);
    await file.close();
  },
  "writeAt() fills a hole with zeros": async (disk, root) => {
    const file = await disk.open(`${root}/a`, "create");
    await file.writeAt(3, Uint8Array.of(9));
    assert.equal(await file.size(), 4);
    assert.deepEqual([...await file.readAt(0, 4)], [0, 0, 0, 9]);
    await file.sync();
    await file.close();
  },
  "writeAndSync() is seen by reads": async (disk, root) => {
    const file = await disk.open(`${root}/a`, "create");
    await file.writeAt(0, new Uint8Array(8));
    await file.writeAndSync(2, Uint8Array.of(5, 6));
    await file.writeAndSync(3, Uint8Array.of(7));
    assert.deepEqual([...await file.readAt(0, 8)], [0, 0, 5, 7, 0, 0, 0, 0]);
    await file.close();
  },
  "writeAndSync() takes several mebibytes": async (disk, root) => {
    const file = await disk.open(`${root}/a`, "create");
    const bytes = new Uint8Array(3 * 2 ** 20 + 17).map((_, i) => i * 31);
    await file.writeAndSync(5, bytes);
    assert.equal(await file.size(), bytes.length + 5);
    const read = await file.readAt(5, bytes.length);
    assert.equal(read.length, bytes.length);
    assert.ok(read.every((byte, i) => byte === bytes[i]));
    await file.close();
  },
  "writeAndSync() keeps files and calls apart": async (disk, root) => {
    const a = await disk.open(`${root}/a`, "create");
    const b = await disk.open(`${root}/b`, "create");
    const calls: Promise<void>[] = [];
    for (let i = 0; i < 20; i += 1) {
      calls.push(a.writeAndSync(i, Uint8Array.of(i)));
      calls.push(b.writeAndSync(i, Uint8Array.of(100 + i)));
    }
    await Promise.all(calls);
    const upTo20 = Array.from({ length: 20 }, (_, i) => i);
    assert.deepEqual([...await a.readAt(0, 20)], upTo20);
    assert.deepEqual([...await b.readAt(0, 20)], upTo20.map((i) => 100 + i));
    await a.close();
    await b.close();
  },
  "truncate() cuts and extends": async (disk, root) => {
    const file = await disk.open(`${root}/a`, "create");
    await file.writeAt(0, Uint8Array.of(1, 2, 3));
    await file.truncate(1);
    await file.truncate(2);
    assert.deepEqual([...await file.readAt(0, 9)], [1, 0]);
    await file.close();
  },
  "makeDir() makes parents and does not mind": async (disk, root) => {
    await disk.makeDir(`${root}/x/y`);
    await disk.makeDir(`${root}/x/y`);
    assert.deepEqual(await disk.list(`${root}/x`), [
      { name: "y", isDirectory: true },
    ]);
    await disk.syncDir(`${root}/x`);
  },
  "list() sorts, and refuses a missing directory": async (disk, root) => {
    for (const name of ["b", "c", "a"]) {
      await (await disk.open(`${root}/${name}`, "create")).close();
    }
    const names = (await disk.list(root)).map(({ name }) => name);
    assert.deepEqual(names, ["a", "b", "c"]);
    const path = `${root}/none`;
    await assert.rejects(disk.list(path), refused("IO_NOT_FOUND", path));
  },
  "rename() replaces its target": async (disk, root) => {
    for (const [name, byte] of [["a", 1], ["b", 2]] as const) {
      const file = await disk.open(`${root}/${name}`, "create");
      await file.writeAt(0, Uint8Array.of(byte));
      await file.close();
    }
    await disk.rename(`${root}/a`, `${root}/b`);
    await disk.syncDir(root);
    assert.equal(await disk.exists(`${root}/a`), false);
    const file = await disk.open(`${root}/b`, "existing");
    assert.deepEqual([...await file.readAt(0, 9)], [1]);
    await file.close();
    const path = `${root}/a`;
    await assert.rejects(
      disk.rename(path, `${root}/c`),
      refused("IO_NOT_FOUND", path),
    );
  },
  "remove() succeeds when nothing is there": async (disk, root) => {
    const path = `${root}/a`;
    await (await disk.open(path, "create")).close();
    await disk.remove(path);
    await disk.remove(path);
    assert.equal(await disk.exists(path), false);
  },
  "lock() is held by one until it is released": async (disk, root) => {
    const path = `${root}/LOCK`;
    const held = await disk.lock(path);
    assert.ok(held !== null);
    assert.equal(await disk.lock(path), null);
    await held.release();
    // Without tryLock the refused attempt holds it for a moment.
    let again = null;
    while (again === null) again = await disk.lock(path);
    await again.release();
  },
};

/** Registers one test per rule for the disks that `make` makes. */
export function runDiskContract(
  name: string,
  make: () => Promise<DiskUnderTest>,
): void {
  for (const [rule, check] of Object.entries(RULES)) {
    Deno.test(`${name}: ${rule}`, async () => {
      const { disk, root, dispose } = await make();
      try {
        await check(disk, root);
      } finally {
        await dispose();
      }
    });
  }
}
