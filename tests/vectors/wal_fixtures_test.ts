import assert from "node:assert/strict";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { decodeAnchor, encodeAnchor } from "../../src/wal/anchor.ts";
import {
  FRAME_HEADER_BYTES,
  frameBodyHolds,
  frameBytes,
  openFrameHeader,
  sealFrame,
} from "../../src/wal/frame.ts";
import { decodeRecords, RecordWriter } from "../../src/wal/record.ts";
import { segmentHeaderFrame } from "../../src/wal/segment.ts";
import { decodeSegmentHeader } from "../../src/wal/segment_header.ts";

const FIXTURES = new URL("../fixtures/v1/", import.meta.url);

const MARK = {
  install: true,
  metadata: {
    index: 41,
    term: 6,
    confState: {
      voters: [1, 2, 3],
      votersOutgoing: [1],
      learners: [258],
      learnersNext: [],
      autoLeave: true,
    },
  },
};
const ENTRY = {
  type: 0,
  term: 7,
  index: 42,
  data: Uint8Array.of(0xde, 0xad, 0xbe, 0xef),
} as const;
const CONF_CHANGE = { ...ENTRY, type: 2, index: 43, data: new Uint8Array(0) };
const HARD_STATE = { term: 7, vote: 2, commit: 41 };
const FLOOR = { index: 41, term: 6 };
const FRAME = {
  frameSeq: 1_000_000,
  durableSeq: 999_999,
  walId: 0xcafef00d,
  previousCrc: 0x01020304,
};
const HEADER = {
  format: 1,
  clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
  nodeName: "n1",
  sequence: 12,
  nextIndex: 44,
  lastTerm: 7,
  hardState: HARD_STATE,
  floor: FLOOR,
  mark: { ...MARK, install: false },
};
const ANCHOR = {
  walId: 0xcafef00d,
  cleanShutdown: true,
  segment: 12,
  offset: 65_536,
  frameSeq: 1_000_000,
  frameCrc: 0x0a0b0c0d,
};

/** Frozen bytes: lower-case hex, lines are only for reading. */
async function fixture(name: string): Promise<Uint8Array> {
  const text = await Deno.readTextFile(new URL(`${name}.hex`, FIXTURES));
  const bytes = fromHex(text.replace(/\s/g, ""));
  assert.ok(bytes !== null, `${name} is hex`);
  return bytes;
}

function recordsFrame(): Uint8Array {
  const write = (writer: RecordWriter) => {
    writer.snapshotMark(MARK);
    writer.entry(ENTRY);
    writer.entry({ ...CONF_CHANGE, type: 2 });
    writer.floor(FLOOR);
    writer.hardState(HARD_STATE);
    writer.cleanShutdown();
    return writer.at;
  };
  const payloadBytes = write(new RecordWriter(new Uint8Array(1000)));
  const frame = new Uint8Array(frameBytes(payloadBytes));
  write(new RecordWriter(frame, FRAME_HEADER_BYTES));
  sealFrame(frame, { ...FRAME, payloadBytes });
  return frame;
}

Deno.test("openFrameHeader() reads the frozen frame for ever", async () => {
  const frame = await fixture("wal_frame");
  const header = openFrameHeader(frame);
  assert.ok(header !== null);
  const { payloadBytes, payloadCrc: _crc, headerCrc: _link, ...rest } = header;
  assert.deepEqual(rest, FRAME);
  const body = frame.subarray(FRAME_HEADER_BYTES);
  assert.ok(frameBodyHolds(header, body));
  assert.deepEqual(decodeRecords(body.subarray(0, payloadBytes)), [
    { kind: "snapshot-mark", mark: MARK },
    { kind: "entry", entry: ENTRY },
    { kind: "entry", entry: CONF_CHANGE },
    { kind: "floor", floor: FLOOR },
    { kind: "hard-state", hardState: HARD_STATE },
    { kind: "clean-shutdown" },
  ]);
  assert.equal(toHex(recordsFrame()), toHex(frame));
});

Deno.test("decodeSegmentHeader() reads the frozen segment for ever", async () => {
  const frame = await fixture("wal_segment");
  const header = openFrameHeader(frame);
  assert.ok(header !== null && header.frameSeq === FRAME.frameSeq + 1);
  const body = frame.subarray(FRAME_HEADER_BYTES);
  assert.ok(frameBodyHolds(header, body));
  const [record] = decodeRecords(body.subarray(0, header.payloadBytes)) ?? [];
  assert.ok(record?.kind === "segment-header");
  assert.deepEqual(decodeSegmentHeader(record.body), HEADER);
  const previous = { frameSeq: FRAME.frameSeq, frameCrc: FRAME.previousCrc };
  const made = segmentHeaderFrame(HEADER, FRAME.walId, previous);
  assert.equal(toHex(made.frame), toHex(frame));
});

Deno.test("decodeAnchor() reads the frozen slot for ever", async () => {
  const slot = await fixture("wal_anchor");
  assert.deepEqual(decodeAnchor(slot), { anchor: ANCHOR, generation: 5 });
  const made = encodeAnchor(ANCHOR, 5);
  assert.equal(toHex(made.subarray(0, slot.length)), toHex(slot));
});
