/*
 * Goal: whatever a node's store seals can be opened by the next process on the
 * same disk, and no session is used before the store at hand has its row.
 * Method: real keys, sessions and stores on simulated disks.
 */
import assert from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { EPOCH_MAX } from "../../../../src/base/data_key.ts";
import type { Custody } from "../../../../src/keys/custody.ts";
import type { SharedKeys } from "../../../../src/keys/port.ts";
import { type Session, Sessions } from "../../../../src/keys/sessions.ts";
import { NodeRecordKeys } from "../../../../src/node/encryption/record_keys.ts";
import { BufferedStore } from "../../../../src/store/buffered_store.ts";
import type { SessionRow } from "../../../../src/store/session_row.ts";
import type { Disk } from "../../../../src/io/disk.ts";
import { SimKv, SimKvDisk } from "../../../sim/io/kv.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import {
  founded,
  keyFor,
  noRow,
  openOn,
  rotatedTo,
  without,
} from "../../keys/custody_harness.ts";
import { CLUSTER_ID } from "../../keys/sample_keys.ts";
import { TestKek } from "../../keys/test_kek.ts";
import {
  canaries,
  CUTOVER,
  putAt,
  sealedAt,
} from "../../store/sealed_model.ts";
import { SILENT_LOG } from "../../store/store_model.ts";

const KEK = await TestKek.of(1);

/** State of a cluster with these keys, storage sealed from 10 on. */
function stateOf(index: number, { active }: SharedKeys) {
  const state = sealedAt(index, { active: active.storage });
  return { ...state, fsm: { ...state.fsm, clusterId: CLUSTER_ID } };
}

interface Process {
  readonly custody: Custody;
  readonly sessions: Sessions;
  readonly keys: NodeRecordKeys;
  readonly store: BufferedStore;
}

async function start(
  custody: Custody,
  kvDisk: SimKvDisk,
  seed = 1,
): Promise<Process> {
  await custody.raiseEpochs();
  const opened: { store?: BufferedStore } = {};
  const sessions = new Sessions({
    custody,
    random: new SimRandom(seed),
    rows: { insert: (row) => opened.store!.insertSession(row) },
  });
  const keys = new NodeRecordKeys({ custody, sessions });
  const kv = new SimKv({ disk: kvDisk });
  const store = await BufferedStore.open({ kv, log: SILENT_LOG, keys });
  opened.store = store;
  return { custody, sessions, keys, store };
}

async function put(
  { store }: Process,
  shared: SharedKeys,
  index: number,
  name: string,
): Promise<void> {
  const mutations = [putAt(name, index)];
  await store.commit({ state: stateOf(index, shared), mutations });
  await store.flush();
}

async function read({ store }: Process, name: string) {
  const [record] = await store.readRecords([{ database: 1, key: utf8(name) }]);
  return record?.value.data.at(-1) ?? null;
}

function makeDue({ nonces }: Session): void {
  Object.defineProperty(nonces, "isDue", { value: true });
}

async function world() {
  const { disk, shared, custody } = await founded([KEK]);
  const kvDisk = new SimKvDisk();
  return { disk, shared, kvDisk, first: await start(custody, kvDisk) };
}

async function restart(disk: Disk, kvDisk: SimKvDisk): Promise<Process> {
  return await start(await openOn(disk, [KEK]), kvDisk, 2);
}

Deno.test("the next process opens what this one sealed", async () => {
  const { disk, shared, kvDisk, first } = await world();
  await put(first, shared, 11, "a");
  assert.equal(canaries(kvDisk).length, 0);
  await first.store.close();
  const second = await restart(disk, kvDisk);
  assert.equal(await read(second, "a"), 11);
  await put(second, shared, 12, "b");
  const rows = await second.store.sessionRows();
  assert.deepEqual(rows.map(({ epoch }) => epoch), [2, 3]);
  await second.store.close();
});

Deno.test("a commit and its node may open the same session at once", async () => {
  const { shared, first } = await world();
  const { storage } = shared.active;
  const opening = first.sessions.open(storage, "storage");
  const committing = put(first, shared, 11, "a");
  const session = await opening;
  await committing;
  await put(first, shared, 12, "b");
  assert.equal(first.sessions.current(storage, "storage"), session);
  assert.equal(session.nonces.count, 2);
  assert.equal((await first.store.sessionRows()).length, 1);
  await first.store.close();
});

