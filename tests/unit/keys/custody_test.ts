import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import type { KeyPurpose } from "../../../src/base/data_key.ts";
import { signHmac } from "../../../src/crypto/hmac.ts";
import { deriveMacKey, stateMacInfo } from "../../../src/crypto/mac.ts";
import {
  CommitmentMismatchError,
  EpochExhaustedError,
  FilesystemUnsupportedError,
  KekMismatchError,
  KekUnknownError,
  KeyConflictError,
  KeyUnknownError,
  SidecarWriteFailedError,
} from "../../../src/keys/errors.ts";
import {
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import type { SharedKeys, WrapContext } from "../../../src/keys/port.ts";
import { readSidecar } from "../../../src/keys/sidecar_file.ts";
import { SimRandom } from "../../sim/io/random.ts";
import {
  bootstrapped,
  DIR,
  founded,
  freshDisk,
  keyFor,
  noRow,
  openOn,
  rotatedTo,
  without,
} from "./custody_harness.ts";
import { failingDisk } from "./failing_disk.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const KEK = await TestKek.of(1);
const OTHER_KEK = await TestKek.of(2);

Deno.test("a node without keys has no sidecar and no epochs", async () => {
  const disk = await freshDisk();
  const custody = await openOn(disk, [KEK]);
  await custody.raiseEpochs();
  assert.equal(custody.sidecarIndex, 0);
  assert.equal(custody.clusterId, null);
  assert.equal(custody.epochs().size, 0);
  assert.equal(await disk.exists(DIR), false);
  await assert.rejects(custody.nextEpoch(7), KeyUnknownError);
});

Deno.test("absorb() makes the sidecar, and the next start reads it", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const next = await openOn(disk, [KEK]);
  for (const open of [custody, next]) {
    assert.equal(open.sidecarIndex, 10);
    assert.deepEqual(open.clusterId, CLUSTER_ID);
    assert.deepEqual([...open.epochs().values()], [1, 1, 1]);
    for (const { id, purpose } of shared.keys.values()) open.dek(id, purpose);
  }
  const found = await readSidecar(disk, DIR);
  assert.deepEqual(found?.shared, shared);
});

Deno.test("absorb() of the same again writes nothing", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const before = disk.operations;
  await custody.absorb(CLUSTER_ID, shared, noRow);
  await custody.absorb(CLUSTER_ID, structuredClone(shared), () => 40_000);
  assert.equal(disk.operations, before);
});

Deno.test("absorb() of the same index takes the cluster's word", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  await custody.raiseEpochs();
  const corrected = { ...shared, storageCutoverIndex: 9 };
  await custody.absorb(CLUSTER_ID, corrected, noRow);
  const found = await readSidecar(disk, DIR);
  assert.deepEqual(found?.shared, corrected);
  assert.deepEqual([...custody.epochs().values()], [2, 2, 2]);
});

Deno.test("absorb() opens new keys and forgets retired ones", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const old = shared.active.storage;
  const key = await keyFor("storage", [KEK], 200);
  const rotated = rotatedTo(shared, key, 11);
  await custody.absorb(CLUSTER_ID, rotated, (id) => id === key.id ? 4 : 99);
  assert.equal(custody.epochs().get(key.id), 5);
  assert.equal(custody.epochs().get(old), 1);
  custody.dek(old, "storage");
  await custody.absorb(CLUSTER_ID, without(rotated, old, 12), noRow);
  assert.throws(() => custody.dek(old, "storage"), KeyUnknownError);
  custody.dek(key.id, "storage");
  const next = await openOn(disk, [KEK]);
  assert.equal(next.sidecarIndex, 12);
  assert.equal(next.epochs().get(key.id), 5);
  assert.equal(next.epochs().has(old), false);
});

Deno.test("absorb() of an older state leaves the sidecar as it is", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const old = shared.active.storage;
  const key = await keyFor("storage", [KEK], 200);
  const rotated = rotatedTo(shared, key, 11);
  const retired = without(rotated, old, 12);
  await custody.absorb(CLUSTER_ID, rotated, noRow);
  await custody.absorb(CLUSTER_ID, retired, noRow);
  await custody.nextEpoch(key.id);
  const before = disk.operations;
  const unwraps = KEK.unwraps;
  for (const older of [shared, rotated, retired]) {
    await custody.absorb(CLUSTER_ID, older, noRow);
    assert.equal(custody.sidecarIndex, 12);
    assert.equal(custody.epochs().get(key.id), 2);
    assert.equal(custody.epochs().has(old), false);
  }
  assert.equal(disk.operations, before);
  assert.equal(KEK.unwraps, unwraps);
});

