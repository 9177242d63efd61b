import assert from "node:assert/strict";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { Store } from "../../../src/store/store.ts";
import { STORAGE_KEY } from "./encryption_model.ts";
import { canaries, canaryOf, CLUSTER, sealedAt } from "./rewrite_model.ts";
import { SILENT_LOG, stateAt } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const KEYS = new TestRecordKeys(CLUSTER);
const MANY = Array.from({ length: 300 }, (_, i) => canaryOf(`m${i}`, 1));

Deno.test("countRecords() tells cleartext from what is sealed, overflow parts or not", async () => {
  const store = await Store.open({
    ...{ kv: new SimKv(), log: SILENT_LOG, keys: KEYS },
  });
  await store.commit({ state: stateAt(1), mutations: canaries(1) });
  await store.commit({ state: sealedAt(2), mutations: MANY });
  const progress: number[] = [];
  const counts = await store.countRecords({
    onProgress: ({ records }) => void progress.push(records),
  });
  assert.deepEqual(counts, {
    cleartext: canaries(1).length,
    sealed: new Map([[STORAGE_KEY, MANY.length]]),
  });
  const total = canaries(1).length + MANY.length;
  assert.equal(progress.at(-1), total);
  assert.deepEqual(progress, progress.toSorted((a, b) => a - b));
  await store.close();
});

Deno.test("countRecords() ends when it is told to", async () => {
  const store = await Store.open({ kv: new SimKv(), log: SILENT_LOG });
  assert.deepEqual(await store.countRecords(), {
    ...{ cleartext: 0, sealed: new Map() },
  });
  await store.commit({ state: stateAt(1), mutations: MANY });
  let pages = 0;
  const counts = await store.countRecords({
    isOver: () => pages === 1,
    onProgress: () => void (pages += 1),
  });
  assert.equal(counts, null);
  assert.equal(pages, 1);
  await store.close();
});

Deno.test("countRecords() stores what was committed before it begins", async () => {
  const clock = new SimClock();
  const kv = new SimKv();
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, clock });
  await store.commit({ state: stateAt(1), mutations: MANY });
  assert.equal((await store.countRecords())?.cleartext, MANY.length);
  await store.close();
});

Deno.test("countRecords() refuses a record that is neither", async () => {
  for (
    const [change, code] of [
      [(row: Uint8Array) => row[1] = 2, "STORE_RECORD_DAMAGED"],
      [(row: Uint8Array) => row[21] = 9, "STORE_RECORD_INTEGRITY"],
    ] as const
  ) {
    const disk = new SimKvDisk();
    const kv = new SimKv({ disk });
    const store = await Store.open({ kv, log: SILENT_LOG, keys: KEYS });
    await store.commit({ state: sealedAt(2), mutations: MANY });
    change(disk.rows.at(-1)!.value);
    await assert.rejects(store.countRecords(), { code });
    const options = { after: null, rowsMax: 999, bytesMax: 1 };
    const pass = async () => {
      let after = null;
      do {
        const isStale = () => false;
        ({ next: after } = await store.rewriteStep({
          ...{ ...options, after, isStale },
        }));
      } while (after !== null);
    };
    await assert.rejects(pass(), { code });
    await store.close();
  }
});

Deno.test("countRecords() comes to an end while writes never do", async () => {
  const kv = new SimKv();
  const store = await BufferedStore.open({ kv, log: SILENT_LOG });
  let isOver = false;
  const writing = (async () => {
    for (let index = 1; !isOver && index < 20_000; index += 1) {
      const mutations = [canaryOf(`k${index % 9}`, index)];
      await store.commit({ state: stateAt(index), mutations });
    }
  })();
  await store.countRecords();
  assert.ok(store.state.applied.index < 19_999);
  isOver = true;
  await writing;
  await store.close();
});
