/*
 * Goal: from the storage cutover on a stream opens with its storage key alone,
 * and only as it was written.
 * Method: write sealed streams; change, cut, reorder and mix them; read them
 * with the right keys, others and none.
 */
import assert from "node:assert/strict";
import { InvariantError } from "../../../../src/base/assert.ts";
import { concatBytes, equalBytes, utf8 } from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { deriveCheckpointKey } from "../../../../src/crypto/checkpoint_cipher.ts";
import { importDek } from "../../../../src/crypto/dek.ts";
import { buildStore } from "../../../../src/store/checkpoint/build.ts";
import { streamKeyId } from "../../../../src/store/checkpoint/header.ts";
import {
  readCheckpoint,
  verifyCheckpoint,
} from "../../../../src/store/checkpoint/read.ts";
import {
  SealedChunks,
  type StreamKeys,
  type StreamName,
} from "../../../../src/store/checkpoint/sealed_chunks.ts";
import { StoreClosedError } from "../../../../src/store/errors.ts";
import { Store } from "../../../../src/store/store.ts";
import { SimKv, SimKvDisk } from "../../../sim/io/kv.ts";
import { encryptionOf, macOf, STORAGE_KEY } from "../encryption_model.ts";
import { recordOf, SILENT_LOG } from "../store_model.ts";
import { TestRecordKeys } from "../test_record_keys.ts";
import { plainRecords, readAll } from "./checkpoint_model.ts";
import {
  fileOf,
  partsOf,
  RECORDS,
  SEALED_STATE,
  STATE,
  streamKeysOf,
  streamOf,
} from "./stream.ts";

const DAMAGED = { code: "STORE_CHECKPOINT_DAMAGED", file: "test.ckpt" };
const KEYS = streamKeysOf(7);

function sealed(
  records = RECORDS,
  options: { readonly chunkBytes?: number; readonly seed?: number } = {},
) {
  return streamOf(SEALED_STATE, records, { keys: KEYS, ...options });
}

for (const chunkBytes of [64, 65, 1_000, 65_536, 2 ** 20]) {
  Deno.test(`a sealed stream in chunks of ${chunkBytes} is read with its key`, async () => {
    const stream = await sealed(RECORDS, { chunkBytes });
    const reader = await readCheckpoint(fileOf(stream), { keys: KEYS });
    assert.deepEqual(reader.state, SEALED_STATE);
    assert.deepEqual(
      plainRecords(await readAll(reader)),
      plainRecords(RECORDS),
    );
    const summary = await verifyCheckpoint(fileOf(stream), { keys: KEYS });
    assert.equal(summary.records, RECORDS.length);
    const parts = partsOf(stream).slice(1, -1);
    assert.ok(parts.every((part) => part.length === 4 + chunkBytes + 16));
  });
}

Deno.test("a stream without records has one sealed chunk", async () => {
  const none = {
    ...SEALED_STATE,
    fsm: { ...SEALED_STATE.fsm, databases: new Map() },
  };
  const stream = await streamOf(none, [], { keys: KEYS });
  assert.deepEqual(partsOf(stream).slice(1).map(({ length }) => length), [20]);
  const { records } = await verifyCheckpoint(fileOf(stream), { keys: KEYS });
  assert.equal(records, 0);
});

Deno.test("streams of one state have nothing in common but that", async () => {
  const text = utf8("the very value that is looked for in the file");
  const records = [{
    ...{ database: 1, key: utf8("the very key") },
    ...recordOf(text, 1),
  }];
  const one = await sealed(records);
  const two = await sealed(records, { seed: 2 });
  const cleartext = await streamOf(STATE, records);
  const find = (bytes: Uint8Array, part: Uint8Array) =>
    bytes.some((_, at) =>
      equalBytes(bytes.subarray(at, at + part.length), part)
    );
  assert.ok(find(cleartext, text));
  for (const part of [text, utf8("the very key"), utf8("orders")]) {
    assert.ok(!find(one, part) && !find(two, part));
  }
  const body = (stream: Uint8Array) => partsOf(stream)[1]!.subarray(4);
  assert.equal(body(one).length, body(two).length);
  assert.ok(!equalBytes(body(one), body(two)));
});

Deno.test("the key of a stream is asked for by all that it comes from", async () => {
  const asked: StreamName[] = [];
  const keys: StreamKeys = {
    streamKey: (stream) => {
      asked.push(stream);
      return KEYS.streamKey(stream);
    },
  };
  const stream = await streamOf(SEALED_STATE, [], { keys });
  await verifyCheckpoint(fileOf(stream), { keys });
  const { clusterId } = SEALED_STATE.fsm;
  const [written, read] = asked;
  assert.deepEqual([written?.clusterId, written?.keyId], [
    clusterId,
    STORAGE_KEY,
  ]);
  assert.equal(written?.salt.length, 32);
  assert.deepEqual(read, written);
  assert.equal(asked.length, 2);
  await streamOf(STATE, [], { keys });
  assert.equal(asked.length, 2, "a cleartext stream has no key");
});

Deno.test("streamKeyId() is the active storage key from the cutover on", () => {
  assert.equal(streamKeyId(STATE), 0);
  const encryption = encryptionOf(184_273);
  const before = { ...STATE, fsm: { ...STATE.fsm, encryption } };
  assert.equal(streamKeyId(before), 0);
  assert.equal(streamKeyId(SEALED_STATE), STORAGE_KEY);
});