Deno.test("absorb() opens rewrapped keys before it drops the old wraps", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const rewrap = async (open: typeof custody, to: TestKek, index: number) => {
    const keys = new Map(shared.keys);
    for (const key of keys.values()) {
      const wraps = await open.rewrap(CLUSTER_ID, key, [to.id]);
      keys.set(key.id, { ...key, wraps });
    }
    return { ...shared, keys, stateIndex: index };
  };
  const both = await openOn(disk, [KEK, OTHER_KEK]);
  const rewrapped = await rewrap(both, OTHER_KEK, 11);
  await assert.rejects(
    custody.absorb(CLUSTER_ID, rewrapped, noRow),
    KekMismatchError,
  );
  assert.equal((await openOn(disk, [KEK])).sidecarIndex, 10);
  await both.absorb(CLUSTER_ID, rewrapped, noRow);
  assert.deepEqual([...both.epochs().values()], [1, 1, 1]);
  const next = await openOn(disk, [OTHER_KEK]);
  assert.equal(next.sidecarIndex, 11);
  await assert.rejects(openOn(disk, [KEK]), KekMismatchError);
});

Deno.test("absorb() refuses keys that are not what they say", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const key = await keyFor("storage", [KEK], 200);
  const foreign = await keyFor("storage", [OTHER_KEK], 201);
  const raft = shared.keys.get(shared.active.raft)!;
  const noBytes = { ...key, commitment: new Uint8Array(32) };
  const cases: [SharedKeys, new (...args: never[]) => Error][] = [
    [rotatedTo(shared, noBytes, 11), CommitmentMismatchError],
    [rotatedTo(shared, foreign, 11), KekMismatchError],
    [
      rotatedTo(shared, { ...key, wraps: raft.wraps }, 11),
      CommitmentMismatchError,
    ],
    [
      rotatedTo(shared, {
        ...key,
        wraps: [{ kek: KEK.id, wrapped: new Uint8Array(60) }],
      }, 11),
      WrapRejectedError,
    ],
    [rotatedTo(shared, { ...key, id: raft.id }, 11), KeyConflictError],
    [
      rotatedTo(shared, { ...raft, commitment: key.commitment }, 11),
      KeyConflictError,
    ],
  ];
  const before = disk.operations;
  for (const [bad, kind] of cases) {
    await assert.rejects(custody.absorb(CLUSTER_ID, bad, noRow), kind);
    assert.equal(custody.sidecarIndex, 10);
    assert.equal(disk.operations, before);
    assert.throws(() => custody.dek(key.id, "storage"), KeyUnknownError);
  }
  await custody.absorb(CLUSTER_ID, rotatedTo(shared, key, 11), noRow);
});

Deno.test("absorb() changes nothing when a provider does not answer", async () => {
  const kek = await TestKek.of(3);
  const { disk, shared, custody } = await founded([kek]);
  const key = await keyFor("raft", [kek], 200);
  const rotated = rotatedTo(shared, key, 11);
  const before = disk.operations;
  kek.isDown = true;
  for (let tries = 0; tries < 3; tries += 1) {
    await assert.rejects(
      custody.absorb(CLUSTER_ID, rotated, noRow),
      KekUnavailableError,
    );
  }
  assert.equal(disk.operations, before);
  assert.equal(custody.sidecarIndex, 10);
  kek.isDown = false;
  await custody.absorb(CLUSTER_ID, rotated, noRow);
  assert.equal(custody.sidecarIndex, 11);
});

