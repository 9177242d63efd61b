/*
 * Goal: after `scrubBelow` no file of a log has a byte of the entries up to its
 * index, replaced and torn ones too, and the log goes on.
 * Method: give old entries a canary, look for it in all bytes of all files; on
 * the real disk, and dying in every operation of the simulated one.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { openDenoDisk } from "../../../src/io/deno/disk.ts";
import type { Disk } from "../../../src/io/disk.ts";
import type { Entry } from "../../../src/raft/types.ts";
import { Wal, type WalOptions } from "../../../src/wal/wal.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  batchOf,
  entriesOf,
  entryAt,
  metadataAt,
  simWalOptions,
} from "../../sim/wal_model.ts";

const FOUNDING = { metadata: metadataAt(1, 1) };
const CANARY = "a-canary-in-cleartext";
const CUTOVER = 40;
const LAST = 60;

/** Entries of [from, until) that tell what nobody may read. */
function canaries(from: number, until: number, term: number): Entry[] {
  return entriesOf(from, until, term).map((entry) => ({
    ...entry,
    data: utf8(`${CANARY} ${entry.index}`.padEnd(200)),
  }));
}

/** Names of the files below `dir` that have the canary in them. */
async function filesWithCanary(disk: Disk, dir: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, isDirectory } of await disk.list(dir)) {
    const path = `${dir}/${name}`;
    if (isDirectory) {
      found.push(...await filesWithCanary(disk, path));
      continue;
    }
    const file = await disk.open(path, "existing");
    const bytes = await file.readAt(0, await file.size());
    await file.close();
    if (new TextDecoder("latin1").decode(bytes).includes(CANARY)) {
      found.push(path);
    }
  }
  return found;
}

/** Entries with canaries up to the cutover, others after it, in segments. */
async function fill(wal: Wal): Promise<void> {
  // Replaced before it was committed, and segments rolled in between.
  await wal.append(batchOf(canaries(2, 20, 1)));
  for (let i = 20; i < 35; i += 1) {
    await wal.append(batchOf(canaries(i, i + 1, 1)));
  }
  const hardState = { term: 2, vote: 0, commit: 10 };
  await wal.append(batchOf(canaries(12, 22, 2), hardState));
  await wal.append(batchOf(canaries(22, CUTOVER + 1, 2)));
  for (let i = CUTOVER + 1; i <= LAST; i += 1) {
    await wal.append(batchOf([entryAt(i, 2, 200)]));
  }
}

async function checkGoesOn(wal: Wal, options: WalOptions): Promise<void> {
  const last = wal.storage.lastIndex();
  const hardState = { term: 2, vote: 0, commit: 1 };
  await wal.append(batchOf([entryAt(last + 1, 2, 300)], hardState));
  await wal.close();
  const again = await Wal.open(options);
  assert.equal(again.storage.lastIndex(), last + 1);
  assert.deepEqual(await again.fetch(last + 1, last + 2, 1e6), [
    entryAt(last + 1, 2, 300),
  ]);
  await again.close();
}

Deno.test("scrubBelow() leaves no byte of old entries in any real file", async () => {
  const dir = await Deno.makeTempDir();
  const disk = openDenoDisk();
  const options = {
    ...simWalOptions(new SimDisk({ seed: 1 }), [], 8_192),
    ...{ disk, dir: `${dir}/raft` },
  };
  const wal = await Wal.create(options, FOUNDING);
  await fill(wal);
  await wal.mark(metadataAt(CUTOVER, 2));
  await wal.compact(CUTOVER);
  assert.notDeepEqual(await filesWithCanary(disk, options.dir), []);
  assert.equal(await wal.scrubBelow(CUTOVER), LAST);
  assert.equal(wal.storage.lastIndex(), LAST);
  await wal.append(batchOf([entryAt(LAST + 1, 2)]));
  await wal.mark(metadataAt(LAST - 1, 2));
  assert.equal(await wal.scrubBelow(CUTOVER), LAST, "no further segment");
  await wal.mark(metadataAt(LAST, 2));
  assert.equal(await wal.scrubBelow(CUTOVER), null);
  assert.deepEqual(await filesWithCanary(disk, options.dir), []);
  assert.equal(wal.storage.firstIndex(), LAST + 1, "what is above stays");
  assert.equal(await wal.scrubBelow(CUTOVER), null);
  assert.equal(wal.storage.firstIndex(), LAST + 1, "nothing is left to do");
  await checkGoesOn(wal, options);
  await disk.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("scrubBelow() begins anew for an index above the last one's", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk);
  const wal = await Wal.create(options, FOUNDING);
  await wal.append(batchOf(canaries(2, 10, 1)));
  await wal.mark(metadataAt(9, 1));
  assert.equal(await wal.scrubBelow(9), null);
  await wal.append(batchOf(canaries(10, 12, 1)));
  await wal.mark(metadataAt(11, 1));
  assert.equal(await wal.scrubBelow(9), null);
  assert.deepEqual((await filesWithCanary(disk, "raft")).length, 1);
  assert.equal(await wal.scrubBelow(11), null);
  assert.deepEqual(await filesWithCanary(disk, "raft"), []);
  await checkGoesOn(wal, options);
});

