import assert from "node:assert/strict";
import {
  type LeaderState,
  type ResyncOutcome,
  resyncSidecar,
} from "../../../src/app/resync_sidecar.ts";
import { EPOCH_MAX } from "../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../src/base/identity.ts";
import { encodeEncryptionState } from "../../../src/fsm/encryption_codec.ts";
import {
  type EncryptionState,
  writerId,
  type WriterRow,
} from "../../../src/fsm/types.ts";
import { denoClock } from "../../../src/io/deno/clock.ts";
import { denoRandom } from "../../../src/io/deno/random.ts";
import { TestKek } from "../keys/test_kek.ts";
import {
  keysOf,
  type StartKeys,
  TestDataDir,
} from "../node/guards/test_data_dir.ts";

interface Given {
  readonly keys?: StartKeys;
  readonly node?: string;
  readonly leader?: LeaderState;
}

async function resync(
  dir: TestDataDir,
  { keys = { keks: [dir.kek] }, node, leader }: Given = {},
): Promise<ResyncOutcome> {
  return await resyncSidecar({ ...dir.ports, clock: denoClock() }, {
    ...{ dataDir: dir.path, node: node ?? null, keys: keysOf(keys) },
    fetchState: leader === undefined ? null : () => Promise.resolve(leader),
  });
}

/** `state` with what n1 registered under both active keys. */
function registered(
  state: EncryptionState,
  lastEpoch: number,
): EncryptionState {
  const id = fullNodeId("n1");
  const { storage, raft } = state.active;
  const keyIds = [storage, raft].toSorted((a, b) => a - b);
  const rows = keyIds.map((keyId): WriterRow => ({
    ...{ keyId, node16: node16Of(id), fullNodeId: id },
    ...{ firstEpoch: 1, lastEpoch },
  }));
  return {
    ...state,
    writers: new Map(rows.map((row) => [writerId(row.keyId, row.node16), row])),
  };
}

function insertSession(dir: TestDataDir, keyId: number, epoch: number) {
  const row = { keyId, node16: 0xd4c0, epoch, salt: denoRandom().bytes(32) };
  return dir.withStore((store) => store.insertSession(row));
}

Deno.test("resyncSidecar() makes a lost sidecar from the store", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const state = await dir.encryption();
  const { active, stateKey, stateIndex } = state;
  await dir.commit(registered(state, 5));
  await insertSession(dir, active.storage, 7);
  await Deno.remove(dir.sidecar);
  const outcome = await resync(dir);
  assert.deepEqual({ ...outcome, epochs: new Map(outcome.epochs) }, {
    ...{ node: "n1", path: dir.sidecar, source: "store", stateIndex },
    epochs: new Map([
      [active.storage, 8],
      [active.raft, 6],
      [stateKey, 1],
    ]),
    keptAs: null,
  });
  await dir.run();
  assert.equal((await dir.epochs()).get(active.storage), 9);
});

Deno.test("resyncSidecar() goes above the epochs of the old sidecar", async () => {
  await using dir = await TestDataDir.bootstrapped();
  await dir.run();
  await dir.run();
  const { keptAs } = await resync(dir);
  assert.deepEqual(new Set((await dir.epochs()).values()), new Set([4]));
  assert.match(keptAs ?? "", /\/keys\.json\.old-\d{8}T\d{6}Z$/);
  assert.match(await Deno.readTextFile(keptAs ?? ""), /"local_epoch": 3/);
  await dir.run();
});

