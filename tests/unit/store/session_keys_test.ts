import assert from "node:assert/strict";
import { KeyUnknownError } from "../../../src/keys/errors.ts";
import { SessionKeys } from "../../../src/store/session_keys.ts";
import type { SessionPlace } from "../../../src/store/session_row.ts";
import { CLUSTER_ID } from "./sealed_model.ts";
import { NODE16, TestRecordKeys } from "./test_record_keys.ts";

function placeOf(epoch: number, keyId = 5): SessionPlace {
  return { keyId, node16: NODE16, epoch };
}

function cache(max: number) {
  const keys = new TestRecordKeys(CLUSTER_ID);
  const found: string[] = [];
  const sessionKeys = new SessionKeys(keys, (place) => {
    found.push(`${place.keyId}/${place.epoch}`);
    const isThere = place.epoch < 100;
    const salt = new Uint8Array(32).fill(place.epoch);
    return Promise.resolve(isThere ? { ...place, salt } : null);
  }, max);
  return { keys, found, sessionKeys };
}

Deno.test("SessionKeys derives a key once, for all who ask at once too", async () => {
  const { keys, found, sessionKeys } = cache(4);
  const [a, b] = await Promise.all([
    sessionKeys.of(placeOf(1)),
    sessionKeys.of(placeOf(1)),
  ]);
  assert.ok(a !== null && a === b && a.extractable === false);
  assert.equal(await sessionKeys.of(placeOf(1)), a);
  assert.notEqual(await sessionKeys.of(placeOf(1, 6)), a);
  assert.notEqual(await sessionKeys.of(placeOf(2)), a);
  assert.deepEqual([keys.derived, found.length], [3, 3]);
});

Deno.test("SessionKeys keeps as many keys as it may", async () => {
  const { keys, sessionKeys } = cache(4);
  for (let epoch = 1; epoch <= 5; epoch += 1) {
    await sessionKeys.of(placeOf(epoch));
  }
  assert.equal(keys.derived, 5);
  for (const epoch of [5, 4, 3, 2]) await sessionKeys.of(placeOf(epoch));
  assert.equal(keys.derived, 5);
  await sessionKeys.of(placeOf(1));
  assert.equal(keys.derived, 6);
});

Deno.test("SessionKeys asks again for what was not there", async () => {
  const { keys, found, sessionKeys } = cache(4);
  assert.equal(await sessionKeys.of(placeOf(100)), null);
  assert.equal(await sessionKeys.of(placeOf(100)), null);
  assert.equal(found.length, 2);
  keys.forgotten.add(5);
  await assert.rejects(sessionKeys.of(placeOf(1)), KeyUnknownError);
  keys.forgotten.clear();
  assert.ok(await sessionKeys.of(placeOf(1)) !== null);
});

Deno.test("SessionKeys forgets the sessions of keys that are gone", async () => {
  const { keys, sessionKeys } = cache(4);
  for (const keyId of [5, 6]) await sessionKeys.of(placeOf(1, keyId));
  sessionKeys.keepOnly(new Map([[6, null]]));
  await sessionKeys.of(placeOf(1, 6));
  assert.equal(keys.derived, 2);
  await sessionKeys.of(placeOf(1, 5));
  assert.equal(keys.derived, 3);
});