Deno.test("a sealed stream needs keys, and the right ones", async () => {
  const stream = await sealed();
  const unsupported = {
    code: "STORE_CHECKPOINT_UNSUPPORTED",
    feature: "sealed chunks",
  };
  await assert.rejects(readCheckpoint(fileOf(stream)), unsupported);
  await assert.rejects(verifyCheckpoint(fileOf(stream)), unsupported);
  const others = { keys: streamKeysOf(8) };
  await assert.rejects(readCheckpoint(fileOf(stream), others), {
    ...{ ...DAMAGED, fault: "wrong tag" },
  });
  const failing = {
    keys: { streamKey: () => Promise.reject(new StoreClosedError()) },
  };
  await assert.rejects(readCheckpoint(fileOf(stream), failing), {
    code: "STORE_CLOSED",
  });
});

Deno.test("writeCheckpoint() seals exactly from the cutover on", async () => {
  await assert.rejects(streamOf(SEALED_STATE, RECORDS), InvariantError);
  const cleartext = await streamOf(STATE, RECORDS, { keys: KEYS });
  assert.deepEqual(cleartext, await streamOf(STATE, RECORDS));
  await verifyCheckpoint(fileOf(cleartext));
});

Deno.test("verifyCheckpoint() refuses every flipped bit of a small sealed stream", async () => {
  const stream = await sealed(RECORDS.slice(0, 2), { chunkBytes: 64 });
  for (let bit = 0; bit < stream.length * 8; bit += 1) {
    const changed = stream.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects(
      verifyCheckpoint(fileOf(changed), { keys: KEYS }),
      (error) => error instanceof NodeError && /CHECKPOINT_/.test(error.code),
      `bit ${bit}`,
    );
  }
});

Deno.test("verifyCheckpoint() refuses every shorter sealed stream, and longer ones", async () => {
  const stream = await sealed(RECORDS.slice(0, 2), { chunkBytes: 64 });
  for (let length = 0; length < stream.length; length += 1) {
    const cut = fileOf(stream.subarray(0, length));
    await assert.rejects(verifyCheckpoint(cut, { keys: KEYS }), DAMAGED);
  }
  const last = partsOf(stream).at(-1)!;
  for (const more of [Uint8Array.of(0), new Uint8Array(8), last]) {
    const longer = fileOf(concatBytes(stream, more));
    await assert.rejects(verifyCheckpoint(longer, { keys: KEYS }), DAMAGED);
  }
});

Deno.test("verifyCheckpoint() refuses sealed chunks left out, moved, doubled or of another stream", async () => {
  const options = { chunkBytes: 4_000 };
  const [head, ...chunks] = partsOf(await sealed(RECORDS, options));
  const [otherHead, ...others] = partsOf(
    await sealed(RECORDS, { ...options, seed: 2 }),
  );
  assert.ok(chunks.length > 10);
  const refused = async (parts: readonly Uint8Array[]) => {
    const file = fileOf(concatBytes(...parts));
    await assert.rejects(verifyCheckpoint(file, { keys: KEYS }), DAMAGED);
  };
  await refused([otherHead!, ...chunks]);
  for (let i = 0; i < chunks.length; i += 1) {
    await refused([head!, ...chunks.toSpliced(i, 1)]);
    await refused([head!, ...chunks.toSpliced(i, 0, chunks[i]!)]);
    await refused([head!, ...chunks.toSpliced(i, 1, others[i]!)]);
    await refused([head!, ...chunks.slice(0, i)]);
    if (i === 0) continue;
    const swapped = chunks.with(i, chunks[i - 1]!).with(i - 1, chunks[i]!);
    await refused([head!, ...swapped]);
  }
});

Deno.test("SealedChunks binds a body to number, end, header and key", async () => {
  const stream = {
    ...{ clusterId: new Uint8Array(16), keyId: 5 },
    salt: new Uint8Array(32),
  };
  const keyOf = async (fill: number) => {
    const dek = await importDek(new Uint8Array(32).fill(fill));
    return await deriveCheckpointKey(dek, stream);
  };
  const key = await keyOf(1);
  const hash = new Uint8Array(32).fill(3);
  const chunks = new SealedChunks(key, hash);
  const plaintext = utf8("forty-two");
  const place = { number: 7, isLast: false };
  const body = await chunks.seal(place, plaintext);
  assert.equal(body.length, plaintext.length + chunks.overheadBytes);
  assert.deepEqual(await chunks.open(place, body), plaintext);
  assert.equal(await chunks.open({ ...place, number: 8 }, body), null);
  assert.equal(await chunks.open({ ...place, isLast: true }, body), null);
  const elsewhere = new SealedChunks(key, hash.with(0, 1));
  assert.equal(await elsewhere.open(place, body), null);
  const foreign = new SealedChunks(await keyOf(2), hash);
  assert.equal(await foreign.open(place, body), null);
  for (const length of [0, 15, body.length - 1]) {
    assert.equal(await chunks.open(place, body.slice(0, length)), null);
  }
});

Deno.test("a store is built from a sealed stream", async () => {
  const stream = await sealed();
  const disk = new SimKvDisk();
  const reader = await readCheckpoint(fileOf(stream), { keys: KEYS });
  const keys = new TestRecordKeys(SEALED_STATE.fsm.clusterId!);
  const own = { encryptionMac: macOf(5), sessions: [], keys };
  await buildStore(new SimKv({ disk }), reader, own);
  const kv = new SimKv({ disk });
  const store = await Store.open({ kv, log: SILENT_LOG, keys });
  const source = await store.checkpoint();
  assert.deepEqual(
    source.state.fsm.encryption,
    SEALED_STATE.fsm.encryption,
  );
  assert.deepEqual(plainRecords(await readAll(source)), plainRecords(RECORDS));
  await store.close();
});
