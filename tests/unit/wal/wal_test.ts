import assert from "node:assert/strict";
import type { Clock } from "../../../src/io/clock.ts";
import { Wal } from "../../../src/wal/wal.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import {
  batchOf,
  entriesOf,
  entryAt,
  type LoggedEvent,
  metadataAt,
  modelsOf,
  modelText,
  observed,
  runStep,
  SCRIPT,
  simWalOptions,
} from "../../sim/wal_model.ts";

const FOUNDING = { metadata: metadataAt(1, 1) };

/** Lets what is under way come to rest. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null;
}

async function newWal(disk = new SimDisk({ seed: 1 }), segmentBytes = 65_536) {
  const options = simWalOptions(disk, [], segmentBytes);
  return { disk, options, wal: await Wal.create(options, FOUNDING) };
}

Deno.test("Wal agrees with the model after every step", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk);
  const wal = await Wal.create(options, FOUNDING);
  const models = modelsOf(FOUNDING.metadata, SCRIPT);
  for (const [i, step] of SCRIPT.entries()) {
    await runStep(wal, step);
    wal.release(wal.storage.initialState().hardState.commit);
    assert.equal(modelText(await observed(wal)), modelText(models[i + 1]!));
  }
  await wal.close();
  const again = await Wal.open(options);
  assert.equal(modelText(await observed(again)), modelText(models.at(-1)!));
  assert.equal(again.tailSuspect, null);
  await again.close();
});

Deno.test("Wal.create() refuses a directory with a log", async () => {
  const { options, wal } = await newWal();
  await assert.rejects(Wal.create(options, FOUNDING), { code: "WAL_LOCKED" });
  await assert.rejects(Wal.open(options), { code: "WAL_LOCKED" });
  await wal.close();
  await assert.rejects(Wal.create(options, FOUNDING), {
    code: "WAL_ALREADY_EXISTS",
  });
  await (await Wal.open(options)).close();
});

Deno.test("Wal.open() refuses a directory without a log", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk);
  assert.equal(await Wal.exists(options), false);
  await assert.rejects(Wal.open(options), { code: "WAL_MISSING" });
});

Deno.test("Wal.open() refuses another node's log", async () => {
  const { options, wal } = await newWal();
  await wal.close();
  const other = { ...options, nodeName: "n2" };
  await assert.rejects(Wal.open(other), { code: "WAL_FOREIGN" });
  await (await Wal.open(options)).close();
});

Deno.test("Wal.open() refuses an anchor of another log", async () => {
  const { disk, options, wal } = await newWal();
  await wal.close();
  const random = {
    bytes: (length: number) => new Uint8Array(length).fill(1),
    below: () => 0,
  };
  const foreign = { ...options, random, dir: "other" };
  await (await Wal.create(foreign, FOUNDING)).close();
  await disk.remove("raft/anchor");
  const there = await disk.open("other/anchor", "existing");
  const bytes = await there.readAt(0, 8192);
  await there.close();
  const here = await disk.open("raft/anchor", "create");
  await here.writeAndSync(0, bytes);
  await here.close();
  await assert.rejects(Wal.open(options), { code: "WAL_FOREIGN" });
});

Deno.test("Wal.append() shares syncs between those that wait", async () => {
  const { disk, wal } = await newWal();
  const before = wal.counters.syncs;
  const waiting: Promise<void>[] = [];
  // The first goes alone once it runs; the others come while it syncs.
  const first = wal.append(batchOf([entryAt(2, 1)]));
  await new Promise<void>((resolve) => {
    disk.beforeSync = () => {
      disk.beforeSync = null;
      for (let index = 3; index < 103; index += 1) {
        waiting.push(wal.append(batchOf([entryAt(index, 1)])));
      }
      resolve();
      return Promise.resolve();
    };
  });
  await Promise.all([first, ...waiting]);
  assert.equal(wal.counters.syncs - before, 2);
  assert.equal(wal.counters.batches, 101);
  assert.equal(wal.storage.lastIndex(), 102);
  await wal.close();
});

Deno.test("Wal.append() is invisible and unanswered until its sync", async () => {
  const { disk, wal } = await newWal();
  let seen = 0;
  let answered = false;
  disk.beforeSync = () => {
    seen = wal.storage.lastIndex();
    assert.equal(answered, false);
    return Promise.resolve();
  };
  await wal.append(batchOf([entryAt(2, 1)])).then(() => answered = true);
  assert.equal(seen, 1);
  assert.equal(wal.storage.lastIndex(), 2);
  disk.beforeSync = null;
  await wal.close();
});

Deno.test("Wal.append() resolves in the order of the calls", async () => {
  const { wal } = await newWal();
  const order: number[] = [];
  const waiting: Promise<unknown>[] = [];
  for (let index = 2; index < 700; index += 1) {
    const done = wal.append(batchOf([entryAt(index, 1)]));
    waiting.push(done.then(() => order.push(index)));
  }
  await Promise.all(waiting);
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  await wal.close();
});

Deno.test("Wal.append() refuses to break the rules of the log", async () => {
  const { wal } = await newWal();
  await wal.append(batchOf(entriesOf(2, 5, 1)));
  const gap = wal.append(batchOf([entryAt(9, 1)]));
  await assert.rejects(gap, { name: "InvariantError" });
  await assert.rejects(wal.append(batchOf([entryAt(5, 1)])), {
    name: "InvariantError",
  });
  await wal.close();
});

Deno.test("Wal with a clock lets a commit wait for company", async () => {
  const disk = new SimDisk({ seed: 1 });
  const tasks: (() => void)[] = [];
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    soon: queueMicrotask,
    after: (delayMs, task) => {
      assert.equal(delayMs, 100);
      tasks.push(task);
      return { cancel: () => void tasks.splice(tasks.indexOf(task), 1) };
    },
  };
  const wal = await Wal.create({ ...simWalOptions(disk), clock }, FOUNDING);
  await wal.append(batchOf(entriesOf(2, 5, 1)));
  const before = wal.counters.syncs;
  const lazy = (commit: number) =>
    wal.append({
      entries: [],
      hardState: { term: 1, vote: 0, commit },
      mustSync: false,
    });
  await turns();
  const commits = lazy(2);
  assert.equal(tasks.length, 1);
  await Promise.all([wal.append(batchOf([entryAt(5, 1)])), commits]);
  assert.equal(wal.counters.syncs - before, 1);
  assert.equal(tasks.length, 0);
  await turns();
  const late = lazy(4);
  tasks[0]?.();
  await late;
  assert.equal(wal.storage.initialState().hardState.commit, 4);
  await wal.close();
});

Deno.test("Wal.close() writes what is queued and takes nothing more", async () => {
  const { options, wal } = await newWal();
  const queued = wal.append(batchOf([entryAt(2, 1)]));
  const closed = wal.close();
  await queued;
  await closed;
  await assert.rejects(wal.append(batchOf([entryAt(3, 1)])), {
    code: "WAL_CLOSED",
  });
  const again = await Wal.open(options);
  assert.equal(again.storage.lastIndex(), 2);
  await again.close();
});

Deno.test("Wal.fetch() reads back what left memory", async () => {
  const { options, wal } = await newWal(undefined, 4096);
  await wal.append(batchOf(entriesOf(2, 60, 1, 300)));
  await wal.append(batchOf(entriesOf(40, 70, 2, 300), {
    term: 2,
    vote: 0,
    commit: 60,
  }));
  await wal.mark(metadataAt(60, 2));
  await wal.close();
  const again = await Wal.open(options);
  again.release(60);
  const run = await again.fetch(30, 50, 1e6);
  const wanted = [...entriesOf(30, 40, 1, 300), ...entriesOf(40, 50, 2, 300)];
  assert.deepEqual(run, wanted);
  assert.deepEqual(again.storage.entries(30, 50, 1e6), wanted);
  assert.deepEqual(await again.fetch(30, 50, 700), wanted.slice(0, 2));
  assert.deepEqual(await again.fetch(69, 99, 1e6), entriesOf(69, 70, 2, 300));
  assert.deepEqual(await again.fetch(99, 100, 1e6), []);
  await again.compact(50);
  await assert.rejects(again.fetch(50, 60, 1e6), {
    code: "WAL_RANGE_COMPACTED",
  });
  await again.close();
});

Deno.test("Wal.compact() removes files and keeps the log", async () => {
  const { disk, options, wal } = await newWal(undefined, 2048);
  for (let index = 2; index < 80; index += 1) {
    await wal.append(batchOf([entryAt(index, 1, 200)]));
  }
  const before = (await disk.list("raft/wal")).length;
  await wal.compact(70);
  assert.equal(wal.storage.firstIndex(), 2, "nothing is marked yet");
  await wal.mark(metadataAt(60, 1));
  await wal.compact(70);
  assert.equal(wal.storage.firstIndex(), 61);
  assert.equal(wal.storage.term(60), 1);
  assert.equal(wal.storage.term(59), "compacted");
  assert.ok((await disk.list("raft/wal")).length < before - 5);
  await wal.close();
  const again = await Wal.open(options);
  assert.equal(again.storage.firstIndex(), 61);
  assert.equal(again.storage.lastIndex(), 79);
  await again.close();
});

Deno.test("Wal.setClusterId() is durable when it resolves", async () => {
  const { disk, options, wal } = await newWal();
  assert.equal(wal.clusterId, null);
  const id = new Uint8Array(16).fill(3);
  await wal.setClusterId(id);
  assert.deepEqual(wal.clusterId, id);
  disk.restart("none");
  const again = await Wal.open(options);
  assert.deepEqual(again.clusterId, id);
  await again.close();
});

Deno.test("Wal.open() cuts a torn tail off and says so", async () => {
  let kept = new SimDisk({ seed: 0 });
  let events: LoggedEvent[] = [];
  // Of some write, a part is kept.
  for (let seed = 0;; seed += 1) {
    const { disk: fresh, wal: log } = await newWal(new SimDisk({ seed }));
    await log.append(batchOf(entriesOf(2, 5, 1)));
    fresh.crashAt = fresh.operations + 2;
    const cut = log.append(batchOf(entriesOf(5, 30, 1, 100)));
    await cut.catch(() => {});
    fresh.restart("torn");
    events = [];
    const options = simWalOptions(fresh, events, 65_536);
    const again = await Wal.open(options);
    assert.equal(again.storage.lastIndex(), 4);
    kept = fresh;
    if (again.tailSuspect === null) {
      await again.close();
      continue;
    }
    assert.ok(again.tailSuspect >= 29);
    assert.ok(events.some(({ event }) => event === "wal_tail_torn"));
    await again.close();
    break;
  }
  const files = (await kept.list("raft/wal")).map(({ name }) => name);
  assert.ok(files.some((name) => name.endsWith(".torn")), files.join());
  const clean = await Wal.open(simWalOptions(kept));
  assert.equal(clean.tailSuspect, null);
  await clean.close();
});

Deno.test("Wal.open() has in memory what is not applied, however much", async () => {
  const disk = new SimDisk({ seed: 1 });
  const options = simWalOptions(disk, [], 2 ** 22);
  const wal = await Wal.create(options, FOUNDING);
  for (let index = 2; index < 42; index += 1) {
    await wal.append(batchOf([entryAt(index, 1, 2 ** 18)]));
  }
  await wal.close();
  for (const applied of [0, 1, 4, 30, 41]) {
    const again = await Wal.open({ ...options, applied });
    const { storage } = again;
    const first = Math.max(applied, 1) + 1;
    for (let index = first; index < 42; index += 10) {
      const found = storage.entries(index, index + 1, 1);
      assert.ok(typeof found !== "string", `${index} of ${applied}: ${found}`);
      assert.equal(found[0]?.index, index);
    }
    if (applied > 10) {
      assert.equal(storage.entries(2, 3, 1), "not-cached");
    }
    await again.close();
  }
});
