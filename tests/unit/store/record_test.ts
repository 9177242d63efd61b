import assert from "node:assert/strict";
import { type Bytes, fromHex, toHex, utf8 } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import type { RecordKey, StoredRecord } from "../../../src/fsm/types.ts";
import type { NodeError } from "../../../src/base/error.ts";
import {
  type EncodedRecord,
  encodeRecord,
  openRecord,
  readRecordRow,
  recordBytes,
} from "../../../src/store/record.ts";
import { parseRowKey, rowKey } from "../../../src/store/row_key.ts";
import {
  CleartextSealer,
  type RecordOpener,
  type RecordSealer,
} from "../../../src/store/sealer.ts";
import { recordOf } from "./store_model.ts";

const SEALER = new CleartextSealer();
const PLACE: RecordKey = { database: 7, key: utf8("\x02name\0") };
const RECORD: StoredRecord = {
  value: { data: utf8("hello"), encoding: 3 },
  versionstamp: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 0, 3),
  expireAtMs: 1_700_000_000_123,
};
const LONG_PLACE: RecordKey = {
  database: 1,
  key: new Uint8Array(2_070).fill(9),
};

async function encode(
  place: RecordKey,
  record: StoredRecord,
): Promise<EncodedRecord> {
  return await encodeRecord(SEALER, place, record);
}

async function open(
  place: RecordKey,
  { row, overflow }: EncodedRecord,
  opener: RecordOpener = SEALER,
): Promise<StoredRecord> {
  const at = parseRowKey(rowKey(place));
  assert.ok(at !== null);
  return await openRecord(opener, readRecordRow(at, row), overflow);
}

Deno.test("encodeRecord() lays a record out as formats.md says", async () => {
  const { row, overflow } = await encode(PLACE, RECORD);
  assert.equal(overflow, null);
  const header = "01" + "00" + "03" + "00000000000001020003" +
    "0000018bcfe5687b";
  const place = fromHex("00000007" + toHex(PLACE.key));
  const body = toHex(utf8("hello"));
  const covered = fromHex(header + toHex(place!) + body);
  const checksum = crc32c(covered!).toString(16).padStart(8, "0");
  assert.equal(toHex(row), header + body + checksum);
});

Deno.test("encodeRecord() puts a long key before its record", async () => {
  const { row } = await encode(LONG_PLACE, RECORD);
  assert.equal(toHex(row.subarray(0, 4)), "08160909");
  assert.equal(row[2 + 2_070], 1);
  assert.equal(row.length, 2 + 2_070 + 21 + 5 + 4);
});

const SIZES: readonly (readonly [
  name: string,
  place: RecordKey,
  valueBytes: number,
  overflowBytes: number,
])[] = [
  ["nothing", PLACE, 0, 0],
  ["the largest that fits a row", PLACE, 65_511, 0],
  ["one byte more", PLACE, 65_512, 1],
  ["the largest value", PLACE, 65_536, 25],
  ["the largest under a long key that fits", LONG_PLACE, 63_439, 0],
  ["one byte more under a long key", LONG_PLACE, 63_440, 1],
  ["the largest value under a long key", LONG_PLACE, 65_536, 2_097],
];

for (const [name, place, valueBytes, overflowBytes] of SIZES) {
  Deno.test(`openRecord() gives back ${name}: ${valueBytes} bytes`, async () => {
    const record = recordOf(new Uint8Array(valueBytes).fill(5), 9, 77);
    const encoded = await encode(place, record);
    assert.equal(encoded.overflow?.length ?? 0, overflowBytes);
    assert.ok(
      encoded.row.length + overflowBytes <= recordBytes(place.key, valueBytes),
    );
    assert.deepEqual(await open(place, encoded), record);
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => null, (error) => error as NodeError);
  assert.ok(error !== null, "it was served");
  return `${error.code} ${"fault" in error ? error.fault : ""}`;
}

Deno.test("openRecord() refuses every changed bit", async () => {
  for (const place of [PLACE, LONG_PLACE]) {
    const { row } = await encode(place, RECORD);
    // A long key's bytes are alike: its first and last ones stand for all.
    const offsets = [...row.keys()].filter((at) =>
      place === PLACE || at < 40 || at > row.length - 60
    );
    for (const offset of offsets) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = row.slice();
        changed[offset]! ^= 1 << bit;
        const code = await codeOf(
          Promise.resolve().then(() =>
            open(place, { row: changed, overflow: null })
          ),
        );
        assert.match(code, /^STORE_RECORD_(DAMAGED|SEALED)/);
      }
    }
  }
});

