/*
 * Goal: one member's scrub on its own: what it does in which order, and that
 * each failure leaves either the old store or the new one, and says so.
 * Method: a sealed store on simulated files; each part may fail once.
 */
import assert from "node:assert/strict";
import { NodeError } from "../../../../src/base/error.ts";
import type { Disk } from "../../../../src/io/disk.ts";
import { DiskFailedError } from "../../../../src/io/errors.ts";
import { dataDirPaths } from "../../../../src/node/data_dir.ts";
import {
  scrubMember,
  type ScrubParts,
} from "../../../../src/node/encryption/scrub.ts";
import type { TaskControl } from "../../../../src/node/encryption/tasks/runner.ts";
import {
  openStorePlace,
  StorePlace,
} from "../../../../src/node/store_place.ts";
import { BufferedStore } from "../../../../src/store/buffered_store.ts";
import { StoreClosedError } from "../../../../src/store/errors.ts";
import type { StoreState } from "../../../../src/store/meta.ts";
import { Store } from "../../../../src/store/store.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { SimKv, SimKvDisk } from "../../../sim/io/kv.ts";
import { canaryOf, CLUSTER, sealedAt } from "../../store/rewrite_model.ts";
import { SILENT_LOG } from "../../store/store_model.ts";
import { TestRecordKeys } from "../../store/test_record_keys.ts";

const PATHS = dataDirPaths("data");
const RECORDS = Array.from({ length: 300 }, (_, i) => canaryOf(`k${i}`, 3));

/** In phase 2 from the entry `cut` on; 0 for not yet. */
function stateAt(index: number, cut = 4): StoreState {
  const state = sealedAt(index, { cutover: 1, lock: 2 });
  const encryption = {
    ...state.fsm.encryption,
    ...{ raftCutoverIndex: cut, stateIndex: 4 },
  };
  return { ...state, fsm: { ...state.fsm, encryption } };
}

class World {
  readonly steps: string[] = [];
  readonly failures: unknown[] = [];
  isHalted = false;
  isOver = false;
  /** Awaited before each read of rows. */
  onRead: () => Promise<void> = () => Promise.resolve();
  readonly keys: TestRecordKeys;
  readonly rows = new Map<string, SimKvDisk>();
  readonly disk: SimDisk;
  readonly place: StorePlace;
  readonly store: BufferedStore;

  private constructor(
    disk: SimDisk,
    place: StorePlace,
    opened: { readonly store: BufferedStore; readonly keys: TestRecordKeys },
  ) {
    this.disk = disk;
    this.place = place;
    this.store = opened.store;
    this.keys = opened.keys;
  }

  static async open(
    state = stateAt(5),
    on: (disk: SimDisk) => Disk = (disk) => disk,
  ): Promise<World> {
    const disk = new SimDisk({ seed: 1 });
    await disk.makeDir("data");
    const place = await openStorePlace(on(disk), PATHS);
    await (await disk.open(place.path, "create")).close();
    const keys = new TestRecordKeys(CLUSTER);
    let world: World | null = null;
    const pause = async (what: string) => {
      if (what === "list") await world?.onRead();
    };
    const kv = new SimKv({ disk: new SimKvDisk(), pause });
    const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
    world = new World(disk, place, { store, keys });
    await store.commit({ state, mutations: RECORDS });
    await store.flush();
    return world;
  }

  openKv = async (path: string) => {
    if (!await this.disk.exists(path)) {
      await (await this.disk.open(path, "create")).close();
      this.rows.set(path, new SimKvDisk());
    }
    return new SimKv({ disk: this.rows.get(path)! });
  };

  openStore = (path: string) =>
    Store.open({ kv: this.openKv(path), log: SILENT_LOG, keys: this.keys });

  parts(given: Partial<ScrubParts> = {}): ScrubParts {
    const { store, place, steps } = this;
    const told = (step: string) => {
      steps.push(step);
      return Promise.resolve();
    };
    return {
      ...{ store, place, log: SILENT_LOG },
      openKv: this.openKv,
      openStore: this.openStore,
      removeCheckpoints: (index) => told(`checkpoints below ${index}`),
      forgetLog: (index) => told(`log to ${index}`),
      rest: async (task) => {
        await told("rest");
        await task(() => void (this.isHalted = true));
        await told("on");
      },
      failed: (error) => void this.failures.push(error),
      ...given,
    };
  }

  control(): TaskControl {
    return {
      isOver: () => this.isOver,
      sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
      progress: () => {},
    };
  }

  scrub(given: Partial<ScrubParts> = {}): Promise<void> {
    return scrubMember(this.parts(given), this.control());
  }

  /** Names of stores that are there. */
  async stores(): Promise<readonly string[]> {
    const found = await this.disk.list("data");
    return found.map(({ name }) => name)
      .filter((name) => name.endsWith(".sqlite"));
  }

  /** All is there, in the store in use and in the one that a start finds. */
  async check(): Promise<void> {
    const found = await this.store.readRecords(RECORDS);
    assert.deepEqual(found, RECORDS.map(({ record }) => record));
    const next = await openStorePlace(this.disk, PATHS);
    if (next.path === PATHS.store) return;
    const started = await this.openStore(next.path);
    assert.equal((await started.readRecords(RECORDS)).length, RECORDS.length);
    await started.close();
  }
}

Deno.test("a scrub swaps the store first, then removes what is older", async () => {
  const world = await World.open();
  await world.scrub();
  assert.deepEqual(world.steps, [
    ...["rest", "on", "checkpoints below 5", "log to 4"],
  ]);
  assert.deepEqual(await world.stores(), ["store-5-c.sqlite"]);
  await world.check();
  await world.scrub();
  assert.deepEqual(await world.stores(), ["store-5-d.sqlite"]);
  await world.check();
});

