import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import type { KeyId, SealingPurpose } from "../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../src/base/identity.ts";
import { decodeNonce } from "../../../src/crypto/nonce.ts";
import { deriveSessionKey } from "../../../src/crypto/session.ts";
import type { Custody } from "../../../src/keys/custody.ts";
import {
  EpochExhaustedError,
  KeyUnknownError,
  SidecarWriteFailedError,
} from "../../../src/keys/errors.ts";
import {
  type Session,
  type SessionRow,
  type SessionRows,
  Sessions,
} from "../../../src/keys/sessions.ts";
import { SimRandom } from "../../sim/io/random.ts";
import {
  founded,
  freshDisk,
  noRow,
  openOn,
  without,
} from "./custody_harness.ts";
import { failingDisk } from "./failing_disk.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const KEK = await TestKek.of(1);
const NODE16 = node16Of(fullNodeId("n1"));

class Rows implements SessionRows {
  readonly rows = new Map<string, SessionRow>();
  asked = 0;
  fails: Error | null = null;

  insert(row: SessionRow): Promise<boolean> {
    this.asked += 1;
    if (this.fails !== null) return Promise.reject(this.fails);
    const name = `${row.keyId}/${row.node16}/${row.epoch}`;
    if (this.rows.has(name)) return Promise.resolve(false);
    this.rows.set(name, row);
    return Promise.resolve(true);
  }
}

async function started(rows = new Rows(), seed = 1) {
  const { disk, shared, custody } = await founded([KEK]);
  await custody.raiseEpochs();
  const random = new SimRandom(seed);
  const sessions = new Sessions({ custody, rows, random });
  return { disk, shared, custody, rows, sessions, ...shared.active };
}

function makeDue({ nonces }: Session): void {
  Object.defineProperty(nonces, "isDue", { value: true });
}

/** Whether both keys are the same: one opens what the other sealed. */
async function sealTheSame(a: CryptoKey, b: CryptoKey): Promise<boolean> {
  const params = { name: "AES-GCM", iv: new Uint8Array(12) };
  const sealed = await crypto.subtle.encrypt(params, a, new Uint8Array(4));
  return await crypto.subtle.decrypt(params, b, sealed)
    .then(() => true, () => false);
}

for (const purpose of ["storage", "raft"] as const) {
  Deno.test(`open() opens a session for "${purpose}"`, async () => {
    const { shared, custody, rows, sessions } = await started();
    const keyId = shared.active[purpose];
    const session = await sessions.open(keyId, purpose);
    assert.deepEqual(
      [session.keyId, session.purpose, session.node16, session.epoch],
      [keyId, purpose, NODE16, 2],
    );
    assert.equal(session.salt.length, purpose === "storage" ? 32 : 16);
    const { clusterId, key: _, nonces: __, purpose: ___, ...row } = session;
    assert.deepEqual(clusterId, CLUSTER_ID);
    const expected = purpose === "storage" ? [row] : [];
    assert.deepEqual([...rows.rows.values()], expected);
    const name = { ...row, purpose, clusterId: CLUSTER_ID };
    const derived = await deriveSessionKey(custody.dek(keyId, purpose), name);
    assert.equal(await sealTheSame(session.key, derived), true);
    assert.equal(session.key.extractable, false);
    const nonce = { node16: NODE16, epoch: 2, count: 1 };
    assert.deepEqual(decodeNonce(session.nonces.next()), nonce);
  });
}

Deno.test("open() gives the same session until it is due", async () => {
  const { sessions, custody, rows, storage } = await started();
  const [a, b] = await Promise.all([
    sessions.open(storage, "storage"),
    sessions.open(storage, "storage"),
  ]);
  assert.equal(a, b);
  assert.equal(await sessions.open(storage, "storage"), a);
  assert.equal(sessions.current(storage, "storage"), a);
  assert.equal(rows.asked, 1);
  makeDue(a);
  assert.equal(sessions.current(storage, "storage"), null);
  const [c, d] = await Promise.all([
    sessions.open(storage, "storage"),
    sessions.open(storage, "storage"),
  ]);
  assert.equal(c, d);
  assert.notEqual(c, a);
  assert.equal(c.epoch, 3);
  assert.equal(custody.epochs().get(storage), 3);
  assert.notDeepEqual(c.salt, a.salt);
  assert.equal(await sealTheSame(a.key, c.key), false);
});

