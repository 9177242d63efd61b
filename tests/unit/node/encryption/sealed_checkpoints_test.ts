/*
 * Goal: from the storage cutover on what members send each other, and what a
 * backup is, is sealed; a member that seals takes nothing in cleartext.
 * Method: whole nodes with real keys on simulated disks; a member is rebuilt
 * from a checkpoint, and every file on its way is looked at.
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../../../src/base/bytes.ts";
import { NO_KEY } from "../../../../src/base/data_key.ts";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import { StoreMaker } from "../../../../src/node/checkpoint/maker.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import {
  type CheckpointFile,
  openHeader,
} from "../../../../src/store/checkpoint/chunk_reader.ts";
import { streamKeyId } from "../../../../src/store/checkpoint/header.ts";
import {
  readCheckpoint,
  verifyCheckpoint,
} from "../../../../src/store/checkpoint/read.ts";
import { writeCheckpointFile } from "../../../../src/store/checkpoint/write.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { fileOf } from "../../store/checkpoint/stream.ts";
import { TestCluster, type TestOptions } from "../test_cluster.ts";
import { engineOf } from "./encrypted_cluster.ts";
import { rebuildMember } from "./rebuild_member.ts";

useTurnCrypto();

const NAMES = ["n1", "n2", "n3"];
const TERMS = { dryRun: false, planHash: "", confirm: "test", accept: [] };
const SMALL_LOG = {
  segmentBytes: 4_096,
  compactAfterBytes: 4_096,
  trailingEntries: 5,
};

/** `keksOf` gives the fill of each member's KEK at its next start. */
async function start(
  keksOf: (name: string) => number = () => 7,
  options: Partial<TestOptions> = {},
): Promise<TestCluster> {
  const cluster = await TestCluster.start(NAMES, {
    ...SMALL_LOG,
    ...options,
    keys: (name) => ({
      isEnabled: true,
      kekCount: 1,
      openKeks: async () => [await TestKek.of(keksOf(name))],
    }),
  });
  const { encryption } = cluster.node(await cluster.leader());
  const done = encryption.changeEncryption({ kind: "bootstrap" }, TERMS);
  await cluster.clock.until(done);
  return cluster;
}

async function seal(cluster: TestCluster): Promise<void> {
  const engine = engineOf(await cluster.leader());
  const payload = encodeEncryption({ kind: "enable-storage-envelope" });
  const outcome = engine.proposeEncryption(payload);
  assert.ok(outcome !== null);
  await cluster.clock.until(outcome);
}

async function fill(cluster: TestCluster): Promise<void> {
  for (let i = 0; i < 40; i += 1) {
    await cluster.clock.until(cluster.write("n2", `${i}`));
  }
}

async function backupOf(cluster: TestCluster): Promise<CheckpointFile> {
  const node = cluster.node(await cluster.leader());
  const read = async () => {
    const pieces = [];
    for await (const piece of node.backup()) pieces.push(piece);
    return concatBytes(...pieces);
  };
  return fileOf(await cluster.clock.until(read()));
}

async function isSealed(file: CheckpointFile): Promise<boolean> {
  const { header: { state } } = await openHeader(file);
  return streamKeyId(state) !== NO_KEY;
}

Deno.test("a backup is sealed from the storage cutover on", async () => {
  const cluster = await start();
  await fill(cluster);
  const before = await backupOf(cluster);
  assert.equal(await isSealed(before), false);
  assert.ok((await verifyCheckpoint(before)).records > 40);
  await seal(cluster);
  const after = await backupOf(cluster);
  assert.equal(await isSealed(after), true);
  await assert.rejects(verifyCheckpoint(after), /sealed chunks/);
  await cluster.close();
});

Deno.test("a member that is cut off gives no backup", async () => {
  const cluster = await start();
  const leader = await cluster.leader();
  for (const name of NAMES.filter((one) => one !== leader)) {
    await cluster.stop(name);
  }
  const pieces = cluster.node(leader).backup()[Symbol.asyncIterator]();
  await assert.rejects(
    cluster.clock.until(pieces.next()),
    /no majority says what is newest/,
  );
  await cluster.close();
});

