import assert from "node:assert/strict";
import { toBase64 } from "../../../src/base/base64.ts";
import { toHex } from "../../../src/base/bytes.ts";
import type { KeyPurpose } from "../../../src/base/data_key.ts";
import { commitmentOf, importDek } from "../../../src/crypto/dek.ts";
import {
  CommitmentMismatchError,
  KeyConflictError,
  KeyUnknownError,
} from "../../../src/keys/errors.ts";
import { Keystore } from "../../../src/keys/keystore.ts";
import { CLUSTER_ID } from "./sample_keys.ts";

async function keyOf(id: number, byte: number, purpose: KeyPurpose) {
  const dek = await importDek(new Uint8Array(32).fill(byte));
  const name = { clusterId: CLUSTER_ID, keyId: id, purpose };
  return { id, purpose, commitment: await commitmentOf(dek, name), dek };
}

Deno.test("put() keeps a key by id and purpose", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  await keystore.put(CLUSTER_ID, key, key.dek);
  assert.equal(keystore.get(7, "storage"), key.dek);
  assert.equal(keystore.holds(key), true);
  assert.deepEqual(keystore.ids, [7]);
  for (const [id, purpose] of [[7, "raft"], [8, "storage"]] as const) {
    assert.throws(() => keystore.get(id, purpose), (error) => {
      assert.ok(error instanceof KeyUnknownError);
      assert.deepEqual([error.keyId, error.purpose], [id, purpose]);
      return true;
    });
  }
});

Deno.test("put() sets once: the first one stays", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  const again = await keyOf(7, 1, "storage");
  await keystore.put(CLUSTER_ID, key, key.dek);
  await keystore.put(CLUSTER_ID, again, again.dek);
  assert.equal(keystore.get(7, "storage"), key.dek);
});

Deno.test("put() refuses another key under an id", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  await keystore.put(CLUSTER_ID, key, key.dek);
  const others = [
    [await keyOf(7, 2, "storage"), "commitment"],
    [await keyOf(7, 1, "raft"), "purpose"],
    [await keyOf(7, 2, "state"), "purpose"],
  ] as const;
  for (const [other, field] of others) {
    const conflict = (error: unknown) =>
      error instanceof KeyConflictError && error.field === field;
    await assert.rejects(
      keystore.put(CLUSTER_ID, other, other.dek),
      conflict,
    );
    assert.throws(() => keystore.holds(other), conflict);
  }
  assert.equal(keystore.get(7, "storage"), key.dek);
});

Deno.test("put() checks the commitment", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  const other = await keyOf(7, 2, "storage");
  const wrong: Parameters<Keystore["put"]>[] = [
    [CLUSTER_ID, key, other.dek],
    [CLUSTER_ID, { ...key, id: 8 }, key.dek],
    [CLUSTER_ID, { ...key, purpose: "raft" }, key.dek],
    [new Uint8Array(16), key, key.dek],
    [CLUSTER_ID, { ...key, commitment: new Uint8Array(0) }, key.dek],
  ];
  for (const args of wrong) {
    await assert.rejects(keystore.put(...args), CommitmentMismatchError);
  }
  assert.deepEqual(keystore.ids, []);
});

Deno.test("put() keeps its own copy of the commitment", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  const commitment = key.commitment.slice();
  await keystore.put(CLUSTER_ID, { ...key, commitment }, key.dek);
  commitment.fill(0);
  assert.equal(keystore.holds(key), true);
});

Deno.test("forget() forgets, and a copy is another keystore", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 1, "storage");
  await keystore.put(CLUSTER_ID, key, key.dek);
  const copy = new Keystore(keystore);
  copy.forget(7);
  copy.forget(8);
  assert.throws(() => copy.get(7, "storage"), KeyUnknownError);
  assert.equal(keystore.get(7, "storage"), key.dek);
});

Deno.test("printing a keystore shows no key", async () => {
  const keystore = new Keystore();
  const key = await keyOf(7, 0xb7, "storage");
  await keystore.put(CLUSTER_ID, key, key.dek);
  const raw = new Uint8Array(32).fill(0xb7);
  const shown = Deno.inspect(keystore, { depth: 99, showHidden: true }) +
    JSON.stringify(keystore) + Deno.inspect(key.dek, { depth: 99 });
  for (const secret of [toHex(raw), toBase64(raw), raw.join(", ")]) {
    assert.ok(!shown.includes(secret.slice(0, 12)));
  }
});