Deno.test("a write that fails at any step leaves the state of before", async () => {
  for (let at = 1;; at += 1) {
    const { disk, shared } = await founded([KEK]);
    const fault = { at: Infinity };
    const custody = await openOn(failingDisk(disk, fault), [KEK]);
    const [first] = shared.keys.keys();
    const key = await keyFor("raft", [KEK], 200);
    const rotated = rotatedTo(shared, key, 11);
    const works = [
      () => custody.absorb(CLUSTER_ID, rotated, noRow),
      () => custody.nextEpoch(first!),
      () => custody.raiseEpochs(),
    ];
    fault.at = at;
    let failures = 0;
    for (const work of works) {
      await work().catch((error) => {
        assert.ok(error instanceof SidecarWriteFailedError, String(error));
        failures += 1;
      });
    }
    if (failures === 0) break;
    if (failures === works.length) {
      assert.equal(custody.sidecarIndex, 10);
      assert.deepEqual([...custody.epochs().values()], [1, 1, 1]);
      assert.throws(() => custody.dek(key.id, "raft"), KeyUnknownError);
      assert.equal(custody.isRaised, false);
    }
    // What is on disk opens, and trying again works.
    await openOn(disk, [KEK]);
    fault.at = Infinity;
    await custody.absorb(CLUSTER_ID, rotated, noRow);
    assert.equal((await openOn(disk, [KEK])).sidecarIndex, 11);
  }
});

Deno.test("calls that change the sidecar run in the order they were made", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const [id] = shared.keys.keys();
  const key = await keyFor("raft", [KEK], 200);
  const done: string[] = [];
  const log = (what: string) => (result: unknown) => {
    done.push(`${what} ${result}`);
  };
  await Promise.all([
    custody.raiseEpochs().then(log("raise")),
    custody.nextEpoch(id!).then(log("next")),
    custody.nextEpoch(id!, 40).then(log("next")),
    custody.nextEpoch(1).then(log("next"), () => log("unknown")("")),
    custody.absorb(CLUSTER_ID, rotatedTo(shared, key, 11), noRow)
      .then(log("absorb")),
    custody.nextEpoch(key.id).then(log("next")),
  ]);
  assert.deepEqual(done, [
    "raise undefined",
    "next 3",
    "next 41",
    "unknown ",
    "absorb undefined",
    "next 2",
  ]);
  const next = await openOn(disk, [KEK]);
  assert.equal(next.epochs().get(id!), 41);
  assert.equal(next.epochs().get(key.id), 2);
});

Deno.test("raiseEpochs() raises all in one write, and once", async () => {
  const { disk, custody } = await founded([KEK]);
  await custody.raiseEpochs();
  assert.equal(custody.isRaised, true);
  assert.deepEqual([...custody.epochs().values()], [2, 2, 2]);
  await assert.rejects(custody.raiseEpochs(), InvariantError);
  const next = await openOn(disk, [KEK]);
  const before = disk.trace.length;
  await next.raiseEpochs();
  const renames = disk.trace.slice(before).filter((line) =>
    line.startsWith("rename")
  );
  assert.equal(renames.length, 1);
  assert.deepEqual([...next.epochs().values()], [3, 3, 3]);
  const last = await openOn(disk, [KEK]);
  assert.deepEqual([...last.epochs().values()], [3, 3, 3]);
});

Deno.test("nextEpoch() is durable, warns near the end and ends there", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const { storage } = shared.active;
  assert.equal(await custody.nextEpoch(storage, 0xfefe), 0xfeff);
  assert.deepEqual(custody.epochWarnings, []);
  assert.equal(await custody.nextEpoch(storage), 0xff00);
  const warning = { keyId: storage, purpose: "storage", epoch: 0xff00 };
  assert.deepEqual(custody.epochWarnings, [warning]);
  assert.equal(await custody.nextEpoch(storage, 0xfffe), 0xffff);
  await assert.rejects(custody.nextEpoch(storage), EpochExhaustedError);
  const next = await openOn(disk, [KEK]);
  await next.raiseEpochs();
  assert.equal(next.epochs().get(storage), 0xffff);
  // Of no interest once another key is active.
  const key = await keyFor("storage", [KEK], 200);
  await next.absorb(CLUSTER_ID, rotatedTo(shared, key, 11), noRow);
  assert.deepEqual(next.epochWarnings, []);
});

Deno.test("a node that is told to take no part takes no keys over", async () => {
  const disk = await freshDisk();
  const shared = await bootstrapped([KEK]);
  for (const keks of [[], [KEK]]) {
    const custody = await openOn(disk, keks, { isEnabled: false });
    await assert.rejects(custody.absorb(CLUSTER_ID, shared, noRow), (error) => {
      assert.ok(error instanceof KekMismatchError);
      assert.match(error.message, /--encryption-enabled and --kek/);
      assert.match(error.remedy, /sealkv serve --encryption-enabled --kek URI/);
      return true;
    });
    assert.equal(custody.sidecarIndex, 0);
  }
  assert.equal(await disk.exists(DIR), false);
});

