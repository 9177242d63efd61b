import assert from "node:assert/strict";
import type { ConfState, Term } from "../../../src/raft/types.ts";
import {
  LogBehindStoreError,
  LogMissingError,
  WrongClusterError,
} from "../../../src/node/errors.ts";
import { openLog, type OpenLogOptions } from "../../../src/node/open_log.ts";
import { Core } from "../../../src/raft/core.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import type { Wal } from "../../../src/wal/wal.ts";
import { CRASH_KINDS, SimDisk } from "../../sim/io/disk.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimLog } from "../../sim/io/log.ts";
import { entriesOf, FIXED_RANDOM } from "../../sim/wal_model.ts";
import { SILENT_LOG } from "../store/store_model.ts";

const CLUSTER = new Uint8Array(16).fill(1);
const OTHER_CLUSTER = new Uint8Array(16).fill(2);
const THREE: ConfState = { ...NO_CONFIG, voters: [1, 2, 3] };
const FOUNDING = { index: 2, term: 1, confState: THREE };
const JOINING = { index: 0, term: 0, confState: NO_CONFIG };

/** A data dir's log and store, opened as often as need be. */
class Bench {
  readonly log = new SimLog();
  disk = new SimDisk({ seed: 1 });
  readonly #kvDisk = new SimKvDisk();

