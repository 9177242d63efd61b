import assert from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import type { Kv } from "../../src/io/kv.ts";
import { BufferedStore } from "../../src/store/buffered_store.ts";
import { buildStore } from "../../src/store/checkpoint/build.ts";
import { Store } from "../../src/store/store.ts";
import {
  encryptedAt,
  encryptionOf,
  longEncryptionOf,
  macOf,
  STORAGE_KEY,
} from "../unit/store/encryption_model.ts";
import { memberOf, recordOf, SILENT_LOG } from "../unit/store/store_model.ts";

/** A backing store that outlives what is opened on it. */
export interface KvPlace {
  open(): Promise<Kv>;
  /** Another one, empty. */
  another(): KvPlace;
  remove(): Promise<void>;
}

function sessionOf(epoch: number, fill = epoch) {
  return {
    ...{ keyId: STORAGE_KEY, node16: 0xd4c0, epoch },
    salt: new Uint8Array(32).fill(fill),
  };
}

function open(place: KvPlace): Promise<Store> {
  return Store.open({ kv: place.open(), log: SILENT_LOG });
}

function openBuffered(place: KvPlace): Promise<BufferedStore> {
  return BufferedStore.open({ kv: place.open(), log: SILENT_LOG });
}

/** What a store keeps of encryption on every backing store. */
export function runStoreContract(
  name: string,
  make: () => Promise<KvPlace>,
): void {
  const test = (what: string, run: (place: KvPlace) => Promise<void>) => {
    Deno.test(`${name}: ${what}`, async () => {
      const place = await make();
      try {
        await run(place);
      } finally {
        await place.remove();
      }
    });
  };

  test("a session has one salt, also after reopening", async (place) => {
    const store = await openBuffered(place);
    assert.equal(await store.insertSession(sessionOf(1)), true);
    assert.equal(await store.insertSession(sessionOf(1, 99)), false);
    await store.close();
    const again = await openBuffered(place);
    assert.equal(await again.insertSession(sessionOf(1, 98)), false);
    assert.equal(await again.insertSession(sessionOf(2)), true);
    const found = await again.findSession(sessionOf(1, 97));
    assert.deepEqual(found, sessionOf(1));
    assert.deepEqual(await again.sessionRows(), [sessionOf(1), sessionOf(2)]);
    assert.deepEqual([...await again.highestSessionEpochs()], [[
      STORAGE_KEY,
      2,
    ]]);
    await again.close();
  });

  test("two inserting the same session: one does", async (place) => {
    const store = await openBuffered(place);
    const won = await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.insertSession(sessionOf(1, i))),
    );
    assert.deepEqual(won.filter((isNew) => isNew), [true]);
    const salt = won.indexOf(true);
    assert.deepEqual(
      (await store.findSession(sessionOf(1)))?.salt,
      sessionOf(1, salt).salt,
    );
    await store.close();
  });

  test("states of all sizes are there after reopening", async (place) => {
    const lengths = [1, 4, 2, 3, 1];
    for (const [i, parts] of lengths.entries()) {
      const index = i + 2;
      const state = encryptedAt(index, longEncryptionOf(index, parts));
      const store = await openBuffered(place);
      const key = utf8(`k${index}`);
      const record = recordOf(new Uint8Array(9), index);
      const mutations = [{ database: 1, key, record }];
      await store.commit({ state, mutations });
      await store.flush();
      assert.deepEqual(store.durable, state);
      await store.close();
      const again = await open(place);
      assert.deepEqual(again.state, state);
      await again.close();
    }
  });

  test("a commit in parts brings its encryption state along", async (place) => {
    const address = "x".repeat(300);
    const members = new Map(
      Array.from({ length: 32 }, (_, i) => [i + 1, memberOf(i + 1, address)]),
    );
    const made = encryptedAt(3, longEncryptionOf(3, 4));
    const state = { ...made, fsm: { ...made.fsm, members } };
    const mutations = Array.from({ length: 1_200 }, (_, i) => ({
      ...{ database: 1, key: utf8(`k${i}`) },
      record: recordOf(new Uint8Array(i % 100 === 0 ? 65_536 : 30), 3),
    }));
    const store = await open(place);
    await store.commit({
      state: encryptedAt(2, encryptionOf(2)),
      mutations: [],
    });
    await store.commit({ state, mutations });
    assert.equal(store.counters.multiPart, 1);
    await store.insertSession(sessionOf(1));
    await store.close();
    const again = await open(place);
    assert.deepEqual(again.state, state);
    assert.deepEqual(await again.sessionRows(), [sessionOf(1)]);
    await again.close();
  });

  test("a built store takes over, and the sessions with it", async (place) => {
    const store = await openBuffered(place);
    const state = encryptedAt(2, encryptionOf(2));
    await store.commit({ state, mutations: [] });
    await store.insertSession(sessionOf(1));
    const target = place.another();
    const kv = await target.open();
    const { encryptionMac: _, ...shared } = encryptedAt(
      9,
      longEncryptionOf(9, 3),
    );
    const source = {
      state: shared,
      async *records() {},
      close: () => Promise.resolve(),
    };
    const own = { encryptionMac: macOf(50), sessions: [sessionOf(1)] };
    await buildStore(kv, source, own);
    kv.close();
    await store.insertSession(sessionOf(2));
    await store.replaceWith(open(target));
    assert.deepEqual(store.state, { ...shared, encryptionMac: macOf(50) });
    assert.equal(await store.insertSession(sessionOf(2)), false);
    assert.equal(await store.insertSession(sessionOf(3)), true);
    await store.close();
    const again = await open(target);
    assert.deepEqual(
      await again.sessionRows(),
      [1, 2, 3].map((epoch) => sessionOf(epoch)),
    );
    await again.close();
  });
}
