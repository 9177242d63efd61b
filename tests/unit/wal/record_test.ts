import assert from "node:assert/strict";
import {
  CONF_MEMBERS_MAX,
  decodeRecords,
  entryRecordBytes,
  markBytes,
  ownedEntry,
  RECORD_HEADER_BYTES,
  RecordWriter,
  type WalRecord,
} from "../../../src/wal/record.ts";
import { entryAt, metadataAt } from "../../sim/wal_model.ts";

const MARK = {
  install: true,
  metadata: {
    index: 9,
    term: 3,
    confState: {
      voters: [1, 2 ** 40],
      votersOutgoing: [1],
      learners: [7, 8, 9],
      learnersNext: [],
      autoLeave: true,
    },
  },
};

function payloadOf(write: (writer: RecordWriter) => void): Uint8Array {
  const bytes = new Uint8Array(1000);
  const writer = new RecordWriter(bytes);
  write(writer);
  return bytes.subarray(0, writer.at);
}

Deno.test("decodeRecords() reads what RecordWriter wrote", () => {
  const hardState = { term: 2 ** 53 - 1, vote: 2 ** 33, commit: 12 };
  const entry = entryAt(4, 2, 33);
  const floor = { index: 3, term: 1 };
  const body = Uint8Array.of(1, 2, 3);
  const payload = payloadOf((writer) => {
    writer.segmentHeader(body);
    writer.snapshotMark(MARK);
    writer.entry(entry);
    writer.entry({ ...entry, type: 2, data: new Uint8Array(0) });
    writer.floor(floor);
    writer.hardState(hardState);
    writer.cleanShutdown();
  });
  const expected: WalRecord[] = [
    { kind: "segment-header", body },
    { kind: "snapshot-mark", mark: MARK },
    { kind: "entry", entry },
    { kind: "entry", entry: { ...entry, type: 2, data: new Uint8Array(0) } },
    { kind: "floor", floor },
    { kind: "hard-state", hardState },
    { kind: "clean-shutdown" },
  ];
  assert.deepEqual(decodeRecords(payload), expected);
  for (let cut = 1; cut < 20; cut += 1) {
    const short = payload.subarray(0, payload.length - cut);
    const read = decodeRecords(short);
    assert.ok(read === null || read.length < expected.length);
  }
});

Deno.test("decodeRecords() refuses what is malformed", () => {
  const u64Max = new Uint8Array(24).fill(0xff);
  const bodies: [what: string, type: number, body: Uint8Array][] = [
    ["an unknown type", 7, new Uint8Array(0)],
    ["type 0", 0, new Uint8Array(0)],
    ["a short hard state", 1, new Uint8Array(23)],
    ["a long hard state", 1, new Uint8Array(25)],
    ["a term above 2^53", 1, u64Max],
    ["a short entry", 2, new Uint8Array(16)],
    ["entry 0", 2, new Uint8Array(17)],
    ["an unknown entry type", 2, new Uint8Array(20).fill(3)],
    ["a short mark", 3, new Uint8Array(17)],
    ["an unknown kind of mark", 3, new Uint8Array(26).fill(2, 0, 1)],
    ["a mark with trailing bytes", 3, new Uint8Array(27)],
    ["a shutdown with a body", 5, new Uint8Array(1)],
    ["a short floor", 6, new Uint8Array(15)],
  ];
  for (const [what, type, body] of bodies) {
    const payload = new Uint8Array(RECORD_HEADER_BYTES + body.length);
    payload[0] = type;
    payload[4] = body.length;
    payload.set(body, RECORD_HEADER_BYTES);
    assert.equal(decodeRecords(payload), null, what);
  }
  const lying = Uint8Array.of(2, 0xff, 0xff, 0xff, 0xff, 1);
  assert.equal(decodeRecords(lying), null);
});

Deno.test("decodeRecords() bounds the members of a configuration", () => {
  for (const count of [CONF_MEMBERS_MAX, CONF_MEMBERS_MAX + 1]) {
    const body = new Uint8Array(18 + 8 + count * 8);
    new DataView(body.buffer).setUint16(18, count);
    const payload = new Uint8Array(5 + body.length);
    payload[0] = 3;
    new DataView(payload.buffer).setUint32(1, body.length);
    payload.set(body, 5);
    assert.equal(decodeRecords(payload) !== null, count <= CONF_MEMBERS_MAX);
  }
});

Deno.test("sizes are those that are written", () => {
  const entry = entryAt(4, 2, 33);
  assert.equal(payloadOf((to) => to.entry(entry)).length, 55);
  assert.equal(entryRecordBytes(entry), 55);
  const marked = payloadOf((to) => to.snapshotMark(MARK)).length;
  assert.equal(marked, RECORD_HEADER_BYTES + markBytes(MARK.metadata));
  assert.equal(markBytes(metadataAt(1, 1)), 18 + 8 + 8);
});

Deno.test("ownedEntry() copies the data", () => {
  const entry = entryAt(4, 2);
  const owned = ownedEntry(entry);
  assert.deepEqual(owned, entry);
  assert.notEqual(owned.data.buffer, entry.data.buffer);
});
