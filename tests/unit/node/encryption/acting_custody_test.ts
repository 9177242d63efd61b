/*
 * Goal: with the node's real keys and sidecar, a change of encryption that a
 * crash cuts anywhere is applied by the replay to the same end, once, and no
 * epoch is in use in two lives.
 * Method: one log with all kinds of changes of keys. The process dies in the
 * nth operation of the sidecar's disk, which keeps what its crash kind says, or
 * in the nth commit of the store; the next start applies the log on.
 */
import assert from "node:assert/strict";
import type { KeyId } from "../../../../src/base/data_key.ts";
import type { Custody } from "../../../../src/keys/custody.ts";
import type { Kek } from "../../../../src/keys/port.ts";
import { readSidecar } from "../../../../src/keys/sidecar_file.ts";
import { EncryptionHaltedError } from "../../../../src/node/encryption/errors.ts";
import { encryptionRowBody } from "../../../../src/store/encryption_row.ts";
import type { StoreState } from "../../../../src/store/meta.ts";
import { settle } from "../../../sim/io/clock.ts";
import {
  CRASH_KINDS,
  type CrashKind,
  type SimDisk,
} from "../../../sim/io/disk.ts";
import { SimKvDisk, type SimKvOptions } from "../../../sim/io/kv.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  bootstrapped,
  DIR,
  freshDisk,
  keyFor,
  openOn,
} from "../../keys/custody_harness.ts";
import { CLUSTER_ID } from "../../keys/sample_keys.ts";
import { TestKek } from "../../keys/test_kek.ts";
import {
  ActingBench,
  changeEntry,
  clockEntry,
  foundingEntry,
} from "./acting_bench.ts";
import { registrationOf } from "./changes.ts";

useTurnCrypto();

const KEK = await TestKek.of(7);
const SHARED = await bootstrapped([KEK]);
const { storage, raft } = SHARED.active;
const NEXT = await keyFor("storage", [KEK], 200);
const LAST = await keyFor("storage", [KEK], 201);

const LOG = [
  foundingEntry(CLUSTER_ID),
  clockEntry(1),
  changeEntry(3, { kind: "bootstrap", keys: [...SHARED.keys.values()] }),
  changeEntry(4, registrationOf("n1", 1, [storage, raft])),
  changeEntry(5, registrationOf("n2", 4, [storage])),
  clockEntry(2),
  changeEntry(7, { kind: "rotate-dek", key: NEXT, replaces: storage }),
  changeEntry(8, registrationOf("n2", 3, [storage])),
  changeEntry(9, { kind: "retire-dek", keyId: storage }),
  changeEntry(10, { kind: "rotate-dek", key: LAST, replaces: NEXT.id }),
  clockEntry(3),
];

interface Life {
  /** The sidecar's disk dies in this operation from the start on. */
  readonly diskOperation?: number;
  readonly kv?: SimKvOptions;
}

class World {
  readonly kvDisk = new SimKvDisk();
  readonly disk: SimDisk;
  state: StoreState | null = null;
  operations = 0;
  /** The highest epoch of each key that some life went on with. */
  readonly #used = new Map<KeyId, number>();

  private constructor(disk: SimDisk) {
    this.disk = disk;
  }

  static async make(): Promise<World> {
    return new World(await freshDisk());
  }

  /** One life; tells whether it came to the end of the log. */
  async live({ diskOperation, kv = {} }: Life, kind: CrashKind = "none") {
    const before = this.disk.operations;
    if (diskOperation !== undefined) this.disk.crashAt = before + diskOperation;
    this.kvDisk.commits = 0;
    try {
      return await this.#run(kv);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false;
    } finally {
      this.operations = this.disk.operations - before;
      this.disk.restart(kind);
    }
  }

  async #run(kv: SimKvOptions): Promise<boolean> {
    const custody = await openOn(this.disk, [KEK]);
    await custody.raiseEpochs();
    for (const [id, epoch] of custody.epochs()) this.#mustBeNew(id, epoch);
    const bench = await ActingBench.open(this.kvDisk, custody, { kv });
    bench.enqueue(LOG);
    await settle();
    for (const [id, epoch] of custody.epochs()) this.#used.set(id, epoch);
    const isDone = bench.halted === null;
    if (isDone) await bench.store.flush();
    this.state = bench.store.state;
    await bench.close().catch(() => {});
    return isDone;
  }

  #mustBeNew(id: KeyId, epoch: number): void {
    assert.ok(epoch > (this.#used.get(id) ?? 0), `epoch ${epoch} of ${id}`);
    this.#used.set(id, epoch);
  }

  async mustBe(clean: World, name: string): Promise<void> {
    assert.deepEqual(this.state, clean.state, name);
    const [own, theirs] = await Promise.all(
      [this, clean].map(({ disk }) => readSidecar(disk, DIR)),
    );
    assert.deepEqual(own?.shared, theirs?.shared, name);
    // What is there opens, too.
    await openOn(this.disk, [KEK]);
  }
}

