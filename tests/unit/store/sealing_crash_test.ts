/*
 * Goal: at any moment, what a crash leaves opens: no sealed record without its
 * session's row, no cleartext that came after the cutover.
 * Method: random batches across the cutover, with sessions and stores that end
 * at random; a commit fails; look at the rows, open them with the keys alone.
 */
import assert from "node:assert/strict";
import { NodeError } from "../../../src/base/error.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { buildStore } from "../../../src/store/checkpoint/build.ts";
import { Store } from "../../../src/store/store.ts";
import { runCount } from "../../run_count.ts";
import { SimKv, SimKvCrash, SimKvDisk } from "../../sim/io/kv.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { sourceOf } from "./checkpoint/stream.ts";
import { macOf } from "./encryption_model.ts";
import {
  canaries,
  CLUSTER_ID,
  CUTOVER,
  putAt,
  sealedAt,
  sessionRows,
} from "./sealed_model.ts";
import { SILENT_LOG } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];
const LAST = 20;

function batchAt(index: number, random: SimRandom): readonly Mutation[] {
  if (index === CUTOVER) return [];
  if (random.below(60) === 0) {
    return Array.from({ length: 1_010 }, (_, i) => putAt(`many${i}`, index));
  }
  return NAMES.filter(() => random.below(2) === 0).map((name) => {
    const bytes = random.below(10) === 0 ? 65_536 : 10;
    const put = putAt(name, index, { bytes });
    return random.below(5) === 0 ? { ...put, record: null } : put;
  });
}

/** All of `model` is there, up to what was applied when the process died. */
async function check(
  disk: SimKvDisk,
  batches: readonly (readonly Mutation[])[],
) {
  const keys = new TestRecordKeys(CLUSTER_ID, 5_000);
  const kv = new SimKv({ disk });
  const store = await Store.open({ kv, log: SILENT_LOG, keys });
  const { index } = store.state.applied;
  const model = new Map<string, Mutation>();
  for (const mutation of batches.slice(0, index).flat()) {
    model.set(mutation.key.toString(), mutation);
  }
  const mutations = [...model.values()];
  const records = await store.readRecords(mutations);
  mutations.forEach(({ record }, i) => {
    const found = records[i] ?? null;
    assert.deepEqual(
      found === null ? null : { ...found, value: found.value.data.at(-1) },
      record === null ? null : { ...record, value: record.value.data.at(-1) },
    );
  });
  await store.close();
  return index;
}

for (const fault of ["crash-before", "crash-after"] as const) {
  Deno.test(`a store that dies (${fault}) has what it sealed, and its sessions`, async () => {
    let [before, after, rolled] = [0, 0, 0];
    for (let seed = 0; seed < runCount(100); seed += 1) {
      const random = new SimRandom(seed);
      const disk = new SimKvDisk();
      const keys = new TestRecordKeys(CLUSTER_ID);
      const faultAt = 1 + random.below(40);
      const kv = new SimKv({ disk, fault, faultAt });
      const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
      const batches: (readonly Mutation[])[] = [];
      try {
        for (let index = 1; index <= LAST; index += 1) {
          const mutations = batchAt(index, random);
          batches.push(mutations);
          await store.commit({ state: sealedAt(index), mutations });
          if (index === CUTOVER || random.below(2) === 0) await store.flush();
          if (random.below(6) === 0) keys.renew();
        }
        await store.close();
      } catch (error) {
        assert.ok(
          error instanceof NodeError || error instanceof SimKvCrash,
          `${error}`,
        );
        await store.close();
      }
      rolled += sessionRows(disk).length > 1 ? 1 : 0;
      const late = canaries(disk).filter(({ value }) =>
        new DataView(value.buffer).getUint32(7) > CUTOVER && value[0] === 1
      );
      assert.deepEqual(late, [], `seed ${seed}`);
      const index = await check(disk, batches);
      if (index < CUTOVER) before += 1;
      else after += 1;
    }
    assert.ok(before > 10 && after > 10 && rolled > 10, `${before} ${after}`);
  });
}

