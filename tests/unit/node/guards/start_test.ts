import assert from "node:assert/strict";
import { EPOCH_MAX } from "../../../../src/base/data_key.ts";
import type { ErrorCode } from "../../../../src/base/error_code.ts";
import { NodeError } from "../../../../src/base/error.ts";
import type { Member } from "../../../../src/fsm/types.ts";
import { denoRandom } from "../../../../src/io/deno/random.ts";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import { writeCheckpointFile } from "../../../../src/store/checkpoint/write.ts";
import { kekBytes, TestKek } from "../../keys/test_kek.ts";
import { type StartKeys, TestDataDir } from "./test_data_dir.ts";

interface Start {
  readonly keys?: StartKeys;
  readonly name?: string;
  readonly founders?: readonly string[];
}

/** Starts it; it is refused with `code`, and nothing has changed. */
async function assertRefused(
  dir: TestDataDir,
  code: ErrorCode,
  { keys = dir.keys, name = dir.name, founders }: Start = {},
): Promise<NodeError> {
  const before = await dir.content();
  let refusal: unknown = null;
  const openTransport = () => assert.fail("no listener opens");
  try {
    const initialCluster = founders?.map((founder) => ({
      ...{ name: founder, address: `${founder}:1` },
    })) ?? null;
    const options = { name, initialCluster };
    const node = await dir.open(keys, options, { openTransport });
    await node.stop();
  } catch (error) {
    refusal = error;
  }
  assert.ok(refusal instanceof NodeError, `${code}: ${String(refusal)}`);
  assert.equal(refusal.code, code, refusal.message);
  assert.deepEqual(await dir.content(), before);
  return refusal;
}

function refuses(
  name: string,
  code: ErrorCode,
  make: () => Promise<TestDataDir>,
  spoil: (dir: TestDataDir) => Promise<Start | void>,
): void {
  Deno.test(`a start with ${name} is refused: ${code}`, async () => {
    await using dir = await make();
    const start = await spoil(dir);
    await assertRefused(dir, code, start ?? {});
  });
}

function starts(
  name: string,
  make: () => Promise<TestDataDir>,
  prepare: (dir: TestDataDir) => Promise<StartKeys | void>,
): void {
  Deno.test(`a node starts with ${name}`, async () => {
    await using dir = await make();
    const keys = await prepare(dir);
    const before = await dir.epochs();
    await dir.run(keys ?? dir.keys);
    const raised = [...before].map(([id, epoch]) => [id, epoch + 1]);
    assert.deepEqual([...await dir.epochs()], raised);
  });
}

const { empty, founded, bootstrapped } = {
  empty: () => TestDataDir.empty(),
  founded: () => TestDataDir.founded(),
  bootstrapped: () => TestDataDir.bootstrapped(),
};

Deno.test("a start beside a running node is refused", async () => {
  await using dir = await bootstrapped();
  const node = await dir.open(dir.keys);
  try {
    await assert.rejects(dir.open(dir.keys), { code: "NODE_DATA_DIR_LOCKED" });
  } finally {
    await node.stop();
  }
});

refuses("another cluster's log", "NODE_WRONG_CLUSTER", founded, async (dir) => {
  await using other = await founded();
  await Deno.remove(dir.paths.wal, { recursive: true });
  await Deno.rename(other.paths.wal, dir.paths.wal);
});

refuses(
  "another cluster's sidecar",
  "NODE_WRONG_CLUSTER",
  founded,
  async (dir) => {
    await using other = await bootstrapped();
    await Deno.rename(other.paths.encryption, dir.paths.encryption);
  },
);

refuses(
  "a sidecar and nothing else",
  "NODE_WRONG_CLUSTER",
  empty,
  async (dir) => {
    await using other = await bootstrapped();
    await Deno.rename(other.paths.encryption, dir.paths.encryption);
  },
);

refuses(
  "another node's name",
  "NODE_WRONG_NODE",
  bootstrapped,
  async () => ({ name: "n2" }),
);

refuses("no flag", "NODE_SIDECAR_WITHOUT_FLAG", bootstrapped, async (dir) => ({
  keys: { keks: [dir.kek] },
}));

refuses("no KEK", "NODE_KEK_REQUIRED", bootstrapped, async () => ({
  keys: { isEnabled: true },
}));

refuses(
  "a KEK whose provider is down",
  "KEYS_KEK_UNAVAILABLE",
  bootstrapped,
  async ({ kek }) => {
    kek.isDown = true;
  },
);