Deno.test("openRecord() refuses every truncation", async () => {
  for (const place of [PLACE, LONG_PLACE]) {
    const { row } = await encode(place, RECORD);
    for (let length = 0; length < row.length; length += 1) {
      const cut = row.slice(0, length);
      const code = await codeOf(
        Promise.resolve().then(() => open(place, { row: cut, overflow: null })),
      );
      assert.match(code, /^STORE_RECORD_DAMAGED/);
    }
  }
});

const STATES: readonly (readonly [state: number, code: string])[] = [
  [0b0000_0001, "STORE_RECORD_SEALED "],
  [0b0000_0010, "STORE_RECORD_DAMAGED reserved state bits"],
  [0b0000_0011, "STORE_RECORD_DAMAGED reserved state bits"],
  [0b0000_0100, "STORE_RECORD_DAMAGED missing overflow part"],
  [0b0000_1000, "STORE_RECORD_DAMAGED reserved state bits"],
  [0b1000_0000, "STORE_RECORD_DAMAGED reserved state bits"],
];

for (const [state, expected] of STATES) {
  Deno.test(`openRecord() refuses state ${state.toString(2)}`, async () => {
    const { row } = await encode(PLACE, RECORD);
    row[1] = state;
    const code = await codeOf(
      Promise.resolve().then(() => open(PLACE, { row, overflow: null })),
    );
    assert.equal(code, expected);
  });
}

Deno.test("openRecord() refuses a record moved to another place", async () => {
  const encoded = await encode(PLACE, RECORD);
  const moved = [
    { ...PLACE, database: 8 },
    { ...PLACE, key: utf8("\x02nama\0") },
  ];
  for (const place of moved) {
    assert.equal(
      await codeOf(open(place, encoded)),
      "STORE_RECORD_DAMAGED wrong checksum",
    );
  }
  const long = await encode(LONG_PLACE, RECORD);
  const other = LONG_PLACE.key.slice();
  other[2_069] = 1;
  assert.equal(
    await codeOf(
      Promise.resolve().then(() => open({ database: 1, key: other }, long)),
    ),
    "STORE_RECORD_DAMAGED wrong place",
  );
});

Deno.test("openRecord() refuses another record's overflow part", async () => {
  const big = recordOf(new Uint8Array(65_536).fill(1), 1);
  const { row } = await encode(PLACE, big);
  const other = recordOf(new Uint8Array(65_536).fill(2), 2);
  const { overflow } = await encode(PLACE, other);
  assert.equal(
    await codeOf(open(PLACE, { row, overflow })),
    "STORE_RECORD_DAMAGED wrong checksum",
  );
});

Deno.test("errors name a record without its key", async () => {
  const { row } = await encode(PLACE, RECORD);
  row[22]! ^= 1;
  const error = await open(PLACE, { row, overflow: null }).then(
    () => null,
    (error) => error as NodeError,
  );
  assert.doesNotMatch(`${error?.message}${error?.remedy}`, /name|hello/);
  assert.match(`${error?.message}`, /record [0-9a-f]{8} of database 7/);
});

/** Stands in for sealing: inverts bytes, asynchronously. */
class InvertingSealer implements RecordSealer, RecordOpener {
  readonly state = 1;
  readonly overheadBytes = 34;

  async seal(row: Bytes, bodyAt: number, _place: RecordKey, text: Uint8Array) {
    row.set(text.map((byte) => ~byte), bodyAt);
  }

  async open(row: Uint8Array, bodyAt: number) {
    return row.subarray(bodyAt, row.length - 34).map((byte) => ~byte);
  }
}

Deno.test("encodeRecord() works with a sealer that takes its time", async () => {
  const sealer = new InvertingSealer();
  const encoded = await encodeRecord(sealer, PLACE, RECORD);
  assert.equal(encoded.row[1], 1);
  assert.deepEqual(await open(PLACE, encoded, sealer), RECORD);
});
