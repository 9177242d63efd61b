import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation } from "../../../src/fsm/types.ts";
import { BufferedStore } from "../../../src/store/buffered_store.ts";
import { Store } from "../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../sim/io/kv.ts";
import { STORAGE_KEY } from "./encryption_model.ts";
import {
  canaries,
  CANARY,
  canaryOf,
  CLUSTER,
  NEXT_KEY,
  rewriteAll,
  sealedAt,
  sumOf,
} from "./rewrite_model.ts";
import { SILENT_LOG, stateAt } from "./store_model.ts";
import { TestRecordKeys } from "./test_record_keys.ts";

const RECORDS = canaries(1);
const SEALED = sealedAt(2, { cutover: 2 });

function open(disk: SimKvDisk, keys: TestRecordKeys): Promise<Store> {
  return Store.open({ kv: new SimKv({ disk }), log: SILENT_LOG, keys });
}

/** A store that was written in cleartext and is in phase 1 now. */
async function cleartextStore() {
  const disk = new SimKvDisk();
  const keys = new TestRecordKeys(CLUSTER);
  const store = await open(disk, keys);
  await store.commit({ state: stateAt(1), mutations: RECORDS });
  await store.commit({ state: SEALED, mutations: [] });
  return { disk, keys, store };
}

function hasCanary(disk: SimKvDisk): boolean {
  const latin1 = new TextDecoder("latin1");
  return disk.rows.some(({ value }) => latin1.decode(value).includes(CANARY));
}

async function assertSame(
  store: Pick<Store, "readRecords">,
  mutations: readonly Mutation[],
): Promise<void> {
  const found = await store.readRecords(mutations);
  assert.deepEqual(found, mutations.map(({ record }) => record));
}

Deno.test("rewriteStep() seals all cleartext, and nothing else changes", async () => {
  const { disk, keys, store } = await cleartextStore();
  assert.deepEqual(await store.countRecords(), {
    cleartext: RECORDS.length,
    sealed: new Map(),
  });
  assert.ok(hasCanary(disk));
  const steps = await rewriteAll(store, STORAGE_KEY);
  assert.equal(sumOf(steps, "seen"), RECORDS.length);
  assert.equal(sumOf(steps, "rewritten"), RECORDS.length);
  const bytes = RECORDS.map(({ record }) => record!.value.data.length);
  assert.equal(sumOf(steps, "bytes"), bytes.reduce((sum, n) => sum + n, 0));
  assert.equal(hasCanary(disk), false);
  const sealed = new Map([[STORAGE_KEY, RECORDS.length]]);
  assert.deepEqual(await store.countRecords(), { cleartext: 0, sealed });
  await assertSame(store, RECORDS);
  await store.close();
  const again = await open(disk, keys);
  assert.deepEqual(again.state, SEALED);
  await assertSame(again, RECORDS);
  await again.commit({ state: sealedAt(6_000), mutations: [] });
  assert.equal((await again.sweep(6_000, 9)).length, 1, "it still expires");
  await again.close();
});

Deno.test("rewriteStep() that finds nothing stale writes nothing", async () => {
  const { disk, store } = await cleartextStore();
  await rewriteAll(store, STORAGE_KEY);
  const { commits } = disk;
  const steps = await rewriteAll(store, STORAGE_KEY);
  assert.equal(sumOf(steps, "seen"), RECORDS.length);
  assert.equal(sumOf(steps, "rewritten"), 0);
  assert.equal(disk.commits, commits);
  await store.close();
});

Deno.test("rewriteStep() takes records to the key that is active now", async () => {
  const { keys, store } = await cleartextStore();
  await rewriteAll(store, STORAGE_KEY);
  const state = sealedAt(3, { active: NEXT_KEY });
  await store.commit({ state, mutations: [canaryOf("k1", 3)] });
  const steps = await rewriteAll(store, NEXT_KEY);
  assert.equal(sumOf(steps, "rewritten"), RECORDS.length - 1);
  const sealed = new Map([[NEXT_KEY, RECORDS.length]]);
  assert.deepEqual(await store.countRecords(), { cleartext: 0, sealed });
  keys.forgotten.add(STORAGE_KEY);
  await assertSame(
    store,
    RECORDS.filter(({ key }) => `${key}` !== `${utf8("k1")}`),
  );
  await store.close();
});

Deno.test("rewriteStep() stays within its limits, but goes on", async () => {
  const { store } = await cleartextStore();
  for (const rowsMax of [1, 3, 1_000]) {
    for (const bytesMax of [1, 100_000, 10_000_000]) {
      const steps = await rewriteAll(store, 0, { rowsMax, bytesMax });
      assert.equal(sumOf(steps, "seen"), RECORDS.length);
      assert.equal(sumOf(steps, "rewritten"), RECORDS.length);
      for (const { seen, rewritten, bytes } of steps) {
        assert.ok(seen <= rowsMax);
        assert.ok(rewritten <= 1 || bytes <= bytesMax, `${bytes}`);
      }
    }
  }
  await assertSame(store, RECORDS);
  await store.close();
});

