import assert from "node:assert/strict";
import {
  concatBytes,
  setUint64,
  utf8,
  viewOf,
} from "../../../../src/base/bytes.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { CleartextChunks } from "../../../../src/store/checkpoint/chunks.ts";
import {
  encodeHeader,
  headerHash,
} from "../../../../src/store/checkpoint/header.ts";
import {
  encodeDatabaseItem,
  encodeRecordItems,
} from "../../../../src/store/checkpoint/items.ts";
import {
  readCheckpoint,
  verifyCheckpoint,
} from "../../../../src/store/checkpoint/read.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { writeCheckpointFile } from "../../../../src/store/checkpoint/write.ts";
import { SimRandom } from "../../../sim/io/random.ts";
import { plainRecords, readAll } from "./checkpoint_model.ts";
import {
  fileOf,
  partsOf,
  RECORDS,
  sourceOf,
  STATE,
  streamOf,
} from "./stream.ts";

const DAMAGED = { code: "STORE_CHECKPOINT_DAMAGED", file: "test.ckpt" };

for (const chunkBytes of [64, 65, 1_000, 65_536, 2 ** 20]) {
  Deno.test(`readCheckpoint() gives back what was written in chunks of ${chunkBytes}`, async () => {
    const stream = await streamOf(STATE, RECORDS, { chunkBytes });
    const reader = await readCheckpoint(fileOf(stream));
    assert.deepEqual(reader.state, STATE);
    assert.deepEqual(
      plainRecords(await readAll(reader)),
      plainRecords(RECORDS),
    );
    const summary = await verifyCheckpoint(fileOf(stream));
    assert.equal(summary.records, RECORDS.length);
    assert.equal(summary.bytes, stream.length);
    assert.deepEqual(summary.digest, reader.digest);
  });
}

Deno.test("readCheckpoint() reads an empty state, and items that fill a chunk", async () => {
  const none = { ...STATE, fsm: { ...STATE.fsm, databases: new Map() } };
  const empty = await streamOf(none, []);
  assert.equal((await verifyCheckpoint(fileOf(empty))).records, 0);
  assert.equal(partsOf(empty).length, 2, "one chunk, and that is the last");
  // 30 of head, 1 of key, 33 of value.
  const [record] = RECORDS;
  const value = { ...record!.value, data: new Uint8Array(33) };
  const full = await streamOf(none, [{ ...record!, value }], {
    chunkBytes: 64,
  });
  assert.equal((await verifyCheckpoint(fileOf(full))).records, 1);
  assert.equal(partsOf(full).length, 2);
});

Deno.test("verifyCheckpoint() refuses every flipped bit of a small stream", async () => {
  const stream = await streamOf(STATE, RECORDS.slice(0, 2), { chunkBytes: 64 });
  for (let bit = 0; bit < stream.length * 8; bit += 1) {
    const changed = stream.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects(
      verifyCheckpoint(fileOf(changed)),
      (error) => error instanceof NodeError && /CHECKPOINT_/.test(error.code),
      `bit ${bit}`,
    );
  }
});

Deno.test("verifyCheckpoint() refuses every shorter stream, and longer ones", async () => {
  const stream = await streamOf(STATE, RECORDS.slice(0, 2), { chunkBytes: 64 });
  for (let length = 0; length < stream.length; length += 1) {
    const cut = fileOf(stream.subarray(0, length));
    await assert.rejects(verifyCheckpoint(cut), DAMAGED, `${length}`);
  }
  const last = partsOf(stream).at(-1)!;
  for (const more of [Uint8Array.of(0), new Uint8Array(8), last]) {
    const longer = fileOf(concatBytes(stream, more));
    await assert.rejects(verifyCheckpoint(longer), DAMAGED);
  }
});