Deno.test("a session that is due gives way for raft too", async () => {
  const { sessions, raft } = await started();
  const epochs: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const session = await sessions.open(raft, "raft");
    epochs.push(session.epoch);
    makeDue(session);
  }
  assert.deepEqual(epochs, [2, 3, 4]);
});

Deno.test("a row that is there takes another epoch", async () => {
  const rows = new Rows();
  const { storage } = await started();
  for (const epoch of [2, 3, 5]) {
    const row = { keyId: storage, node16: NODE16, epoch };
    await rows.insert({ ...row, salt: new Uint8Array(32) });
  }
  const { sessions, custody } = await started(rows);
  const session = await sessions.open(storage, "storage");
  assert.equal(session.epoch, 4);
  assert.equal(custody.epochs().get(storage), 4);
  makeDue(session);
  assert.equal((await sessions.open(storage, "storage")).epoch, 6);
});

Deno.test("a store put back under a sidecar never repeats an epoch", async () => {
  const { disk, storage, rows } = await started();
  const seen = new Set<number>();
  for (let start = 0; start < 4; start += 1) {
    const custody = await openOn(disk, [KEK]);
    await custody.raiseEpochs();
    // Every second start the store has lost its rows.
    const held = start % 2 === 0 ? rows : new Rows();
    const random = new SimRandom(start);
    const sessions = new Sessions({ custody, rows: held, random });
    const { epoch } = await sessions.open(storage, "storage");
    assert.equal(seen.has(epoch), false);
    seen.add(epoch);
  }
});

Deno.test("an epoch that somebody took ends the session", async () => {
  const { sessions, custody, storage } = await started();
  const first = await sessions.open(storage, "storage");
  await custody.nextEpoch(storage, 40);
  assert.equal(sessions.current(storage, "storage"), null);
  const next = await sessions.open(storage, "storage");
  assert.notEqual(next, first);
  assert.equal(next.epoch, 41);
});

Deno.test("a session that could not begin costs its epoch", async () => {
  const { sessions, rows, storage, raft } = await started();
  rows.fails = new Error("no store");
  await assert.rejects(sessions.open(storage, "storage"), /no store/);
  assert.equal(sessions.current(storage, "storage"), null);
  rows.fails = null;
  assert.equal((await sessions.open(storage, "storage")).epoch, 3);
  assert.equal((await sessions.open(raft, "raft")).epoch, 2);
});

Deno.test("a sidecar that cannot be written begins no session", async () => {
  const { disk, storage } = await started();
  const fault = { at: Infinity };
  const custody = await openOn(failingDisk(disk, fault), [KEK]);
  await custody.raiseEpochs();
  const sessions = new Sessions({
    custody,
    rows: new Rows(),
    random: new SimRandom(1),
  });
  const first = await sessions.open(storage, "storage");
  makeDue(first);
  fault.at = 1;
  const open = () => sessions.open(storage, "storage");
  await assert.rejects(open(), SidecarWriteFailedError);
  fault.at = Infinity;
  assert.equal((await open()).epoch, first.epoch + 1);
});

Deno.test("sessions end with the epochs", async () => {
  const { sessions, custody, storage } = await started();
  await custody.nextEpoch(storage, 0xfffe);
  const last = await sessions.open(storage, "storage");
  assert.equal(last.epoch, 0xffff);
  makeDue(last);
  const next = sessions.open(storage, "storage");
  await assert.rejects(next, EpochExhaustedError);
});

Deno.test("the last epoch is of the process that took it", async () => {
  const { disk, custody, sessions, raft, shared } = await started();
  await custody.nextEpoch(raft, 0xfffe);
  assert.equal((await sessions.open(raft, "raft")).epoch, 0xffff);
  const next = await openOn(disk, [KEK]);
  await next.raiseEpochs();
  // Another disk under the same name.
  const rebuilt = await openOn(await freshDisk(), [KEK]);
  await rebuilt.raiseEpochs();
  const last = (id: KeyId) => id === raft ? 0xfffe : 0;
  await rebuilt.absorb(CLUSTER_ID, shared, last);
  for (const [open, isSpent] of [[next, true], [rebuilt, false]] as const) {
    assert.equal(open.isSpent(raft), isSpent);
    const rows = new Rows();
    const random = new SimRandom(4);
    const own = new Sessions({ custody: open, rows, random });
    const session = own.open(raft, "raft");
    if (isSpent) await assert.rejects(session, EpochExhaustedError);
    else assert.equal((await session).epoch, 0xffff);
  }
});

