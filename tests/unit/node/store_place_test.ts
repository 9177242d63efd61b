/*
 * Goal: whenever a machine dies while it builds a store beside the current one
 * and switches to it, it comes back with the old store or the new one, whole,
 * and without rests of the other.
 * Method: a simulated disk and simulated kv files share one count of
 * operations; die in the nth for every n, restart with what a disk may keep.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Kv } from "../../../src/io/kv.ts";
import { dataDirPaths } from "../../../src/node/data_dir.ts";
import {
  decodePointer,
  openStorePlace,
} from "../../../src/node/store_place.ts";
import { buildStore } from "../../../src/store/checkpoint/build.ts";
import { EMPTY_STATE } from "../../../src/store/meta.ts";
import { Store } from "../../../src/store/store.ts";
import { CRASH_KINDS, SimDisk } from "../../sim/io/disk.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { readAll } from "../store/checkpoint/checkpoint_model.ts";
import { sourceOf } from "../store/checkpoint/stream.ts";
import { NOTHING_OWN } from "../store/encryption_model.ts";
import { recordOf, SILENT_LOG } from "../store/store_model.ts";

const PATHS = dataDirPaths("data");
const POINTER = "data/store.pointer";
const DAMAGED = { code: "NODE_STORE_POINTER_DAMAGED", path: POINTER };

/** A disk whose kv files are files: a name that is lost loses its rows. */
class Machine {
  readonly disk: SimDisk;
  readonly #rows = new Map<string, SimKvDisk>();

  constructor(seed: number) {
    this.disk = new SimDisk({ seed });
  }

  /** Commits count as operations of the disk. */
  async openKv(path: string): Promise<Kv> {
    for (const name of [path, `${path}-wal`, `${path}-shm`]) {
      if (await this.disk.exists(name)) continue;
      if (name === path) this.#rows.set(path, new SimKvDisk());
      await (await this.disk.open(name, "create")).close();
    }
    const rows = this.#rows.get(path)!;
    const pause = async (operation: string) => {
      if (operation === "commit") this.disk.count(`commit ${path}`);
    };
    return new SimKv({ disk: rows, pause });
  }
}

function recordsOf(count: number, index: number) {
  return Array.from({ length: count }, (_, i) => ({
    ...{ database: 1, key: utf8(`k${`${i}`.padStart(5, "0")}`) },
    ...recordOf(new Uint8Array(5).fill(index), index),
  }));
}

function stateOf(index: number) {
  return { ...EMPTY_STATE, applied: { index, term: 1 } };
}

async function founded(seed: number): Promise<Machine> {
  const machine = new Machine(seed);
  await machine.disk.makeDir("data");
  const place = await openStorePlace(machine.disk, PATHS);
  assert.equal(place.path, PATHS.store);
  assert.equal(place.installedIndex, null);
  const kv = await machine.openKv(place.path);
  await buildStore(kv, sourceOf(stateOf(5), recordsOf(10, 5)), NOTHING_OWN);
  kv.close();
  await machine.disk.syncDir("data");
  await machine.disk.syncDir(".");
  return machine;
}

async function install(machine: Machine, index: number): Promise<void> {
  const place = await openStorePlace(machine.disk, PATHS);
  const path = await place.prepare(index);
  const kv = await machine.openKv(path);
  await buildStore(
    kv,
    sourceOf(stateOf(index), recordsOf(1_200, index)),
    NOTHING_OWN,
  );
  await place.switchTo(path, index);
  assert.equal(place.path, path);
  assert.equal(place.installedIndex, index);
  kv.close();
  await place.removeOthers();
}

/** The index of the store that a start finds; its records are all of it. */
async function look(machine: Machine): Promise<number> {
  const place = await openStorePlace(machine.disk, PATHS);
  const name = place.path.slice("data/".length);
  const names = (await machine.disk.list("data")).map(({ name }) => name);
  const expected = [name, `${name}-shm`, `${name}-wal`];
  if (place.installedIndex !== null) expected.push("store.pointer");
  assert.deepEqual(names, expected.sort());
  const kv = await machine.openKv(place.path);
  const store = await Store.open({ kv, log: SILENT_LOG });
  const { index } = store.state.applied;
  assert.equal(place.installedIndex ?? 5, index);
  const records = await readAll(await store.checkpoint());
  assert.equal(records.length, index === 5 ? 10 : 1_200);
  for (const { versionstamp } of records) {
    assert.equal(versionstamp.at(7), index, "records of one store");
  }
  await store.close();
  return index;
}

for (const kind of CRASH_KINDS) {
  Deno.test(`a switch of stores is old or new, whenever the machine dies (${kind})`, async () => {
    const found = new Map<number, number>();
    for (let crashAt = 1;; crashAt += 1) {
      const machine = await founded(crashAt);
      machine.disk.crashAt = machine.disk.operations + crashAt;
      const done = await install(machine, 9).then(() => true, () => false);
      machine.disk.restart(kind);
      const index = await look(machine);
      if (done) assert.equal(index, 9);
      found.set(index, (found.get(index) ?? 0) + 1);
      // And once more from there, dying in the start as well.
      machine.disk.crashAt = machine.disk.operations + 1 + crashAt % 4;
      await look(machine).catch(() => {});
      machine.disk.restart(kind);
      await install(machine, 12);
      assert.equal(await look(machine), 12);
      if (done) break;
    }
    assert.ok(
      (found.get(5) ?? 0) > 5 && (found.get(9) ?? 0) > 1,
      `${[...found]}`,
    );
  });
}