const DAMAGES: Record<string, (dir: TestDataDir) => Promise<unknown>> = {
  "does not parse": (dir) => Deno.truncate(dir.sidecar, 100),
  "was changed": async (dir) => {
    const text = await Deno.readTextFile(dir.sidecar);
    await Deno.writeTextFile(
      dir.sidecar,
      text.replace('epoch": 1', 'epoch": 2'),
    );
  },
  "is behind": async (dir) => {
    const old = await Deno.readTextFile(dir.sidecar);
    const before = await dir.encryption();
    const next = { ...before, stateIndex: before.stateIndex + 1 };
    await dir.absorb(next);
    await dir.commit(next);
    await Deno.writeTextFile(dir.sidecar, old);
  },
  "was put back": async (dir) => {
    const old = await Deno.readTextFile(dir.sidecar);
    await dir.run();
    await Deno.writeTextFile(dir.sidecar, old);
  },
};
for (const [name, damage] of Object.entries(DAMAGES)) {
  Deno.test(`resyncSidecar() mends a sidecar that ${name}`, async () => {
    await using dir = await TestDataDir.bootstrapped();
    await damage(dir);
    await assert.rejects(dir.open(dir.keys));
    await resync(dir);
    await dir.run();
  });
}

Deno.test("resyncSidecar() takes the leader's state when that is newer", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const clusterId = await dir.clusterId();
  const state = await dir.encryption();
  const newer = registered({ ...state, stateIndex: state.stateIndex + 5 }, 30);
  await Deno.remove(dir.sidecar);
  const leader = { clusterId, state: encodeEncryptionState(newer) };
  const outcome = await resync(dir, { leader });
  assert.deepEqual(
    [outcome.source, outcome.stateIndex],
    ["leader", newer.stateIndex],
  );
  assert.deepEqual(new Set(outcome.epochs.values()), new Set([31, 1]));
  await dir.run();
});

Deno.test("resyncSidecar() heeds what an older leader's registry knows", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const clusterId = await dir.clusterId();
  const state = registered(await dir.encryption(), 40);
  const leader = { clusterId, state: encodeEncryptionState(state) };
  const { source, epochs } = await resync(dir, { leader });
  assert.equal(source, "store");
  assert.deepEqual(new Set(epochs.values()), new Set([41, 2]));
});

const REFUSALS: [
  name: string,
  code: string,
  make: (dir: TestDataDir) => Promise<Given>,
][] = [
  ["another cluster's leader", "NODE_WRONG_CLUSTER", async (dir) => ({
    leader: {
      clusterId: new Uint8Array(16).fill(1),
      state: encodeEncryptionState(await dir.encryption()),
    },
  })],
  ["another node's name", "NODE_WRONG_NODE", async () => ({ node: "n2" })],
  ["no KEK", "NODE_KEK_REQUIRED", async () => ({ keys: {} })],
  ["another KEK", "KEYS_KEK_MISMATCH", async () => ({
    keys: { keks: [await TestKek.of(2)] },
  })],
  ["a changed store", "STORE_STATE_TAMPERED", async (dir) => {
    await dir.commit(await dir.encryption(), (state) => ({
      ...state,
      encryptionMac: new Uint8Array(32),
    }));
    return {};
  }],
  ["a spent epoch of an active key", "KEYS_EPOCH_EXHAUSTED", async (dir) => {
    const { active } = await dir.encryption();
    await insertSession(dir, active.storage, EPOCH_MAX);
    return {};
  }],
];
for (const [name, code, make] of REFUSALS) {
  Deno.test(`resyncSidecar() refuses ${name}`, async () => {
    await using dir = await TestDataDir.bootstrapped();
    const given = await make(dir);
    const before = await dir.content();
    await assert.rejects(resync(dir, given), { code });
    assert.deepEqual(await dir.content(), before);
  });
}

Deno.test("resyncSidecar() refuses a cluster without keys", async () => {
  await using dir = await TestDataDir.founded();
  await assert.rejects(resync(dir), { code: "NODE_NOT_BOOTSTRAPPED" });
  await dir.run({});
});

Deno.test("resyncSidecar() refuses a data dir in use, or none", async () => {
  await using dir = await TestDataDir.bootstrapped();
  const node = await dir.open(dir.keys);
  await assert.rejects(resync(dir), { code: "NODE_DATA_DIR_LOCKED" });
  await node.stop();
  await using empty = await TestDataDir.empty();
  await assert.rejects(resync(empty), { code: "NODE_IDENTITY_DAMAGED" });
});
