import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.ts";
import { parseCapabilityAsk } from "../../../src/admin/encryption_request.ts";
import { AdminRequestInvalidError } from "../../../src/admin/errors.ts";
import {
  type GetCapabilityRequest,
  GetCapabilityRequestSchema,
} from "../../../src/admin/gen/encryption_pb.ts";
import { encodeV8Number, parseV8Number } from "../../../src/fsm/v8_number.ts";
import {
  decodeReadReply,
  decodeWatchMessage,
  decodeWriteReply,
} from "../../../src/kvconnect/client_codec.ts";
import { ReplyMalformedError } from "../../../src/kvconnect/errors.ts";
import {
  AtomicWriteOutputSchema,
  AtomicWriteStatus,
  SnapshotReadOutputSchema,
  SnapshotReadStatus,
  WatchOutputSchema,
} from "../../../src/kvconnect/gen/datapath_pb.ts";
import { type Decoder, nothing, only, type Verdict } from "../run/decoder.ts";

const ASK = create(GetCapabilityRequestSchema, {
  ...{ clusterId: new Uint8Array(16).fill(1), term: 7n, target: 2n ** 63n },
  challenges: [
    { kek: "file:3f00000000000000", wrapped: new Uint8Array(60) },
    { kek: "k".repeat(512), wrapped: new Uint8Array(1_024) },
  ],
});
const ENTRY = {
  ...{ key: utf8("k"), value: utf8("12345678"), encoding: 2 },
  versionstamp: new Uint8Array(10).fill(1),
};
const REPLY_BYTES_MAX = 2 ** 16;

/** The library's own reading is not in question; what follows it is. */
function readAsk(bytes: Uint8Array): Verdict {
  let message: GetCapabilityRequest;
  try {
    message = fromBinary(GetCapabilityRequestSchema, bytes);
  } catch {
    return null;
  }
  const { challenges } = parseCapabilityAsk(message);
  if (challenges.length === 0 || challenges.length > 8) {
    throw new Error(`${challenges.length} challenges`);
  }
  return "taken";
}

/** What operators' programs and clients read, and numbers of V8. */
export const ADMIN_DECODERS: readonly Decoder[] = [
  {
    name: "admin capability request",
    bytesMax: REPLY_BYTES_MAX,
    valid: [toBinary(GetCapabilityRequestSchema, ASK)],
    heapPerByte: 256,
    decode: readAsk,
    refuses: only(AdminRequestInvalidError),
  },
  {
    name: "kvconnect client replies",
    bytesMax: REPLY_BYTES_MAX,
    valid: [
      toBinary(
        SnapshotReadOutputSchema,
        create(SnapshotReadOutputSchema, {
          status: SnapshotReadStatus.SR_SUCCESS,
          ranges: [{ values: [ENTRY] }],
        }),
      ),
      toBinary(
        AtomicWriteOutputSchema,
        create(AtomicWriteOutputSchema, {
          status: AtomicWriteStatus.AW_CHECK_FAILURE,
          failedChecks: [1, 2],
        }),
      ),
      toBinary(
        WatchOutputSchema,
        create(WatchOutputSchema, {
          status: SnapshotReadStatus.SR_SUCCESS,
          keys: [{ changed: true, entryIfChanged: ENTRY }, { changed: false }],
        }),
      ),
    ],
    heapPerByte: 256,
    decode: (bytes) => {
      const readers = [decodeReadReply, decodeWriteReply, decodeWatchMessage];
      return readers[bytes.length % 3]?.(bytes) === undefined ? null : "taken";
    },
    refuses: only(ReplyMalformedError),
  },
  {
    name: "fsm number of V8",
    bytesMax: 65_536,
    valid: [1, -1, 2 ** 31, 0.5, 0n, -(2n ** 64n), 2n ** 512n]
      .map(encodeV8Number),
    heapPerByte: 32,
    decode: (bytes) => {
      const number = parseV8Number(bytes);
      if (number === null) return null;
      const again = parseV8Number(encodeV8Number(number));
      if (!Object.is(again, number)) throw new Error(`${again} for ${number}`);
      return "taken";
    },
    refuses: nothing,
  },
];
