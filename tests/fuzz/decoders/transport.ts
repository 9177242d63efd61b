import {
  type Bytes,
  concatBytes,
  utf8,
  viewOf,
} from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import {
  decodeConfChange,
  encodeConfChange,
} from "../../../src/raft/conf_change.ts";
import { ConfChangeMalformedError } from "../../../src/raft/errors.ts";
import { draftMessage, MSG_APP } from "../../../src/raft/message.ts";
import { ENTRY_CONF_CHANGE_V2 } from "../../../src/raft/types.ts";
import {
  decodeBatch,
  encodeBatch,
  outgoingMessage,
  outgoingPacket,
} from "../../../src/transport/batch.ts";
import { TransportFrameInvalidError } from "../../../src/transport/errors.ts";
import { encodeFrame, FrameReader } from "../../../src/transport/frame.ts";
import {
  decodeChallenge,
  decodeHello,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  encodeRefusal,
  type Hello,
  peekVersion,
} from "../../../src/transport/hello.ts";
import {
  FRAME_BYTES_MAX,
  HELLO_BYTES_MAX,
} from "../../../src/transport/limits.ts";
import {
  decodeMessage,
  messageBytes,
  writeMessage,
} from "../../../src/transport/message_codec.ts";
import { type Decoder, only } from "../run/decoder.ts";

const refuses = only(TransportFrameInvalidError);

const IDENTITY: Hello["identity"] = {
  clusterId: new Uint8Array(16).fill(1),
  ...{ name: "n1", id: 7, address: "[::1]:4513", protocolVersion: 2 },
  diskId: new Uint8Array(16).fill(2),
  foundingDigest: new Uint8Array(32).fill(3),
  epochs: [{ keyId: 1, epoch: 2 }, { keyId: 77, epoch: 0xffff }],
};
const IDENTITIES: readonly Hello["identity"][] = [
  IDENTITY,
  { ...IDENTITY, protocolVersion: 1, epochs: [], clusterId: null },
  {
    ...IDENTITY,
    address: "a".repeat(300),
    name: "n".repeat(63),
    epochs: Array.from(
      { length: 128 },
      (_, i) => ({ keyId: i + 1, epoch: i + 1 }),
    ),
  },
];
const CHALLENGE = new Uint8Array(32).fill(4);
const HELLOS = IDENTITIES.map((identity) =>
  encodeHello({
    ...{ purpose: "messages", challenge: CHALLENGE, identity },
    target: { id: 8, name: "n2" },
  })
);

const MESSAGE = {
  ...draftMessage(MSG_APP, 2),
  ...{ from: 1, term: 7, logTerm: 6, index: 40, commit: 39 },
  entries: [
    { type: 0 as const, term: 7, index: 41, data: utf8("data") },
    { type: 2 as const, term: 7, index: 42, data: new Uint8Array(0) },
  ],
  context: utf8("context"),
};

function encodeMessage(message: Parameters<typeof messageBytes>[0]): Bytes {
  const bytes = new Uint8Array(messageBytes(message));
  writeMessage(bytes, 0, message);
  return bytes;
}

const PARTS = [outgoingMessage(MESSAGE), outgoingPacket(utf8("packet"))];
const BATCH = encodeBatch(
  PARTS,
  PARTS.reduce((sum, { bytes }) => sum + bytes, 0),
);
const BATCH_BODY = BATCH.slice(9);

const FRAMES = [
  concatBytes(encodeFrame(7), BATCH),
  encodeFrame(1, HELLOS[0]),
  encodeFrame(9),
];

/** Gives each frame the checksum that it needs. */
function withFrameChecksums(bytes: Bytes): Bytes {
  const view = viewOf(bytes);
  for (let at = 0; at + 9 <= bytes.length;) {
    const until = at + 9 + view.getUint32(at);
    if (until > bytes.length) break;
    const header = crc32c(bytes.subarray(at, at + 5));
    view.setUint32(at + 5, crc32c(bytes.subarray(at + 9, until), header));
    at = until;
  }
  return bytes;
}

/** Reads `bytes` in two chunks, as a hello and then as anything. */
function readFrames(bytes: Bytes): "taken" {
  const reader = new FrameReader(HELLO_BYTES_MAX);
  const cut = bytes.length >> 1;
  for (const chunk of [bytes.slice(0, cut), bytes.slice(cut)]) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      if (frame.body.length > HELLO_BYTES_MAX) throw new Error("too long");
    }
  }
  return "taken";
}

export const TRANSPORT_DECODERS: readonly Decoder[] = [
  {
    name: "transport hello",
    bytesMax: HELLO_BYTES_MAX,
    valid: HELLOS,
    heapPerByte: 64,
    decode: (bytes) => encodeHello(decodeHello(bytes)),
    refuses,
  },
  {
    name: "transport challenge",
    bytesMax: HELLO_BYTES_MAX,
    valid: IDENTITIES.map((identity) =>
      concatBytes(
        encodeChallenge({ challenge: CHALLENGE, identity }),
        new Uint8Array(32).fill(5),
      )
    ),
    heapPerByte: 64,
    decode: (bytes) => {
      const { proof, signed: _, ...rest } = decodeChallenge(bytes);
      return concatBytes(encodeChallenge(rest), proof);
    },
    refuses,
  },
  {
    name: "transport refusal and version",
    bytesMax: 33,
    valid: [
      encodeRefusal({ refusal: "wrong-cluster", proof: null }),
      encodeRefusal({ refusal: "wrong-cluster", proof: CHALLENGE }),
    ],
    heapPerByte: 16,
    decode: (bytes) => {
      if (bytes[0] === 0x53) peekVersion(bytes);
      return encodeRefusal(decodeRefusal(bytes));
    },
    refuses,
  },
  {
    name: "transport frames",
    bytesMax: 2 ** 16,
    valid: FRAMES,
    repair: withFrameChecksums,
    heapPerByte: 32,
    decode: readFrames,
    refuses,
  },
  {
    name: "transport batch",
    bytesMax: FRAME_BYTES_MAX,
    valid: [BATCH_BODY, concatBytes(BATCH_BODY, BATCH_BODY)],
    heapPerByte: 64,
    decode: (bytes) => {
      const parts = [...decodeBatch(bytes)].map((part) =>
        part.kind === "message"
          ? outgoingMessage(part.message)
          : outgoingPacket(part.packet)
      );
      const length = parts.reduce((sum, part) => sum + part.bytes, 0);
      return encodeBatch(parts, length).subarray(9);
    },
    refuses,
  },
  {
    name: "transport raft message",
    bytesMax: 2 ** 20,
    valid: [encodeMessage(MESSAGE), encodeMessage(draftMessage(5, 3))]
      .map((bytes, i) => {
        if (i === 1) viewOf(bytes).setUint32(20, 1);
        return bytes;
      }),
    heapPerByte: 32,
    decode: (bytes) => encodeMessage(decodeMessage(bytes)),
    refuses,
  },
  {
    name: "raft change of the membership",
    bytesMax: 2 ** 16,
    valid: [
      encodeConfChange({
        transition: 0,
        changes: [{ type: 0, id: 3 }],
        context: utf8("context"),
      }),
      encodeConfChange({
        transition: 2,
        changes: [{ type: 1, id: 3 }, { type: 3, id: 2 ** 53 - 1 }],
        context: new Uint8Array(0),
      }),
    ],
    heapPerByte: 32,
    decode: (bytes) =>
      encodeConfChange(decodeConfChange(ENTRY_CONF_CHANGE_V2, bytes)),
    refuses: only(ConfChangeMalformedError),
  },
];
