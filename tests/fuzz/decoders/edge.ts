import { type Bytes, utf8, viewOf } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import {
  encodeReadRequest,
  encodeWatchRequest,
  encodeWriteRequest,
} from "../../../src/kvconnect/client_codec.ts";
import {
  decodeAtomicWrite,
  decodeSnapshotRead,
  decodeWatch,
} from "../../../src/kvconnect/decode_request.ts";
import { RequestInvalidError } from "../../../src/kvconnect/errors.ts";
import { decodeAnchor, encodeAnchor } from "../../../src/wal/anchor.ts";
import { openFrameHeader, sealFrame } from "../../../src/wal/frame.ts";
import {
  decodeRecords,
  RecordWriter,
  type WalRecord,
} from "../../../src/wal/record.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
} from "../../../src/wal/segment_header.ts";
import { type Decoder, nothing, only } from "../run/decoder.ts";

const refuses = only(RequestInvalidError);
const BODY_BYTES_MAX = 2 ** 20;

const VALUE = { data: utf8("12345678"), encoding: 2 as const };
const CONF = {
  ...{ voters: [1, 2, 3], votersOutgoing: [], learners: [4], learnersNext: [] },
  autoLeave: false,
};
const MARK = {
  install: false,
  metadata: { index: 7, term: 3, confState: CONF },
};
const HEADER = {
  ...{ format: 1, clusterId: new Uint8Array(16).fill(1), nodeName: "n1" },
  ...{ sequence: 5, nextIndex: 8, lastTerm: 3 },
  hardState: { term: 3, vote: 2, commit: 7 },
  floor: { index: 4, term: 2 },
  mark: MARK,
};

function writeRecords(records: readonly WalRecord[], length: number): Bytes {
  const bytes = new Uint8Array(length);
  const writer = new RecordWriter(bytes);
  for (const record of records) {
    switch (record.kind) {
      case "hard-state":
        writer.hardState(record.hardState);
        break;
      case "entry":
        writer.entry(record.entry);
        break;
      case "snapshot-mark":
        writer.snapshotMark(record.mark);
        break;
      case "segment-header":
        writer.segmentHeader(record.body);
        break;
      case "clean-shutdown":
        writer.cleanShutdown();
        break;
      case "floor":
        writer.floor(record.floor);
        break;
    }
  }
  return bytes.subarray(0, writer.at);
}

const RECORDS = writeRecords([
  { kind: "segment-header", body: encodeSegmentHeader(HEADER) },
  { kind: "hard-state", hardState: HEADER.hardState },
  { kind: "entry", entry: { type: 0, term: 3, index: 8, data: utf8("data") } },
  { kind: "snapshot-mark", mark: MARK },
  { kind: "floor", floor: HEADER.floor },
  { kind: "clean-shutdown" },
], 1_000);

const FRAME = new Uint8Array(48);
FRAME.set(utf8("payload"), 40);
sealFrame(FRAME, {
  ...{ payloadBytes: 8, frameSeq: 1, durableSeq: 0, walId: 1, previousCrc: 0 },
});
const ANCHOR = encodeAnchor({
  ...{ walId: 1, cleanShutdown: true, segment: 3, offset: 4_096 },
  ...{ frameSeq: 9, frameCrc: 7 },
}, 5);

/** Gives bytes the checksum that ends at `until`. */
function checkedUntil(until: number): (bytes: Bytes) => Bytes {
  return (bytes) => {
    if (bytes.length < until) return bytes;
    viewOf(bytes).setUint32(until - 4, crc32c(bytes.subarray(0, until - 4)));
    return bytes;
  };
}

/** Formats of earlier parts: those of the log, and what clients send. */
export const EDGE_DECODERS: readonly Decoder[] = [
  {
    name: "wal records",
    bytesMax: BODY_BYTES_MAX,
    valid: [RECORDS],
    // A record of 5 bytes is an object with a view.
    heapPerByte: 96,
    decode: (bytes) => {
      const records = decodeRecords(bytes);
      return records && writeRecords(records, bytes.length);
    },
    refuses: nothing,
  },
  {
    name: "wal segment header",
    bytesMax: 2 ** 16,
    valid: [encodeSegmentHeader(HEADER)],
    heapPerByte: 64,
    decode: (bytes) => {
      const header = decodeSegmentHeader(bytes);
      if (header === null) return null;
      return header.sequence === null ? "taken" : encodeSegmentHeader(header);
    },
    refuses: nothing,
  },
  {
    name: "wal frame header",
    bytesMax: 40,
    valid: [FRAME.slice(0, 40)],
    repair: checkedUntil(40),
    heapPerByte: 8,
    decode: (bytes) => openFrameHeader(bytes) && "taken",
    refuses: nothing,
  },
  {
    name: "wal anchor",
    bytesMax: ANCHOR.length,
    valid: [ANCHOR.slice()],
    repair: checkedUntil(56),
    heapPerByte: 8,
    decode: (bytes) => decodeAnchor(bytes) && "taken",
    refuses: nothing,
  },
  {
    name: "kvconnect snapshot read",
    bytesMax: BODY_BYTES_MAX,
    valid: [encodeReadRequest([{
      ...{ start: utf8("a"), end: utf8("b"), limit: 9, reverse: true },
    }])],
    heapPerByte: 64,
    decode: (bytes) => decodeSnapshotRead(bytes) && "taken",
    refuses,
  },
  {
    name: "kvconnect atomic write",
    bytesMax: BODY_BYTES_MAX,
    valid: [encodeWriteRequest({
      checks: [{ key: utf8("a"), versionstamp: new Uint8Array(10) }],
      changes: [
        { kind: "set", key: utf8("a"), value: VALUE, expireAtMs: 99 },
        { kind: "delete", key: utf8("b") },
        { kind: "max", key: utf8("c"), value: VALUE },
      ],
    })],
    heapPerByte: 64,
    decode: (bytes) => decodeAtomicWrite(bytes) && "taken",
    refuses,
  },
  {
    name: "kvconnect watch",
    bytesMax: BODY_BYTES_MAX,
    valid: [encodeWatchRequest([utf8("a"), utf8("bc")])],
    heapPerByte: 64,
    decode: (bytes) => decodeWatch(bytes) && "taken",
    refuses,
  },
];