Deno.test("a member is built from a sealed checkpoint", async () => {
  const cluster = await start();
  await fill(cluster);
  await seal(cluster);
  const leader = await cluster.leader();
  const name = NAMES.find((one) => one !== leader)!;
  await rebuildMember(cluster, name);
  await cluster.ready();
  const place = cluster.place(name);
  assert.equal(place.log.named("store_replaced").length, 1);
  assert.equal((await cluster.read(name)).count, 40);
  await cluster.close();
});

Deno.test("a member without the KEK stops before a sealed checkpoint", async () => {
  const keks = new Map<string, number>();
  const cluster = await start((name) => keks.get(name) ?? 7);
  await fill(cluster);
  await seal(cluster);
  const leader = await cluster.leader();
  const name = NAMES.find((one) => one !== leader)!;
  keks.set(name, 8);
  await rebuildMember(cluster, name);
  const isOver = () => cluster.place(name).fatal !== null;
  for (let i = 0; i < 200 && !isOver(); i += 1) await cluster.clock.run(50);
  const { fatal } = cluster.place(name);
  assert.ok(fatal instanceof EncryptionHaltedError);
  assert.match(`${(fatal.cause as Error).message}`, /is wrapped under/);
  cluster.place(name).fatal = null;
  await cluster.close();
});

Deno.test("a member that seals refuses a checkpoint in cleartext", async () => {
  const cluster = await start();
  const cleartext = await backupOf(cluster);
  await seal(cluster);
  const leader = await cluster.leader();
  const [name, other] = NAMES.filter((one) => one !== leader);
  await cluster.stop(name!);
  for (let i = 0; i < 60; i += 1) {
    await cluster.clock.until(cluster.write(other!, `${i}`));
  }
  using _ = forged(cluster, cleartext);
  await cluster.open(name!);
  const failures = () =>
    cluster.place(name!).log.named("checkpoint_failed")
      .map(({ fields }) => fields["error"]);
  for (let i = 0; i < 100 && failures().length === 0; i += 1) {
    await cluster.clock.run(50);
  }
  assert.equal(failures()[0], "NODE_CHECKPOINT_UNSEALED");
  assert.equal(cluster.place(name!).log.named("store_replaced").length, 0);
  assert.deepEqual(
    await cluster.place(name!).disk.list("/data/checkpoints"),
    [],
  );
  await cluster.close();
});

Deno.test("a checkpoint that the storage cutover overtakes is not sent on", async () => {
  const cluster = await start(() => 7, { checkpointBytesPerSecond: 500 });
  await fill(cluster);
  const leader = await cluster.leader();
  const name = NAMES.find((one) => one !== leader)!;
  await rebuildMember(cluster, name);
  const { log } = cluster.place(leader);
  const indexes = (event: string) =>
    log.named(event).filter(({ fields }) => fields["direction"] === "out")
      .map(({ fields }) => Number(fields["index"]));
  for (let i = 0; indexes("checkpoint_started").length === 0; i += 1) {
    assert.ok(i < 100);
    await cluster.clock.run(50);
  }
  await seal(cluster);
  const { storageCutoverIndex } = engineOf(leader).encryption.state;
  assert.ok(indexes("checkpoint_started")[0]! < storageCutoverIndex);
  assert.deepEqual(indexes("checkpoint_installed"), []);
  await cluster.ready();
  const [installed, ...more] = indexes("checkpoint_installed");
  assert.ok(installed! >= storageCutoverIndex, `${installed}`);
  assert.deepEqual(more, []);
  assert.equal((await cluster.read(name)).count, 40);
  await cluster.close();
});

/** Lets leaders send `cleartext` as if it were of their present index. */
function forged(cluster: TestCluster, cleartext: CheckpointFile): Disposable {
  const { make } = StoreMaker.prototype;
  StoreMaker.prototype.make = async function (path) {
    const honest = await make.call(this, path, { flush: false });
    const { disk } = cluster.place(await cluster.leader());
    await disk.remove(path);
    const source = await readCheckpoint(cleartext);
    const { index, term, confState } = honest;
    const state = { ...source.state, applied: { index, term }, confState };
    const { bytes, digest } = await writeCheckpointFile(
      {
        state,
        records: () => source.records(),
        close: () => source.close(),
      },
      { disk, path },
      { random: new SimRandom(1) },
    );
    return { ...honest, bytes, digest };
  };
  return { [Symbol.dispose]: () => void (StoreMaker.prototype.make = make) };
}