Deno.test("scrubBelow() removes segments that entries replaced since had begun", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk);
  const wal = await Wal.create(options, FOUNDING);
  for (let i = 2; i < 30; i += 1) {
    await wal.append(batchOf(canaries(i, i + 1, 1)));
  }
  // All segments but the first were begun above what is now the last entry.
  const hardState = { term: 2, vote: 0, commit: 3 };
  await wal.append(batchOf([entryAt(3, 2)], hardState));
  await wal.mark(metadataAt(3, 2));
  assert.equal(await wal.scrubBelow(2), null);
  assert.deepEqual(await filesWithCanary(disk, "raft"), []);
  await checkGoesOn(wal, options);
});

Deno.test("scrubBelow() takes only what the store has", async () => {
  const disk = new SimDisk({ seed: 1 });
  const wal = await Wal.create(simWalOptions(disk), FOUNDING);
  await wal.append(batchOf(entriesOf(2, 10, 1)));
  await wal.mark(metadataAt(5, 1));
  await assert.rejects(wal.scrubBelow(6), { name: "InvariantError" });
  await wal.close();
});

Deno.test("scrubBelow() keeps a cluster id that is on its way", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk);
  const wal = await Wal.create(options, FOUNDING);
  const id = new Uint8Array(16).fill(3);
  const naming = wal.setClusterId(id);
  assert.equal(await wal.scrubBelow(1), null);
  await naming;
  assert.deepEqual(wal.clusterId, id);
  await wal.close();
  const again = await Wal.open(options);
  assert.deepEqual(again.clusterId, id);
  await again.close();
});

Deno.test("scrubBelow() removes the copies of torn tails", async () => {
  let torn = 0;
  for (let seed = 0; torn === 0; seed += 1) {
    const disk = new SimDisk({ seed });
    const options = simWalOptions(disk);
    const wal = await Wal.create(options, FOUNDING);
    disk.crashAt = disk.operations + 2;
    await wal.append(batchOf(canaries(2, 9, 1))).catch(() => {});
    disk.restart("torn");
    const again = await Wal.open(options);
    const names = (await disk.list("raft/wal")).map(({ name }) => name);
    torn = names.filter((name) => name.endsWith(".torn")).length;
    await again.append(batchOf(entriesOf(2, 4, 1)));
    await again.mark(metadataAt(3, 1));
    assert.equal(await again.scrubBelow(1), null);
    assert.deepEqual(await filesWithCanary(disk, "raft"), []);
    await checkGoesOn(again, options);
  }
});

Deno.test("scrubBelow() that died in any operation is done by the next one", async () => {
  let operations = Infinity;
  for (let at = 1; at <= operations; at += 1) {
    for (const kind of ["none", "all", "reordered"] as const) {
      const disk = new SimDisk({ seed: at });
      const options = simWalOptions(disk);
      const wal = await Wal.create(options, FOUNDING);
      await fill(wal);
      await wal.mark(metadataAt(LAST, 2));
      const before = disk.operations;
      disk.crashAt = before + at;
      const scrubbed = await wal.scrubBelow(CUTOVER).catch(() => "died");
      if (scrubbed === null) operations = disk.operations - before;
      disk.crashAt = Infinity;
      disk.restart(kind);
      const again = await Wal.open(options);
      assert.equal(again.storage.lastIndex(), LAST);
      assert.equal(await again.scrubBelow(CUTOVER), null);
      assert.deepEqual(await filesWithCanary(disk, "raft"), []);
      await checkGoesOn(again, options);
    }
  }
  assert.ok(operations > 5, `${operations}`);
});