Deno.test("a store that is built seals all, its sessions first, or is nothing", async () => {
  const RECORDS = NAMES.map((name, i) => {
    const { database, key, record } = putAt(name, 9 + i, {
      bytes: i === 2 ? 65_536 : 30_000 * (i % 3),
    });
    return { database, key, ...record! };
  });
  const state = sealedAt(LAST);
  let partly = 0;
  for (let faultAt = 1;; faultAt += 1) {
    const disk = new SimKvDisk();
    const keys = new TestRecordKeys(CLUSTER_ID);
    const kv = new SimKv({ disk, faultAt, fault: "crash-after" });
    const own = { encryptionMac: macOf(1), sessions: [], keys };
    const done = await buildStore(kv, sourceOf(state, RECORDS), own).then(
      () => true,
      () => false,
    );
    assert.equal(canaries(disk).length, 0);
    const records = disk.rows.filter(({ key }) => key[0] !== 0n);
    if (records.length > 0) assert.equal(sessionRows(disk).length, 1);
    const opening = Store.open({
      kv: new SimKv({ disk }),
      log: SILENT_LOG,
      keys,
    });
    if (done) {
      const store = await opening;
      assert.equal(store.hasNoCleartextMark, true);
      const found = await store.readRecords(RECORDS);
      assert.ok(found.every((record) => record !== null));
      await store.close();
      break;
    }
    if (disk.rows.some(({ key }) => key[1] === 1n && key[0] === 0n)) {
      await (await opening).close();
    } else await assert.rejects(opening, { code: "STORE_ROW_DAMAGED" });
    partly += 1;
  }
  assert.ok(partly >= 2, `${partly}`);
});

Deno.test("a store that is built from cleartext is cleartext and has no mark", async () => {
  const disk = new SimKvDisk();
  const { database, key, record } = putAt("a", 3);
  const source = sourceOf(sealedAt(5), [{ database, key, ...record! }]);
  const keys = new TestRecordKeys(CLUSTER_ID);
  const own = { encryptionMac: macOf(1), sessions: [], keys };
  await buildStore(new SimKv({ disk }), source, own);
  assert.equal(canaries(disk).length, 1);
  const store = await Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG });
  assert.equal(store.hasNoCleartextMark, false);
  await store.close();
});

Deno.test("a store is not built of records to seal without keys", async () => {
  const { database, key, record } = putAt("a", 3);
  const source = sourceOf(sealedAt(12), [{ database, key, ...record! }]);
  const own = { encryptionMac: macOf(1), sessions: [] };
  const disk = new SimKvDisk();
  await assert.rejects(buildStore(new SimKv({ disk }), source, own), {
    code: "STORE_RECORD_SEALED",
  });
  assert.equal(canaries(disk).length, 0);
});

Deno.test("a replaced store's successor opens under the sessions of both", async () => {
  const keys = new TestRecordKeys(CLUSTER_ID);
  const [first, second] = [new SimKvDisk(), new SimKvDisk()];
  const kv = new SimKv({ disk: first });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
  await store.commit({ state: sealedAt(11), mutations: [putAt("a", 11)] });
  await store.flush();
  const built = new SimKv({ disk: second });
  const own = { encryptionMac: macOf(1), sessions: [], keys };
  const { database, key, record } = putAt("b", 15);
  const source = sourceOf(sealedAt(15), [{ database, key, ...record! }]);
  await buildStore(built, source, own);
  const next = new SimKv({ disk: second });
  await store.replaceWith(Store.open({ kv: next, log: SILENT_LOG, keys }));
  await store.commit({ state: sealedAt(16), mutations: [putAt("c", 16)] });
  await store.flush();
  const places = ["a", "b", "c"].map((name) => ({
    ...{ database: 1, key: utf8(name) },
  }));
  const found = await store.readRecords(places);
  assert.deepEqual(found.map((record) => record !== null), [false, true, true]);
  assert.equal(sessionRows(second).length, 1);
  await store.close();
});