refuses(
  "a directory that takes no files",
  "KEYS_FILESYSTEM_UNSUPPORTED",
  founded,
  async ({ paths }) => {
    await Deno.writeTextFile(paths.encryption, "no directory");
  },
);

for (const isEnabled of [true, false]) {
  refuses(
    `no sidecar, flag ${isEnabled ? "on" : "off"}`,
    "NODE_SIDECAR_MISSING",
    bootstrapped,
    async (dir) => {
      await Deno.remove(dir.sidecar);
      return { keys: { ...dir.keys, isEnabled } };
    },
  );
}

refuses(
  "half a sidecar",
  "KEYS_SIDECAR_MALFORMED",
  bootstrapped,
  async ({ sidecar }) => {
    await Deno.truncate(sidecar, 200);
  },
);

refuses("another KEK", "KEYS_KEK_MISMATCH", bootstrapped, async () => ({
  keys: { isEnabled: true, keks: [await TestKek.of(2)] },
}));

refuses(
  "a changed epoch",
  "KEYS_SIDECAR_TAMPERED",
  bootstrapped,
  async ({ sidecar }) => {
    const text = await Deno.readTextFile(sidecar);
    const changed = text.replace('"local_epoch": 1', '"local_epoch": 9');
    assert.notEqual(changed, text);
    await Deno.writeTextFile(sidecar, changed);
  },
);

refuses(
  "a changed state in the store",
  "STORE_STATE_TAMPERED",
  bootstrapped,
  async (dir) => {
    const encryption = await dir.encryption();
    await dir.commit(encryption, (state) => ({
      ...state,
      encryptionMac: new Uint8Array(32),
    }));
  },
);

refuses(
  "a spent epoch",
  "KEYS_EPOCH_EXHAUSTED",
  bootstrapped,
  async (dir) => {
    const { active } = await dir.encryption();
    await dir.withCustody((custody) =>
      custody.nextEpoch(active.raft, EPOCH_MAX - 1)
    );
  },
);

refuses(
  "founders of one half nonce",
  "NODE_ID_COLLISION",
  empty,
  async () => ({ founders: ["n1", "m445", "m870"] }),
);

refuses(
  "two members of one half nonce",
  "NODE_ID_COLLISION",
  bootstrapped,
  async (dir) => {
    const member = (id: number, name: string): Member => ({
      ...{ id, name, peerAddress: `${name}:1` },
      ...{ clientAddress: "", adminAddress: "", diskId: null },
      ...{ protocolVersion: 0, promoteWhenCaughtUp: false },
    });
    await dir.commit(await dir.encryption(), (state) => {
      const members = new Map(state.fsm.members);
      members.set(101, member(101, "m445"));
      members.set(102, member(102, "m870"));
      return { ...state, fsm: { ...state.fsm, members } };
    });
  },
);

refuses(
  "a sidecar of before the last rotation",
  "NODE_SIDECAR_BEHIND",
  bootstrapped,
  async (dir) => {
    const old = await Deno.readTextFile(dir.sidecar);
    await dir.change({ kind: "rotate-dek", purpose: "storage" });
    await Deno.writeTextFile(dir.sidecar, old);
  },
);

refuses(
  "a store without the cutover of its sidecar",
  "NODE_CUTOVER_DIVERGENCE",
  bootstrapped,
  async (dir) => {
    const before = await dir.encryption();
    const stateIndex = before.stateIndex + 1;
    await dir.absorb({
      ...before,
      stateIndex,
      storageCutoverIndex: stateIndex,
    });
    await dir.commit({ ...before, stateIndex });
  },
);

refuses(
  "a checkpoint without the cutover of its sidecar",
  "NODE_CUTOVER_DIVERGENCE",
  bootstrapped,
  async (dir) => {
    await checkpoint(dir);
    await cutOver(dir);
  },
);

refuses(
  "a sidecar of before the last registered start",
  "NODE_EPOCH_ROLLBACK",
  bootstrapped,
  async (dir) => {
    const old = await Deno.readTextFile(dir.sidecar);
    await dir.run();
    await Deno.writeTextFile(dir.sidecar, old);
  },
);

refuses(
  "a sidecar of before the last session",
  "NODE_EPOCH_ROLLBACK",
  bootstrapped,
  async (dir) => {
    const { active } = await dir.encryption();
    await dir.withStore((store) =>
      store.insertSession({
        ...{ keyId: active.storage, node16: 0xd4c0, epoch: 2 },
        salt: denoRandom().bytes(32),
      })
    );
  },
);