  async open(given: Partial<OpenLogOptions> = {}): Promise<Opened> {
    await this.disk.makeDir("/data");
    await this.disk.syncDir("/");
    const kv = new SimKv({ disk: this.#kvDisk });
    const store = await BufferedStore.open({ kv, log: SILENT_LOG });
    try {
      const wal = await openLog({
        disk: this.disk,
        random: FIXED_RANDOM,
        log: this.log,
        dir: "/data/raft",
        nodeName: "n1",
        segmentBytes: 8 * 1024,
        founding: FOUNDING,
        installedIndex: 0,
        applied: store.state.applied.index,
        ...given,
      }, store);
      return { store, wal };
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Opens, does `work`, closes. */
  async during(
    work: (opened: Opened) => Promise<unknown>,
    given: Partial<OpenLogOptions> = {},
  ): Promise<void> {
    const opened = await this.open(given);
    await work(opened);
    await opened.wal.close();
    await opened.store.close();
  }

  /** Puts a store of a checkpoint at `index` in place, and not yet its log. */
  async switchStore(index: number, term: Term, clusterId = CLUSTER) {
    const kv = new SimKv({ disk: this.#kvDisk });
    const store = await BufferedStore.open({ kv, log: SILENT_LOG });
    await store.commit({
      state: {
        ...store.state,
        applied: { index, term },
        confState: THREE,
        fsm: { ...store.state.fsm, clusterId, clusterName: "c" },
      },
      mutations: [],
    });
    await store.close();
  }
}

interface Opened {
  readonly store: BufferedStore;
  readonly wal: Wal;
}

/** Entries 3 to `last` of `term` in a founded log that heard of `heard`. */
async function withLog(
  last: number,
  term: Term,
  heard = term,
): Promise<Bench> {
  const bench = new Bench();
  await bench.during(async ({ wal }) => {
    await wal.setClusterId(CLUSTER);
    await wal.append({
      entries: entriesOf(3, last + 1, term),
      hardState: { term: heard, vote: 2, commit: 2 },
      mustSync: true,
    });
  });
  return bench;
}

function placeOf({ wal, store }: Opened) {
  const { storage } = wal;
  return {
    first: storage.firstIndex(),
    last: storage.lastIndex(),
    applied: store.state.applied.index,
    term: storage.term(storage.lastIndex()),
    hard: storage.initialState().hardState,
  };
}

Deno.test("openLog() founds log and store together", async () => {
  const bench = new Bench();
  await bench.during(async (opened) => {
    assert.deepEqual(opened.store.state.applied, { index: 2, term: 1 });
    assert.deepEqual(opened.store.state.confState, THREE);
    const { first, last } = placeOf(opened);
    assert.deepEqual([first, last], [3, 2]);
  });
  const joining = new Bench();
  await joining.during(async (opened) => {
    assert.deepEqual(opened.store.state.applied, { index: 0, term: 0 });
    const { first, last } = placeOf(opened);
    assert.deepEqual([first, last], [1, 0]);
  }, { founding: JOINING });
});

Deno.test("openLog() founds the store that a crash kept from it", async () => {
  const bench = new Bench();
  const { wal, store } = await bench.open();
  await wal.close();
  // The store loses what it had: as if the crash had come before it.
  const kv = new SimKv({ disk: new SimKvDisk() });
  const fresh = await BufferedStore.open({ kv, log: SILENT_LOG });
  const options = {
    disk: bench.disk,
    random: FIXED_RANDOM,
    log: bench.log,
    dir: "/data/raft",
    nodeName: "n1",
    segmentBytes: 8 * 1024,
    founding: FOUNDING,
    installedIndex: 0,
  };
  const again = await openLog(options, fresh);
  assert.equal(fresh.state.applied.index, 2);
  for (const part of [again, fresh, store]) await part.close();
});

Deno.test("openLog() refuses a store whose log is gone", async () => {
  const bench = await withLog(5, 1);
  bench.disk = new SimDisk({ seed: 2 });
  await assert.rejects(bench.open(), LogMissingError);
});

Deno.test("openLog() refuses a log that ends below the store", async () => {
  const bench = await withLog(5, 1);
  await bench.switchStore(6, 1);
  await assert.rejects(bench.open(), LogBehindStoreError);
  // A checkpoint of another index does not explain it.
  await assert.rejects(bench.open({ installedIndex: 7 }), LogBehindStoreError);
});

Deno.test("openLog() refuses log and store of two clusters", async () => {
  const bench = await withLog(5, 1);
  await bench.switchStore(4, 1, OTHER_CLUSTER);
  await assert.rejects(bench.open(), WrongClusterError);
  const installing = await withLog(5, 1);
  await installing.switchStore(50, 4, OTHER_CLUSTER);
  await assert.rejects(
    installing.open({ installedIndex: 50 }),
    WrongClusterError,
  );
});

/** Where the log ends, and in which term, when the store is at 50 of term 4. */
const UNFINISHED: [last: number, term: Term, heard: Term][] = [
  [2, 1, 1],
  [2, 1, 4],
  [49, 3, 3],
  [50, 3, 4],
  [60, 3, 3],
  [60, 3, 7],
];

for (const [last, term, heard] of UNFINISHED) {
  Deno.test(`openLog() restarts a log of ${last} that heard of ${heard} at the checkpoint before it`, async () => {
    const bench = await withLog(last, term, heard);
    await bench.switchStore(50, 4);
    const expected = {
      first: 51,
      last: 50,
      applied: 50,
      term: 4,
      hard: heard < 4
        ? { term: 4, vote: 0, commit: 50 }
        : { term: heard, vote: 2, commit: 50 },
    };
    await bench.during(async (opened) => {
      assert.deepEqual(placeOf(opened), expected);
      const { storage } = opened.wal;
      const core = new Core(raftOptions({
        id: 1,
        storage,
        randomTicks: () => 0,
        applied: 50,
        confState: opened.store.state.confState,
      }));
      assert.equal(core.status().committed, 50);
    }, { installedIndex: 50 });
    assert.equal(bench.log.named("checkpoint_install_finished").length, 1);
    await bench.during(async (opened) => {
      assert.deepEqual(placeOf(opened), expected);
    }, { installedIndex: 50 });
    assert.equal(bench.log.named("checkpoint_install_finished").length, 1);
  });
}

Deno.test("openLog() leaves a log alone that holds the checkpoint's entry", async () => {
  for (const last of [50, 60]) {
    const bench = await withLog(last, 4);
    await bench.switchStore(50, 4);
    await bench.during(async (opened) => {
      assert.equal(placeOf(opened).first, 3);
      assert.equal(placeOf(opened).last, last);
    }, { installedIndex: 50 });
  }
});

Deno.test("openLog() leaves a log alone that went on after a checkpoint", async () => {
  const bench = await withLog(5, 1);
  await bench.switchStore(50, 4);
  await bench.during(({ wal }) =>
    wal.append({
      entries: entriesOf(51, 56, 5),
      hardState: { term: 5, vote: 0, commit: 50 },
      mustSync: true,
    }), { installedIndex: 50 });
  await bench.during(async (opened) => {
    const { first, last, applied } = placeOf(opened);
    assert.deepEqual([first, last, applied], [51, 55, 50]);
  }, { installedIndex: 50 });
  await bench.switchStore(53, 5);
  await bench.during(async (opened) => {
    assert.equal(placeOf(opened).last, 55);
  }, { installedIndex: 50 });
});

Deno.test("openLog() names the cluster of a log that joined without", async () => {
  const bench = new Bench();
  await bench.during(async () => {}, { founding: JOINING });
  await bench.switchStore(50, 4);
  await bench.during(async ({ wal }) => {
    assert.deepEqual(wal.clusterId, CLUSTER);
    assert.equal(wal.storage.firstIndex(), 51);
  }, { installedIndex: 50, founding: JOINING });
});

Deno.test("openLog() finishes an install wherever it died before", async () => {
  let cut = 0;
  for (const kind of CRASH_KINDS) {
    for (let operation = 1;; operation += 1) {
      const bench = await withLog(60, 3);
      await bench.switchStore(50, 4);
      bench.disk.crashAt = bench.disk.operations + operation;
      const given = { installedIndex: 50 };
      const isDone = await bench.during(async () => {}, given)
        .then(() => true, () => false);
      bench.disk.restart(kind);
      await bench.during(async (opened) => {
        const { first, last } = placeOf(opened);
        assert.deepEqual([first, last], [51, 50]);
      }, given);
      if (isDone) break;
      cut += 1;
    }
  }
  assert.ok(cut >= 3 * CRASH_KINDS.length, `${cut} crashes`);
});