Deno.test("a change of encryption survives a crash at every step of sidecar and store", async () => {
  const clean = await World.make();
  assert.ok(await clean.live({}));
  const { operations } = clean;
  const { commits } = clean.kvDisk;
  assert.ok(operations > 20 && commits > 8, `${operations}, ${commits}`);
  for (let at = 1; at <= operations; at += 1) {
    const kind = CRASH_KINDS[at % CRASH_KINDS.length]!;
    const world = await World.make();
    const name = `${kind} in operation ${at}`;
    assert.equal(await world.live({ diskOperation: at }, kind), false, name);
    // Every other one dies once more, in the replay, then lives.
    if (at % 2 === 0) await world.live({ diskOperation: 5 }, kind);
    assert.ok(await world.live({}), name);
    await world.mustBe(clean, name);
  }
  for (const fault of ["crash-before", "crash-after"] as const) {
    for (let faultAt = 1; faultAt <= commits; faultAt += 1) {
      const world = await World.make();
      const name = `${fault} ${faultAt}`;
      assert.equal(await world.live({ kv: { fault, faultAt } }), false, name);
      assert.ok(await world.live({}), name);
      await world.mustBe(clean, name);
    }
  }
});

/** A start of a node with these KEKs, its guards passed. */
async function start(
  disk: SimDisk,
  kvDisk: SimKvDisk,
  keks: readonly Kek[],
): Promise<{ readonly custody: Custody; readonly bench: ActingBench }> {
  const custody = await openOn(disk, keks);
  await custody.raiseEpochs();
  return { custody, bench: await ActingBench.open(kvDisk, custody) };
}

const PLACES: [name: string, index: number, epochs: string][] = [
  ["bootstrap", 3, "2 2 2"],
  ["a rotation", 7, "2 2 2 2"],
  ["both, and a key retired", 10, "2 2 2 2"],
];

for (const [name, index, epochs] of PLACES) {
  Deno.test(`a restart after ${name} has the keys, and its next epochs`, async () => {
    const [disk, kvDisk] = [await freshDisk(), new SimKvDisk()];
    const first = await start(disk, kvDisk, [KEK]);
    await first.bench.apply(LOG.slice(0, index));
    const { state } = first.bench.store;
    await first.bench.close();
    const { custody, bench } = await start(disk, kvDisk, [KEK]);
    assert.deepEqual(bench.store.state, state);
    assert.equal([...custody.epochs().values()].join(" "), epochs);
    const row = encryptionRowBody(state.fsm.encryption);
    assert.deepEqual(
      state.encryptionMac,
      await custody.stateMac(CLUSTER_ID, row),
    );
    await bench.apply(LOG);
    await bench.close();
  });
}

Deno.test("a member with the wrong KEK halts, and applies the same entry with the right one", async () => {
  const [disk, kvDisk] = [await freshDisk(), new SimKvDisk()];
  const other = await TestKek.of(8);
  const wrong = await start(disk, kvDisk, [other]);
  wrong.bench.enqueue(LOG);
  await settle();
  const { halted } = wrong.bench;
  assert.ok(halted instanceof EncryptionHaltedError);
  assert.equal(halted.index, 3);
  assert.equal((halted.cause as { code?: string }).code, "KEYS_KEK_MISMATCH");
  assert.equal(wrong.bench.applied, 2);
  assert.equal(await readSidecar(disk, DIR), null);
  await wrong.bench.close();
  const { bench } = await start(disk, kvDisk, [other, KEK]);
  await bench.apply(LOG);
  await bench.close();
});

Deno.test("a KEK provider that is back lets the entry be applied", async () => {
  const [disk, kvDisk] = [await freshDisk(), new SimKvDisk()];
  const kek = await TestKek.of(7);
  kek.isDown = true;
  const { bench, custody } = await start(disk, kvDisk, [kek]);
  bench.enqueue(LOG);
  await bench.clock.run(30_000);
  assert.deepEqual([bench.applied, bench.halted], [2, null]);
  assert.equal(await readSidecar(disk, DIR), null);
  kek.isDown = false;
  await bench.clock.run(5_000);
  assert.deepEqual([bench.applied, bench.halted], [LOG.length, null]);
  assert.equal(custody.epochs().get(LAST.id), 1);
  await bench.close();
});
