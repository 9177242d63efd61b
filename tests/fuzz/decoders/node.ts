import { type Bytes, utf8, viewOf } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import { WRAPS_MAX } from "../../../src/base/data_key.ts";
import { CheckpointInterruptedError } from "../../../src/node/checkpoint/errors.ts";
import {
  decodeFrame,
  encodeFrame,
} from "../../../src/node/checkpoint/frame.ts";
import { CHECKPOINT_FRAME_BYTES_MAX } from "../../../src/node/checkpoint/limits.ts";
import { decodeNote, encodeNote } from "../../../src/node/checkpoint/note.ts";
import {
  decodeAnswer,
  decodeAsk,
  encodeAnswer,
  encodeAsk,
  STATEMENT_BYTES_MAX,
} from "../../../src/node/encryption/capability_packet.ts";
import {
  decodeStatement,
  encodeStatement,
} from "../../../src/node/encryption/capability_statement.ts";
import { formatIdentity, parseIdentity } from "../../../src/node/identity.ts";
import { decodePacket, encodePacket } from "../../../src/node/packet.ts";
import {
  decodePointer,
  StorePointerDamagedError,
} from "../../../src/node/store_place.ts";
import { type Decoder, nothing, only } from "../run/decoder.ts";
import { textNear, textOf } from "../run/text.ts";

const CLUSTER_ID = new Uint8Array(16).fill(1);
const PLACE = { boot: 5, term: 7, sequence: 3 };
const EXTRA = { kind: "extra" as const, topic: 9 };

const PACKETS = [
  encodePacket({
    kind: "forward",
    ...PLACE,
    proposalId: 9,
    payload: utf8("p"),
  }),
  encodePacket({ kind: "verdict", ...PLACE, verdict: "gap" }),
  encodePacket({
    ...{ kind: "state", applied: 9, commit: 10, isReady: true, phase: 2 },
  }),
  encodePacket({ ...EXTRA, body: utf8("body") }),
];

const WRAP = { kek: "file:3f00000000000000", wrapped: new Uint8Array(60) };
const ASK = {
  ...{
    kind: "capability-ask" as const,
    request: 3,
    term: 7,
    target: 2n ** 63n,
  },
  clusterId: CLUSTER_ID,
};
const STATEMENT = {
  ...{ protocolVersion: 2, build: "0.1.0", node: "n1", fullNodeId: 2n ** 63n },
  epochs: new Map([[1, 2], [77, 0xffff]]),
  ...{ sidecarIndex: 9, isEnabled: true, isFilesystemFit: true, term: 7 },
  clusterId: CLUSTER_ID,
};
const STATEMENTS = [
  encodeStatement(STATEMENT),
  encodeStatement({ ...STATEMENT, sidecarIndex: null, isFilesystemFit: false }),
  encodeStatement({
    ...STATEMENT,
    epochs: new Map(Array.from({ length: 128 }, (_, i) => [i + 1, i])),
  }),
];

const IDENTITIES = [
  formatIdentity({
    ...{ name: "n1", id: 7, diskId: CLUSTER_ID },
    foundingDigest: new Uint8Array(32).fill(2),
  }),
];
const POINTER = pointerTo("store-9-b.sqlite");

function pointerTo(name: string): Bytes {
  const bytes = new Uint8Array(17 + name.length + 4);
  bytes.set(utf8("SEALKVP1"));
  bytes[15] = 9;
  bytes[16] = name.length;
  bytes.set(utf8(name), 17);
  return withChecksum(bytes);
}

function withChecksum(bytes: Bytes): Bytes {
  const until = bytes.length - 4;
  if (until < 0) return bytes;
  viewOf(bytes).setUint32(until, crc32c(bytes.subarray(0, until)));
  return bytes;
}

/** A piece vouches for its data. */
function withPieceChecksum(bytes: Bytes): Bytes {
  if (bytes[0] !== 6 || bytes.length < 13) return bytes;
  viewOf(bytes).setUint32(9, crc32c(bytes.subarray(13)));
  return bytes;
}

const NOTE = { digest: new Uint8Array(32).fill(3), total: 900, index: 7 };