Deno.test("prepare() gives another path than the current one's", async () => {
  const machine = await founded(1);
  await install(machine, 9);
  await install(machine, 9);
  assert.equal(await look(machine), 9);
  const place = await openStorePlace(machine.disk, PATHS);
  assert.equal(place.path, "data/store-9-b.sqlite");
  await install(machine, 9);
  assert.equal(await look(machine), 9);
});

Deno.test("openStorePlace() refuses each flipped bit, and removes nothing", async () => {
  const machine = await founded(1);
  await install(machine, 9);
  const bytes = machine.disk.durableBytes(POINTER)!;
  const before = await machine.disk.list("data");
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    machine.disk.flipBit(POINTER, bit);
    await assert.rejects(openStorePlace(machine.disk, PATHS), DAMAGED);
    machine.disk.flipBit(POINTER, bit);
  }
  for (let length = 0; length < bytes.length; length += 1) {
    const cut = bytes.slice(0, length);
    assert.throws(() => decodePointer(POINTER, cut), DAMAGED);
  }
  assert.deepEqual(await machine.disk.list("data"), before);
});

Deno.test("openStorePlace() refuses a pointer to nothing and a lost pointer", async () => {
  const machine = await founded(1);
  await install(machine, 9);
  const { disk } = machine;
  await disk.rename(POINTER, "data/elsewhere");
  await assert.rejects(openStorePlace(disk, PATHS), {
    ...DAMAGED,
    fault: "nothing, beside a store",
  });
  assert.ok(await disk.exists("data/store-9.sqlite"), "it is still there");
  await disk.rename("data/elsewhere", POINTER);
  await disk.rename("data/store-9.sqlite", "data/elsewhere");
  await assert.rejects(openStorePlace(disk, PATHS), {
    ...DAMAGED,
    message: /store\.pointer.*a store that is not there/,
  });
});

Deno.test("openStorePlace() leaves other files alone", async () => {
  const machine = await founded(1);
  const names = ["store.sqlite.bak", "LOCK", "store-x.sqlite", "node.json"];
  for (const name of [...names, "left.tmp", "store-7.sqlite-wal"]) {
    await (await machine.disk.open(`data/${name}`, "create")).close();
  }
  await machine.disk.makeDir("data/raft.tmp");
  await openStorePlace(machine.disk, PATHS);
  const found = (await machine.disk.list("data")).map(({ name }) => name);
  const own = ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"];
  assert.deepEqual(found, [...names, ...own, "raft.tmp"].sort());
});

async function touch(machine: Machine, ...paths: readonly string[]) {
  for (const path of paths) {
    await (await machine.disk.open(path, "create")).close();
  }
}

async function names(machine: Machine): Promise<readonly string[]> {
  return (await machine.disk.list("data")).map(({ name }) => name)
    .filter((name) => !/-(wal|shm)$/.test(name));
}

Deno.test("prepareCopy() gives a free path that stays until it is discarded", async () => {
  const machine = await founded(1);
  const place = await openStorePlace(machine.disk, PATHS);
  await touch(machine, "data/store-7-c.sqlite-wal");
  const copy = await place.prepareCopy(7);
  assert.equal(copy, "data/store-7-c.sqlite");
  assert.equal(await machine.disk.exists(`${copy}-wal`), false);
  await touch(machine, copy, `${copy}-wal`, "data/store-6.sqlite");
  await place.removeOthers();
  assert.deepEqual(await names(machine), ["store-7-c.sqlite", "store.sqlite"]);
  await assert.rejects(place.prepareCopy(8), /one copy at a time/);
  await place.discard(copy);
  assert.deepEqual(await names(machine), ["store.sqlite"]);
  const again = await place.prepareCopy(7);
  await touch(machine, again);
  await place.switchTo(again, 0);
  assert.equal(await place.prepareCopy(7), "data/store-7-d.sqlite");
});

Deno.test("a copy that could not be discarded does not keep the next one away", async () => {
  const machine = await founded(1);
  const place = await openStorePlace(machine.disk, PATHS);
  const copy = await place.prepareCopy(7);
  await touch(machine, copy);
  const { disk } = machine;
  const { remove } = disk;
  disk.remove = () => Promise.reject(new Error("no"));
  await assert.rejects(place.discard(copy));
  disk.remove = remove;
  assert.equal(await place.prepareCopy(7), copy);
});

Deno.test("removeStray() leaves what is current, copied or built", async () => {
  const machine = await founded(1);
  const place = await openStorePlace(machine.disk, PATHS);
  const own = [await place.prepareCopy(7), await place.prepare(9)];
  const stray = ["data/store-8.sqlite", "data/store-8.sqlite-wal"];
  await touch(machine, ...own, ...stray, "data/some.tmp");
  await place.removeStray();
  assert.deepEqual(await names(machine), [
    ...["some.tmp", "store-7-c.sqlite", "store-9.sqlite", "store.sqlite"],
  ]);
  await place.switchTo(own[1]!, 9);
  await place.removeStray();
  assert.deepEqual(await names(machine), [
    ...["some.tmp", "store-7-c.sqlite", "store-9.sqlite", "store.pointer"],
  ]);
});