Deno.test("a scrub before phase 2 or the lock touches nothing", async () => {
  const unlocked = sealedAt(5, { cutover: 1, lock: 0 });
  const { fsm } = unlocked;
  const encryption = {
    ...fsm.encryption,
    ...{ raftCutoverIndex: 4, stateIndex: 4 },
  };
  const states = [
    stateAt(5, 0),
    { ...unlocked, fsm: { ...fsm, encryption } },
  ];
  for (const state of states) {
    const world = await World.open(state);
    await assert.rejects(world.scrub(), { name: "TaskFailure" });
    assert.deepEqual(world.steps, []);
    assert.deepEqual(await world.stores(), ["store.sqlite"]);
  }
});

Deno.test("a store that takes its place meanwhile is copied instead", async () => {
  const world = await World.open();
  const kv = new SimKv({ disk: new SimKvDisk() });
  let isReplaced = false;
  world.onRead = async () => {
    if (isReplaced) return;
    isReplaced = true;
    const next = await Store.open({ kv, log: SILENT_LOG, keys: world.keys });
    await next.commit({ state: stateAt(9), mutations: RECORDS });
    // The copy holds readers of the old store up: not awaited.
    void world.store.replaceWith(next);
  };
  await world.scrub();
  assert.ok(isReplaced);
  assert.equal(world.store.state.applied.index, 9);
  const [name] = await world.stores();
  assert.match(name!, /^store-9-[cd]\.sqlite$/);
  await world.check();
});

Deno.test("a store that is replaced again and again ends it", async () => {
  const world = await World.open();
  const closed = new StoreClosedError();
  let tries = 0;
  const store = {
    ...{ state: world.store.state, flush: () => world.store.flush() },
    replaceWith: () => Promise.reject(new Error("not asked")),
    copyInto: () => {
      tries += 1;
      return Promise.reject(closed);
    },
  };
  await assert.rejects(world.scrub({ store }), { name: "StoreClosedError" });
  assert.equal(tries, 3);
  assert.deepEqual(await world.stores(), ["store.sqlite"]);
});

Deno.test("one that nobody wants any more leaves the store that is there", async () => {
  const world = await World.open();
  world.onRead = () => {
    world.isOver = true;
    return new Promise((resolve) => setTimeout(resolve, 5));
  };
  await world.scrub();
  assert.deepEqual(world.steps, []);
  assert.deepEqual(await world.stores(), ["store.sqlite"]);
  world.isOver = false;
  world.onRead = () => Promise.resolve();
  await world.scrub();
  await world.check();
});

Deno.test("one that is over while the log goes does not say it is done", async () => {
  const world = await World.open();
  const said: string[] = [];
  const forgetLog = () => {
    world.isOver = true;
    return Promise.resolve();
  };
  const log = { write: (_: string, event: string) => void said.push(event) };
  await world.scrub({ forgetLog, log });
  assert.deepEqual(said, []);
});

Deno.test("a copy that does not open is no store, and the next one is", async () => {
  const world = await World.open();
  const fault = new DiskFailedError("open", "data/x");
  const openStore = () => Promise.reject(fault);
  await assert.rejects(world.scrub({ openStore }), fault);
  assert.deepEqual([world.isHalted, world.failures], [false, []]);
  assert.deepEqual(await world.stores(), ["store.sqlite"]);
  const openKv = () => Promise.reject(fault);
  await assert.rejects(world.scrub({ openKv }), fault);
  await world.scrub();
  await world.check();
});

/** As `disk`; the nth call of this operation on the data dir fails. */
function failing(disk: SimDisk, name: "syncDir" | "rename", nth: number): Disk {
  let calls = 0;
  const fails = (path: string) => {
    calls += 1;
    return calls === nth ? new DiskFailedError("sync", path) : null;
  };
  return new Proxy(disk, {
    get: (target, property) => {
      const found = Reflect.get(target, property, target);
      if (typeof found !== "function") return found;
      return async (...args: [string, string]) => {
        const done = await found.apply(target, args);
        // It took effect, for all that is known.
        const error = property === name ? fails(args[0]) : null;
        if (error !== null) throw error;
        return done;
      };
    },
  });
}

Deno.test("after a switch that failed on the way both stores are kept, and nothing is applied", async () => {
  // The place syncs once when it is opened.
  for (const [name, nth] of [["syncDir", 2], ["rename", 1]] as const) {
    const world = await World.open(
      stateAt(5),
      (disk) => failing(disk, name, nth),
    );
    await assert.rejects(world.scrub(), (error) => error instanceof NodeError);
    assert.ok(world.isHalted, "the log must not go by the old store");
    assert.equal(world.failures.length, 1);
    const stores = ["store-5-c.sqlite", "store.sqlite"];
    assert.deepEqual(await world.stores(), stores);
    await world.place.removeOthers();
    assert.deepEqual(await world.stores(), stores, "whoever else tidies up");
    await world.check();
    assert.deepEqual(await world.stores(), ["store-5-c.sqlite"]);
  }
});

Deno.test("a store that could not be removed is removed by the next scrub", async () => {
  const world = await World.open();
  const { place } = world;
  let isFailing = true;
  const discard = place.discard.bind(place);
  place.discard = (path) => {
    if (!isFailing) return discard(path);
    return Promise.reject(new DiskFailedError("remove", path));
  };
  await assert.rejects(world.scrub(), { code: "IO_FAILED" });
  assert.deepEqual([world.isHalted, world.failures], [false, []]);
  isFailing = false;
  await world.scrub();
  assert.equal((await world.stores()).length, 1);
  await world.check();
});