Deno.test("rewriteStep() begins after its cursor, whose record may be gone", async () => {
  const { store } = await cleartextStore();
  const options = { rowsMax: 10, bytesMax: 1e9, isStale: () => true };
  const first = await store.rewriteStep({ ...options, after: null });
  assert.equal(first.seen, 10);
  const gone = RECORDS.map((mutation) => ({ ...mutation, record: null }));
  const kept = canaryOf("size 7", 3);
  await store.commit({ state: sealedAt(3), mutations: [...gone, kept] });
  const rest = await store.rewriteStep({ ...options, after: first.next });
  assert.deepEqual(rest, { next: null, seen: 1, rewritten: 1, bytes: 40 });
  await assertSame(store, [kept]);
  await store.close();
});

Deno.test("rewriteStep() leaves what became fresh, or went, before its turn", async () => {
  const { store } = await cleartextStore();
  const fresh = canaryOf("k1", 3);
  const gone = { ...canaryOf("k2", 3), record: null };
  // In line before the step's writing, after its looking.
  let writing: Promise<void> | null = null;
  const { rewritten, seen } = await store.rewriteStep({
    ...{ after: null, rowsMax: 1_000, bytesMax: 1e9 },
    isStale: (keyId) => {
      writing ??= store.commit({
        ...{ state: sealedAt(3), mutations: [fresh, gone] },
      });
      return keyId !== STORAGE_KEY;
    },
  });
  await writing;
  assert.equal(seen, RECORDS.length);
  assert.equal(rewritten, RECORDS.length - 2);
  await assertSame(store, [fresh, gone]);
  await store.close();
});

Deno.test("rewriteStep() seals no record that is not believed", async () => {
  const { disk, store } = await cleartextStore();
  const row = disk.rows.find(({ key }) => `${key[1]}` === `${utf8("k1")}`)!;
  // Whoever can write to the file puts a cleartext record there.
  const forged = await forgedRow(canaryOf("k1", 9));
  disk.rows[disk.rows.indexOf(row)] = { ...row, value: forged };
  await assert.rejects(rewriteAll(store, STORAGE_KEY), {
    code: "STORE_RECORD_INTEGRITY",
    fault: "cleartext-after-cutover",
  });
  assert.equal(store.openFailures.get("cleartext-after-cutover"), 1);
  assert.ok(disk.rows.some(({ value }) => value === forged));
  await store.close();
});

Deno.test("a read of two bad records fails once", async () => {
  const { disk, store } = await cleartextStore();
  await rewriteAll(store, STORAGE_KEY);
  const [tampered, cut] = ["k1", "size 7"].map((name) =>
    disk.rows.findIndex(({ key }) => `${key[1]}` === `${utf8(name)}`)
  );
  disk.rows[tampered!]!.value[60]! ^= 1;
  disk.rows.splice(
    disk.rows.findIndex(({ key }) =>
      `${key[3]}` === `${disk.rows[cut!]!.key[1]}`
    ),
    1,
  );
  await assert.rejects(
    store.readRecords([canaryOf("k1", 1), canaryOf("size 7", 1)]),
    {
      code: "STORE_RECORD_DAMAGED",
    },
  );
  // A rejection that nobody handles would end the process.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await store.close();
});

/** The row that a store without encryption would have of `mutation`. */
async function forgedRow(mutation: Mutation) {
  const disk = new SimKvDisk();
  const store = await open(disk, new TestRecordKeys(CLUSTER));
  await store.commit({ state: stateAt(9), mutations: [mutation] });
  await store.close();
  return disk.rows.at(-1)!.value;
}

Deno.test("rewriteStep() that dies at any commit leaves every record", async () => {
  for (const fault of ["crash-before", "crash-after"] as const) {
    let rewritten = 0;
    for (let faultAt = 1; rewritten < RECORDS.length; faultAt += 1) {
      const { disk, keys, store } = await cleartextStore();
      await store.close();
      const kv = new SimKv({ disk, faultAt, fault });
      const dying = await Store.open({ kv, log: SILENT_LOG, keys });
      const limits = { rowsMax: 20, bytesMax: 2_000_000 };
      await rewriteAll(dying, STORAGE_KEY, limits).catch(() => {});
      await dying.close();
      const again = await open(disk, keys);
      await assertSame(again, RECORDS);
      const { sealed } = (await again.countRecords())!;
      rewritten = sealed.get(STORAGE_KEY) ?? 0;
      await again.close();
    }
  }
});

Deno.test("rewriteStep() of a buffered store goes on in the one that replaces it", async () => {
  const { disk, keys, store: first } = await cleartextStore();
  await first.close();
  const copy = disk.copy();
  const [kv, log] = [new SimKv({ disk }), SILENT_LOG];
  const store = await BufferedStore.open({ kv, log, keys });
  const options = { rowsMax: 20, bytesMax: 1e9, isStale: () => true };
  const { next } = await store.rewriteStep({ ...options, after: null });
  const counting = store.countRecords();
  const [replacing, stepping] = [
    store.replaceWith(open(copy, keys)),
    store.rewriteStep({ ...options, after: next }),
  ];
  await replacing;
  assert.equal((await stepping).seen, 20);
  const counts = (await counting)!;
  assert.ok(counts.cleartext >= RECORDS.length - 20);
  await rewriteAll(store, STORAGE_KEY);
  assert.equal((await store.countRecords())?.cleartext, 0);
  await assertSame(store, RECORDS);
  await store.close();
});
