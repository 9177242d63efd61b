import assert from "node:assert/strict";
import { BufferedStore } from "../../../../src/store/buffered_store.ts";
import { BOOTSTRAP, rotation, STORAGE } from "./changes.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { CustodyFailure } from "./fake_custody.ts";

/** Rows that sessions asked for: key, epoch, and whether it was new. */
let rows: string[] = [];
let failure: Error | null = null;
const { insertSession } = BufferedStore.prototype;
BufferedStore.prototype.insertSession = async function (row) {
  if (failure !== null) throw failure;
  const isNew = await insertSession.call(this, row);
  rows.push(`${row.keyId}/${row.epoch} ${isNew}`);
  return isNew;
};

Deno.test("Node begins a session of the storage key at each start, and of each new one", async () => {
  rows = [];
  const world = await EncryptedCluster.start(["n1"]);
  const { cluster } = world;
  assert.deepEqual(rows, [], "there is no key yet");
  await world.propose(BOOTSTRAP);
  await cluster.clock.run(100);
  assert.deepEqual(rows, [`${STORAGE}/1 true`]);
  const { sessions } = world.engine("n1");
  assert.equal(sessions.current(STORAGE, "storage")?.epoch, 1);
  await world.propose(rotation(44));
  await cluster.clock.run(100);
  await cluster.stop("n1");
  await cluster.open("n1");
  await cluster.ready();
  assert.deepEqual(rows.slice(1), ["44/1 true", "44/2 true"]);
  // A row that an older sidecar forgot: the next epoch, and it is registered.
  await cluster.stop("n1");
  const { index, epochs } = world.custody("n1").sidecar;
  world.custody("n1").sidecar = {
    index,
    epochs: new Map(epochs).set(44, 1),
  };
  await cluster.open("n1");
  await cluster.ready();
  assert.deepEqual(rows.slice(3), ["44/2 false", "44/3 true"]);
  assert.deepEqual(world.registered("n1", "n1", [44]), [3]);
  await cluster.close();
});

Deno.test("Node stops when it cannot begin a session", async () => {
  const world = await EncryptedCluster.start(["n1"]);
  failure = new CustodyFailure("STORE_BACKING_FAILED");
  await world.propose(BOOTSTRAP);
  await world.cluster.clock.run(100);
  assert.equal(world.cluster.place("n1").fatal, failure);
  await world.cluster.stop("n1");
  failure = null;
});