refuses(
  "a damaged identity",
  "NODE_IDENTITY_DAMAGED",
  bootstrapped,
  async ({ paths }) => {
    await Deno.writeTextFile(paths.identity, "n1");
  },
);

starts("no encryption at all", founded, async () => ({}));
starts("a KEK and no flag before bootstrap", founded, async (dir) => ({
  keks: [dir.kek],
}));
starts("flag and KEK before bootstrap", founded, async () => {});
starts("flag and KEK in a new data dir", empty, async () => {});
starts("keys, after a stop", bootstrapped, async () => {});
starts("two KEKs, one of them the keys'", bootstrapped, async (dir) => ({
  isEnabled: true,
  keks: [await TestKek.of(3), dir.kek],
}));
starts("keys, after several starts", bootstrapped, async (dir) => {
  await dir.run();
  await dir.run();
});
starts("keys, after a rotation", bootstrapped, async (dir) => {
  await dir.change({ kind: "rotate-dek", purpose: "storage" });
});
starts("a sidecar ahead after a crash at bootstrap", founded, async (dir) => {
  const empty = await dir.encryption();
  await dir.bootstrap();
  await dir.withStore(async (store) => {
    const { state } = store;
    const fsm = { ...state.fsm, encryption: empty };
    await store.commit({
      state: { ...state, fsm, encryptionMac: null },
      mutations: [],
    });
  });
});
starts(
  "a sidecar ahead after a crash at a rotation",
  bootstrapped,
  async (dir) => {
    const before = await dir.encryption();
    await dir.change({ kind: "rotate-dek", purpose: "storage" });
    await dir.commit(before);
  },
);
starts("a checkpoint of before a cutover", bootstrapped, async (dir) => {
  await checkpoint(dir);
  // Beyond what checkpoint and store have applied.
  const before = await dir.encryption();
  const index = 1_000;
  await dir.absorb({
    ...before,
    stateIndex: index,
    storageCutoverIndex: index,
  });
});
starts("a cutover that all parts know", bootstrapped, async (dir) => {
  await cutOver(dir);
});

Deno.test("a start that fails after the guards leaves epochs as they are", async () => {
  await using dir = await bootstrapped();
  const before = await dir.epochs();
  await Deno.remove(dir.paths.wal, { recursive: true });
  await assert.rejects(dir.open(dir.keys), { code: "NODE_LOG_MISSING" });
  assert.deepEqual(await dir.epochs(), before);
});

Deno.test("KEKs are not loaded where an earlier guard refuses", async () => {
  await using dir = await bootstrapped();
  const keys = {
    isEnabled: true,
    kekCount: 1,
    openKeks: () => assert.fail("not loaded"),
  };
  await assert.rejects(dir.open({}, { name: "n2" }, { keys }), {
    code: "NODE_WRONG_NODE",
  });
  const openKeks = () =>
    Promise.reject(new KekUnavailableError("file:x", "missing", "gone", "Do"));
  await assert.rejects(dir.open({}, {}, { keys: { ...keys, openKeks } }), {
    code: "KEYS_KEK_UNAVAILABLE",
  });
});

Deno.test("the KEK of these tests is not in what a refusal shows", async () => {
  await using dir = await bootstrapped();
  await Deno.truncate(dir.sidecar, 10);
  const error = await assertRefused(dir, "KEYS_SIDECAR_MALFORMED");
  assert.ok(!Deno.inspect(error).includes(String(kekBytes(1))));
});

/** Sets a storage cutover in sidecar and store. */
async function cutOver(dir: TestDataDir): Promise<void> {
  const before = await dir.encryption();
  const index = before.stateIndex + 1;
  const next = { ...before, stateIndex: index, storageCutoverIndex: index };
  await dir.absorb(next);
  await dir.commit(next);
}

/** Leaves a checkpoint of the store as it is, as a crash would. */
async function checkpoint(dir: TestDataDir): Promise<void> {
  const { checkpoints } = dir.paths;
  await dir.withStore(async (store) => {
    const source = await store.checkpoint();
    const path = `${checkpoints}/outgoing-1.ckpt`;
    await writeCheckpointFile(source, { disk: dir.disk, path }, {
      random: denoRandom(),
    });
  });
}