Deno.test("a session that is due ends between two records of a batch", async () => {
  const { shared, first } = await world();
  const { storage } = shared.active;
  makeDue(await first.sessions.open(storage, "storage"));
  await put(first, shared, 11, "before");
  const mutations = ["a", "b", "c"].map((name) => putAt(name, 11));
  const sealing = first.keys.sealing.bind(first.keys);
  let seals = 0;
  first.keys.sealing = (active, insert) => {
    seals += 1;
    const session = first.sessions.current(active, "storage");
    if (seals === 3 && session !== null) makeDue(session);
    return sealing(active, insert);
  };
  await first.store.commit({ state: stateOf(11, shared), mutations });
  await first.store.flush();
  const rows = await first.store.sessionRows();
  assert.deepEqual(rows.map(({ epoch }) => epoch), [2, 3, 4]);
  for (const name of ["a", "b", "c"]) assert.equal(await read(first, name), 11);
  assert.equal(first.sessions.seals().get(storage), 4);
  await first.store.close();
});

Deno.test("a store whose active key is spent seals under the sidecar's", async () => {
  const { disk, shared, kvDisk, first } = await world();
  await put(first, shared, 11, "a");
  const { storage } = shared.active;
  await first.custody.nextEpoch(storage, EPOCH_MAX - 1);
  const rotated = rotatedTo(shared, await keyFor("storage", [KEK], 7), 12);
  await first.custody.absorb(CLUSTER_ID, rotated, noRow);
  await first.store.close();
  const second = await restart(disk, kvDisk);
  assert.equal(second.custody.isSpent(storage), true);
  // The store has yet to apply the rotation.
  await put(second, shared, 12, "b");
  const { seals } = { seals: second.sessions.seals() };
  assert.deepEqual([...seals], [[rotated.active.storage, 1]]);
  assert.deepEqual([await read(second, "a"), await read(second, "b")], [
    11,
    12,
  ]);
  await second.store.close();
});

Deno.test("a spent key without a successor seals nothing", async () => {
  const { disk, shared, kvDisk, first } = await world();
  await first.custody.nextEpoch(shared.active.storage, EPOCH_MAX - 1);
  await first.store.close();
  const second = await restart(disk, kvDisk);
  await assert.rejects(put(second, shared, 11, "a"), {
    code: "KEYS_EPOCH_EXHAUSTED",
  });
  assert.equal(canaries(kvDisk).length, 0);
  await second.store.close();
});

Deno.test("a key that the sidecar does not know any more is followed by its own", async () => {
  const { disk, shared, kvDisk, first } = await world();
  const rotated = rotatedTo(shared, await keyFor("storage", [KEK], 7), 12);
  await first.custody.absorb(CLUSTER_ID, rotated, noRow);
  const retired = without(rotated, shared.active.storage, 13);
  await first.custody.absorb(CLUSTER_ID, retired, noRow);
  await first.store.close();
  const second = await restart(disk, kvDisk);
  await put(second, shared, 11, "a");
  assert.deepEqual([...second.sessions.seals().keys()], [
    rotated.active.storage,
  ]);
  await second.store.close();
});

Deno.test("each store has the row before a session seals for it", async () => {
  const { shared, first } = await world();
  const { storage } = shared.active;
  const placed: SessionRow[][] = [[], []];
  const inserts = placed.map((rows) => (row: SessionRow) => {
    rows.push(row);
    return Promise.resolve(true);
  });
  const sessions = [];
  for (const insert of [...inserts, ...inserts]) {
    sessions.push(await first.keys.sealing(storage, insert));
  }
  assert.equal(new Set(sessions).size, 1);
  assert.deepEqual(placed.map(({ length }) => length), [1, 1]);
  assert.ok(!(first.keys.sealing(storage, inserts[0]!) instanceof Promise));
  const refusing = () => Promise.resolve(false);
  const opening = Promise.resolve(first.keys.sealing(storage, refusing));
  await assert.rejects(opening, /one salt/);
  await first.store.close();
});

Deno.test("nameOf() is the same for the same place and tells no key", async () => {
  const { shared, first } = await world();
  const [a, b] = [utf8("\0\0\0\x01a"), utf8("\0\0\0\x01b")];
  const name = await first.keys.nameOf(shared.stateKey, a);
  assert.match(name, /^[0-9a-f]{16}$/);
  assert.equal(await first.keys.nameOf(shared.stateKey, a), name);
  assert.notEqual(await first.keys.nameOf(shared.stateKey, b), name);
  await assert.rejects(first.keys.nameOf(5, a), { code: "KEYS_KEY_UNKNOWN" });
  const row = { keyId: 5, node16: 1, epoch: 1, salt: new Uint8Array(32) };
  await assert.rejects(first.keys.opening(row), { code: "KEYS_KEY_UNKNOWN" });
  assert.doesNotMatch(Deno.inspect(first.keys, { depth: 9 }), /secret|d: "/);
  await first.store.close();
});

Deno.test("records before the cutover need no session", async () => {
  const { shared, kvDisk, first } = await world();
  await put(first, shared, CUTOVER - 1, "a");
  assert.equal(canaries(kvDisk).length, 1);
  assert.equal((await first.store.sessionRows()).length, 0);
  await first.store.close();
});