Deno.test("a key that is not active may come without an epoch", async () => {
  const { shared, custody, raft } = await started();
  const key = await custody.drawKey({
    clusterId: CLUSTER_ID,
    purpose: "raft",
    taken: () => false,
    createdMs: 1,
  });
  const keys = new Map(shared.keys).set(key.id, key);
  const active = { ...shared.active, raft: key.id };
  const rotated = { ...shared, keys, active, stateIndex: 11 };
  const rebuilt = await openOn(await freshDisk(), [KEK]);
  await rebuilt.raiseEpochs();
  const last = (id: KeyId) => id === raft ? 0xffff : 0;
  await rebuilt.absorb(CLUSTER_ID, rotated, last);
  const random = new SimRandom(4);
  const rows = new Rows();
  const sessions = new Sessions({ custody: rebuilt, rows, random });
  await assert.rejects(sessions.open(raft, "raft"), EpochExhaustedError);
  assert.equal((await sessions.open(key.id, "raft")).epoch, 1);
});

Deno.test("open() needs a key of that purpose, and raised epochs", async () => {
  const { sessions, shared, storage } = await started();
  const wrong: [KeyId, SealingPurpose][] = [
    [storage, "raft"],
    [5, "storage"],
    [shared.stateKey, "storage"],
  ];
  for (const [keyId, purpose] of wrong) {
    await assert.rejects(sessions.open(keyId, purpose), KeyUnknownError);
  }
  await sessions.open(storage, "storage");
  assert.equal(sessions.current(storage, "raft"), null);
  await assert.rejects(sessions.open(storage, "raft"), KeyUnknownError);
  const { sessions: fresh } = await started();
  const first = fresh.open(storage, "storage");
  await assert.rejects(fresh.open(storage, "raft"), KeyUnknownError);
  await first;
  const { custody: early } = await founded([KEK]);
  const random = new SimRandom(1);
  const none = new Sessions({ custody: early, rows: new Rows(), random });
  await assert.rejects(none.open(storage, "storage"), InvariantError);
});

Deno.test("seals() counts over all sessions of a key", async () => {
  const { sessions, storage, raft } = await started();
  assert.deepEqual([...sessions.seals()], []);
  for (const seals of [3, 4]) {
    const session = await sessions.open(storage, "storage");
    for (let i = 0; i < seals; i += 1) session.nonces.next();
    makeDue(session);
  }
  (await sessions.open(raft, "raft")).nonces.next();
  assert.deepEqual(
    Object.fromEntries(sessions.seals()),
    { [storage]: 7, [raft]: 1 },
  );
});

Deno.test("a retired key has no session", async () => {
  const { sessions, custody, shared, storage } = await started();
  const first = await sessions.open(storage, "storage");
  const key = await custody.drawKey({
    clusterId: CLUSTER_ID,
    purpose: "storage",
    taken: () => false,
    createdMs: 1,
  });
  const keys = new Map(shared.keys).set(key.id, key);
  const active = { ...shared.active, storage: key.id };
  const rotated = { ...shared, keys, active, stateIndex: 11 };
  await custody.absorb(CLUSTER_ID, rotated, noRow);
  assert.equal(sessions.current(storage, "storage"), first);
  first.nonces.next();
  await custody.absorb(CLUSTER_ID, without(rotated, storage, 12), noRow);
  assert.equal(sessions.current(storage, "storage"), null);
  // It is let go of; what was sealed in it stays counted.
  first.nonces.next();
  assert.equal(sessions.seals().get(storage), 1);
  await assert.rejects(sessions.open(storage, "storage"), KeyUnknownError);
  assert.equal((await sessions.open(key.id, "storage")).epoch, 1);
});

Deno.test("no key and nonce twice, whatever the order of calls", async () => {
  const seen = new Set<string>();
  const rows = new Rows();
  const { disk, storage, raft } = await started(rows);
  for (let start = 0; start < 3; start += 1) {
    const custody: Custody = await openOn(disk, [KEK]);
    await custody.raiseEpochs();
    const random = new SimRandom(7);
    const sessions = new Sessions({ custody, rows, random });
    for (let i = 0; i < 30; i += 1) {
      const session = await (i % 2 === 0
        ? sessions.open(storage, "storage")
        : sessions.open(raft, "raft"));
      const nonce = `${session.keyId}/${session.nonces.next().join(".")}`;
      assert.equal(seen.has(nonce), false, nonce);
      seen.add(nonce);
      if (i % 7 === 3) {
        makeDue(session);
      }
      if (i % 11 === 5) {
        await custody.nextEpoch(session.keyId);
      }
    }
  }
  assert.equal(seen.size, 90);
});