Deno.test("verifyCheckpoint() refuses chunks left out, moved, doubled or of another stream", async () => {
  const options = { chunkBytes: 1_000 };
  const [head, ...chunks] = partsOf(await streamOf(STATE, RECORDS, options));
  const other = await streamOf(STATE, RECORDS, { ...options, seed: 2 });
  const [otherHead, ...others] = partsOf(other);
  assert.ok(chunks.length > 20);
  const refused = async (parts: readonly Uint8Array[]) => {
    const file = fileOf(concatBytes(...parts));
    await assert.rejects(verifyCheckpoint(file), DAMAGED);
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

/** A stream whose chunk and header are sound, whatever it says. */
function forged(items: Uint8Array, databases = 0): Uint8Array {
  const header = encodeHeader({
    ...{ state: STATE, databases, chunkBytes: 2 ** 20 },
    salt: new Uint8Array(32),
  });
  const chunks = new CleartextChunks(headerHash(header));
  const body = chunks.seal({ number: 0, isLast: true }, items);
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, body.length);
  return concatBytes(header, length, body);
}

const [FIRST, SECOND] = [RECORDS[0]!, RECORDS[1]!];
const ORDERS = encodeDatabaseItem({ name: "orders", number: 2 });

function changedRecord(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = encodeRecordItems([SECOND]);
  change(bytes);
  return bytes;
}

const FORGED: readonly (readonly [string, Uint8Array, number])[] = [
  ["a record twice", encodeRecordItems([FIRST, FIRST]), 0],
  ["records out of order", encodeRecordItems([SECOND, FIRST]), 0],
  ["a record of no database", encodeRecordItems([RECORDS[3]!]), 0],
  ["a database too many", ORDERS, 0],
  ["a database too few", encodeRecordItems([FIRST]), 1],
  ["a database missing at the end", ORDERS, 2],
  ["a database twice", concatBytes(ORDERS, ORDERS), 2],
  [
    "a name twice",
    concatBytes(ORDERS, encodeDatabaseItem({ name: "orders", number: 3 })),
    2,
  ],
  ["the default database", encodeDatabaseItem({ name: "x", number: 1 }), 1],
  ["an unknown item", Uint8Array.of(3), 0],
  ["an item cut short", encodeRecordItems([SECOND]).subarray(0, 50), 0],
  ["a head cut short", Uint8Array.of(2, 0, 0), 0],
  ["an unknown encoding", changedRecord((bytes) => bytes[11] = 4), 0],
  ["a number of 40 bytes", changedRecord((bytes) => bytes[11] = 2), 0],
  ["an empty key", changedRecord((bytes) => bytes[6] = 0), 0],
  ["a key too long", changedRecord((bytes) => bytes[5] = 255), 0],
  ["a value too long", changedRecord((bytes) => bytes[7] = 1), 0],
  ["a time too late", changedRecord((bytes) => bytes[22] = 255), 0],
  ["database 0", changedRecord((bytes) => bytes[4] = 0), 0],
  ["database 2^24", changedRecord((bytes) => bytes[1] = 1), 0],
];

for (const [what, items, databases] of FORGED) {
  Deno.test(`verifyCheckpoint() refuses ${what} under a sound checksum`, async () => {
    const file = fileOf(forged(items, databases));
    await assert.rejects(verifyCheckpoint(file), DAMAGED);
  });
}

Deno.test("verifyCheckpoint() accepts what the forger leaves alone", async () => {
  const items = concatBytes(ORDERS, encodeRecordItems(RECORDS.slice(0, 5)));
  assert.equal((await verifyCheckpoint(fileOf(forged(items, 1)))).records, 5);
});

Deno.test("verifyCheckpoint() knows a later program's stream from a damaged one", async () => {
  const stream = await streamOf(STATE, []);
  stream[7] = 50;
  await assert.rejects(verifyCheckpoint(fileOf(stream)), {
    code: "STORE_CHECKPOINT_UNSUPPORTED",
  });
  await assert.rejects(verifyCheckpoint(fileOf(utf8("SQLite format 3"))), {
    ...DAMAGED,
    fault: "another kind of file",
  });
});

Deno.test("verifyCheckpoint() names the offset of the damaged chunk", async () => {
  const stream = await streamOf(STATE, RECORDS, { chunkBytes: 1_000 });
  const parts = partsOf(stream);
  const offset = concatBytes(...parts.slice(0, 5)).length;
  stream[offset + 100]! ^= 1;
  await assert.rejects(verifyCheckpoint(fileOf(stream)), {
    ...{ ...DAMAGED, offset, fault: "wrong checksum" },
    message: new RegExp(`"test.ckpt".*offset ${offset} .*wrong checksum`),
  });
});

Deno.test("writeCheckpointFile() leaves a whole file or none, whenever it dies", async () => {
  const random = () => new SimRandom(5);
  const target = { path: "data/x.ckpt" };
  let whole = 0;
  for (let crashAt = 1;; crashAt += 1) {
    const disk = new SimDisk({ seed: crashAt });
    await disk.makeDir("data");
    await disk.syncDir(".");
    disk.crashAt = disk.operations + crashAt;
    const source = sourceOf(STATE, RECORDS);
    const done = await writeCheckpointFile(source, { disk, ...target }, {
      random: random(),
    }).then(() => true, () => false);
    disk.restart("mixed");
    if (await disk.exists(target.path)) {
      const file = await disk.open(target.path, "existing");
      assert.equal((await verifyCheckpoint(file)).records, RECORDS.length);
      await file.close();
      whole += 1;
    } else assert.ok(!done, "an acknowledged file is there");
    if (done) break;
    // What is left behind is in nobody's way.
    await disk.remove(target.path);
    await writeCheckpointFile(sourceOf(STATE, RECORDS), { disk, ...target }, {
      random: random(),
    });
  }
  assert.ok(whole >= 1);
});

Deno.test("writeCheckpointFile() removes its rest when the source fails", async () => {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("data");
  let closed = false;
  const source = {
    state: STATE,
    async *records() {
      yield RECORDS.slice(0, 2);
      throw new Error("gone");
    },
    close: async () => void (closed = true),
  };
  const target = { disk, path: "data/x.ckpt" };
  const options = { random: new SimRandom(1) };
  await assert.rejects(writeCheckpointFile(source, target, options), /gone/);
  assert.ok(closed);
  assert.deepEqual(await disk.list("data"), []);
});

Deno.test("readCheckpoint() takes no number above 2^53 - 1", async () => {
  const items = changedRecord((bytes) =>
    setUint64(viewOf(bytes), 22, Number.MAX_SAFE_INTEGER)
  );
  const summary = await verifyCheckpoint(fileOf(forged(items)));
  assert.equal(summary.records, 1);
});