export const NODE_DECODERS: readonly Decoder[] = [
  {
    name: "node packet",
    bytesMax: 2 ** 16,
    valid: PACKETS,
    heapPerByte: 4,
    decode: (bytes) => {
      const packet = decodePacket(bytes);
      return packet && encodePacket(packet);
    },
    refuses: nothing,
  },
  {
    name: "node capability ask",
    bytesMax: 16_384,
    valid: [
      encodeAsk({ ...ASK, challenges: [WRAP] }),
      encodeAsk({ ...ASK, challenges: [] }),
      encodeAsk({
        ...ASK,
        challenges: Array.from({ length: WRAPS_MAX }, (_, i) => ({
          kek: `vault-transit:kek-${i}`.padEnd(i * 60 + 20, "x"),
          wrapped: new Uint8Array(90 + i * 100).fill(i),
        })),
      }),
    ],
    heapPerByte: 32,
    decode: (bytes) => {
      const ask = decodeAsk(bytes);
      return ask && encodeAsk(ask);
    },
    refuses: nothing,
  },
  {
    name: "node capability answer",
    bytesMax: 9 + 32 + STATEMENT_BYTES_MAX,
    valid: STATEMENTS.flatMap((statement) =>
      [new Uint8Array(0), new Uint8Array(32).fill(7)].map((proof) =>
        encodeAnswer({
          ...{ kind: "capability-answer", request: 4, statement, proof },
        })
      )
    ),
    heapPerByte: 8,
    decode: (bytes) => {
      const answer = decodeAnswer(bytes);
      return answer && encodeAnswer(answer);
    },
    refuses: nothing,
  },
  {
    name: "node capability statement",
    bytesMax: STATEMENT_BYTES_MAX,
    valid: STATEMENTS,
    heapPerByte: 256,
    // A later program may say more, and faults have words of their own.
    decode: (bytes) => {
      const statement = decodeStatement(bytes);
      if (statement === null) return null;
      const again = decodeStatement(encodeStatement(statement));
      if (again?.term !== statement.term) throw new Error("it is not again");
      return "taken";
    },
    refuses: nothing,
  },
  {
    name: "node identity file",
    bytesMax: 4_096,
    valid: IDENTITIES.map(utf8),
    near: textNear(IDENTITIES, [...'0129af{}:," \n', "n1", '"id":"07"']),
    heapPerByte: 96,
    decode: (bytes) => {
      const identity = parseIdentity(textOf(bytes));
      return identity && utf8(formatIdentity(identity));
    },
    refuses: nothing,
  },
  {
    name: "node store pointer",
    bytesMax: 64,
    valid: [POINTER, pointerTo("store-123456.sqlite")],
    repair: withChecksum,
    heapPerByte: 16,
    decode: (bytes) => {
      const { store, index } = decodePointer("x", bytes);
      const again = pointerTo(store);
      viewOf(again).setUint32(8, Math.floor(index / 2 ** 32));
      viewOf(again).setUint32(12, index % 2 ** 32);
      return withChecksum(again);
    },
    refuses: only(StorePointerDamagedError),
  },
  {
    name: "node checkpoint frame",
    bytesMax: CHECKPOINT_FRAME_BYTES_MAX,
    valid: [
      encodeFrame({
        ...{ type: "offer", digest: NOTE.digest, bytes: 9, index: 8, term: 7 },
      }),
      encodeFrame({ type: "resume", offset: 900 }),
      encodeFrame({ type: "busy" }),
      encodeFrame({ type: "refused", reason: "no-space" }),
      encodeFrame({ type: "piece", offset: 5, data: utf8("data") }),
      encodeFrame({ type: "failed", code: "STORE_CHECKPOINT_DAMAGED" }),
    ],
    repair: withPieceChecksum,
    heapPerByte: 8,
    decode: (bytes) => encodeFrame(decodeFrame(bytes)),
    refuses: only(CheckpointInterruptedError),
  },
  {
    name: "node checkpoint note",
    bytesMax: 68,
    valid: [
      encodeNote({ ...NOTE, synced: 0 }),
      encodeNote({ ...NOTE, synced: 900 }),
    ],
    repair: withChecksum,
    heapPerByte: 8,
    decode: (bytes) => {
      const note = decodeNote(bytes);
      return note && encodeNote(note);
    },
    refuses: nothing,
  },
];