Deno.test("gaps() names what is missing, in order", async () => {
  const disk = await freshDisk();
  const kinds = async (custody: Awaited<ReturnType<typeof openOn>>) =>
    (await custody.gaps()).map(({ kind }) => kind);
  const off = await openOn(disk, [], { isEnabled: false });
  assert.deepEqual(await kinds(off), ["flag", "kek"]);
  const flag = await openOn(disk, [KEK], { isEnabled: false });
  assert.deepEqual(await kinds(flag), ["flag"]);
  assert.equal(await disk.exists(DIR), false);
  const none = await openOn(disk, []);
  assert.deepEqual(await none.gaps(), [{ kind: "kek", cause: null }]);
  const kek = await TestKek.of(4);
  kek.isDown = true;
  const [gap] = await (await openOn(disk, [kek])).gaps();
  assert.ok(gap?.kind === "kek" && gap.cause instanceof KekUnavailableError);
  const full = failingDisk(disk, { at: 1 });
  const gaps = await (await openOn(full, [kek])).gaps();
  assert.deepEqual(gaps.map(({ kind }) => kind), ["kek", "sidecar"]);
  const unfit = gaps[1];
  assert.ok(unfit?.kind === "sidecar");
  assert.ok(unfit.cause instanceof FilesystemUnsupportedError);
  const fit = await openOn(disk, [kek, KEK]);
  assert.deepEqual(await Promise.all([kinds(fit), kinds(fit)]), [[], []]);
});

Deno.test("stateMac() is of the state key, cluster and node", async () => {
  const { disk, shared, custody } = await founded([KEK]);
  const row = new Uint8Array([1, 2, 3]);
  const dek = custody.dek(shared.stateKey, "state");
  const key = await deriveMacKey(dek, stateMacInfo(CLUSTER_ID, "n1"));
  const mac = await custody.stateMac(CLUSTER_ID, row);
  assert.deepEqual(mac, await signHmac(key, row));
  const next = await openOn(disk, [KEK]);
  assert.deepEqual(await next.stateMac(CLUSTER_ID, row), mac);
  const other = await custody.stateMac(new Uint8Array(16), row);
  assert.notDeepEqual(other, mac);
  const none = await openOn(await freshDisk(), [KEK]);
  await assert.rejects(none.stateMac(CLUSTER_ID, row), InvariantError);
});

Deno.test("drawKey() draws what every KEK opens, under a new id", async () => {
  const { shared, custody } = await founded([KEK, OTHER_KEK]);
  const given = { clusterId: CLUSTER_ID, createdMs: 7 };
  const asked: number[] = [];
  const taken = (id: number) => asked.push(id) === 1;
  const purpose: KeyPurpose = "raft";
  const key = await custody.drawKey({ ...given, purpose, taken });
  assert.equal(asked.length, 2);
  assert.equal(key.id, asked[1]);
  assert.equal(shared.keys.has(key.id), false);
  assert.deepEqual(key.wraps.map(({ kek }) => kek), [KEK.id, OTHER_KEK.id]);
  const none = await openOn(await freshDisk(), []);
  await assert.rejects(
    none.drawKey({ ...given, purpose, taken: () => false }),
    KekUnknownError,
  );
});

Deno.test("a custody of two KEKs wraps under those it is asked for", async () => {
  const { shared, custody } = await founded([KEK, OTHER_KEK]);
  assert.deepEqual(custody.kekIds, [KEK.id, OTHER_KEK.id]);
  const [key] = shared.keys.values();
  const names = async (keks: string[]) =>
    (await custody.rewrap(CLUSTER_ID, key!, keks)).map(({ kek }) => kek);
  assert.deepEqual(await names([]), [KEK.id]);
  assert.deepEqual(await names([OTHER_KEK.id]), [OTHER_KEK.id]);
  await assert.rejects(names(["file:0"]), KekUnknownError);
  const context: WrapContext = {
    kind: "challenge",
    clusterId: CLUSTER_ID,
    term: 3,
    target: 4n,
  };
  const challenge = new SimRandom(1).bytes(32);
  const wraps = await custody.wrapChallenge(challenge, context, []);
  assert.equal(wraps.length, 2);
  assert.deepEqual(await custody.openChallenge(wraps, context), challenge);
  const other = { ...context, term: 4 };
  assert.equal(await custody.openChallenge(wraps, other), null);
});
