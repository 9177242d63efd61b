import fc from "fast-check";
import { type Bytes, concatBytes, utf8 } from "../../../src/base/bytes.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../../../src/fsm/encryption_codec.ts";
import {
  decodeEncryption,
  encodeEncryption,
} from "../../../src/fsm/encryption_payload.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";
import { MEMBER_LIST_BYTES_MAX } from "../../../src/fsm/member_codec.ts";
import {
  decodeMemberContext,
  encodeMemberContext,
} from "../../../src/fsm/members.ts";
import {
  decodePayload,
  encodeAnnouncement,
  encodeBatch,
  encodeClock,
  encodeClusterInit,
  type Payload,
} from "../../../src/fsm/payload.ts";
import { decodeProposal, encodeProposal } from "../../../src/fsm/proposal.ts";
import { encodeRollout } from "../../../src/fsm/rollout_payload.ts";
import {
  decodeRolloutState,
  encodeRolloutState,
  ROLLOUT_BYTES_MAX,
} from "../../../src/fsm/rollout_codec.ts";
import type { EncryptionChange } from "../../../src/fsm/types.ts";
import {
  EVERY_KIND,
  keyOf,
  wrapOf,
} from "../../unit/fsm/encryption_fixtures.ts";
import { encryptionChange } from "../../unit/fsm/encryption_arbitraries.ts";
import {
  encryptionOf,
  longEncryptionOf,
} from "../../unit/store/encryption_model.ts";
import { memberOf } from "../../unit/store/store_model.ts";
import { rolloutChange } from "../../unit/fsm/rollout_arbitraries.ts";
import { ROLLOUTS } from "../../unit/store/rollout_model.ts";
import { type Decoder, only } from "../run/decoder.ts";
import { edited } from "../run/inputs.ts";

const refuses = only(CommandMalformedError, CommandUnknownError);

const CHANGES: readonly EncryptionChange[] = [
  ...Object.values(EVERY_KIND),
  ...fc.sample(encryptionChange, { numRuns: 400, seed: 4 }),
  {
    kind: "registration",
    fullNodeId: 2n ** 64n - 1n,
    claims: Array.from(
      { length: 128 },
      (_, i) => ({ keyId: i + 1, epoch: 0xffff - i }),
    ),
  },
  {
    kind: "bootstrap",
    keys: [keyOf(1, "raft"), keyOf(2, "state"), keyOf(3, "storage")],
  },
];

const HEADS: readonly (readonly [head: readonly number[], bytesMax: number])[] =
  [
    [[3], 1_545],
    [[4], 37_524],
    [[5, 1], 12_514],
    [[5, 2], ENCRYPTION_STATE_BYTES_MAX],
    [[5, 3], 6],
    [[5, 4], 0],
    [[5, 5], 0],
    [[5, 6], 0],
  ];

const ROLLOUT_CHANGES = fc.sample(rolloutChange, { numRuns: 200, seed: 4 });

const PAYLOADS: readonly Decoder[] = HEADS.map(([head, bytesMax]) => {
  const valid = CHANGES.map(encodeEncryption)
    .filter((bytes) => head.every((byte, i) => bytes[i] === byte));
  return {
    name: `fsm payload ${head.map((byte) => `0${byte}`).join("/")}`,
    bytesMax: head.length + bytesMax,
    valid,
    repair: (bytes) => {
      bytes.set(head.slice(0, bytes.length));
      return bytes;
    },
    // Two bytes of protobuf may be an empty message, which is an object.
    heapPerByte: 256,
    decode: (bytes) => {
      const { length } = head;
      const isOwn = bytes.length >= length &&
        head.every((byte, i) => bytes[i] === byte);
      if (!isOwn) return encodePayload(decodePayload(bytes));
      return encodeEncryption(decodeEncryption(bytes));
    },
    refuses,
  };
});

const MEMBERS = [
  memberOf(1, "n1:4701"),
  { ...memberOf(2), promoteWhenCaughtUp: true },
  { ...memberOf(3), diskId: new Uint8Array(16).fill(1) },
];

function encodePayload(payload: Payload): Bytes {
  switch (payload.kind) {
    case "batch":
      return encodeBatch(payload.writes, payload.nowMs);
    case "clock":
      return encodeClock(payload.clockMs);
    case "cluster-init":
      return encodeClusterInit(
        payload.clusterId,
        payload.clusterName,
        payload.members,
      );
    case "announcement":
      return encodeAnnouncement(payload.member);
    case "encryption":
      return encodeEncryption(payload.change);
    case "rollout":
      return encodeRollout(payload.change);
  }
}

const VALUE = { data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), encoding: 2 };
const SMALL = { key: utf8("k"), value: { ...VALUE, encoding: 2 as const } };

const OTHERS: Decoder = {
  name: "fsm payload, other tags",
  bytesMax: 2 ** 20,
  valid: [
    encodeClock(1_790_000_000_000),
    encodeClusterInit(new Uint8Array(16).fill(1), "c", []),
    encodeClusterInit(new Uint8Array(16).fill(1), "prod", MEMBERS),
    encodeAnnouncement({
      ...memberOf(4, "n4:4701"),
      diskId: new Uint8Array(16).fill(4),
    }),
    encodeBatch([{ database: "", checks: [], changes: [] }], 7),
    encodeBatch([
      {
        database: "größe",
        checks: [
          { key: utf8("a"), versionstamp: new Uint8Array(10).fill(1) },
          { key: utf8("b"), versionstamp: null },
        ],
        changes: [
          { kind: "set", ...SMALL, expireAtMs: 99 },
          { kind: "set-suffix", ...SMALL, expireAtMs: 0 },
          { kind: "delete", key: utf8("d") },
          { kind: "max", ...SMALL },
          {
            ...{ kind: "sum", ...SMALL, clamp: true },
            ...{ min: Uint8Array.of(1), max: Uint8Array.of(2) },
          },
        ],
      },
      { database: "", checks: [], changes: [{ kind: "min", ...SMALL }] },
    ], 1_790_000_000_000),
  ],
  heapPerByte: 256,
  decode: (bytes) => encodePayload(decodePayload(bytes)),
  refuses,
};

const STATES = Array.from({ length: 5 }, (_, i) => {
  const wraps = [wrapOf("file:00", i), wrapOf("k", i)].slice(i % 2);
  return encryptionOf(9 + i, { wraps, epoch: 1 + i });
}).map(encodeEncryptionState);
const LONG_STATES = [encodeEncryptionState(longEncryptionOf(9, 3))];

export const FSM_DECODERS: readonly Decoder[] = [
  ...PAYLOADS,
  OTHERS,
  {
    name: "fsm encryption state",
    bytesMax: ENCRYPTION_STATE_BYTES_MAX,
    valid: [encryptionOf(9), encryptionOf(9, { storageCutoverIndex: 5 })]
      .map(encodeEncryptionState),
    near: (rng) => edited(rng.once(2_000) ? LONG_STATES : STATES, rng, 1),
    heapPerByte: 256,
    decode: (bytes) => encodeEncryptionState(decodeEncryptionState(bytes)),
    refuses,
  },
  {
    name: "fsm payload 07",
    bytesMax: 2 ** 10,
    valid: ROLLOUT_CHANGES.map(encodeRollout),
    repair: (bytes) => {
      bytes.set([7].slice(0, bytes.length));
      return bytes;
    },
    heapPerByte: 256,
    decode: (bytes) => encodePayload(decodePayload(bytes)),
    refuses,
  },
  {
    name: "fsm rollout",
    bytesMax: ROLLOUT_BYTES_MAX,
    valid: ROLLOUTS.map(encodeRolloutState),
    heapPerByte: 256,
    decode: (bytes) => encodeRolloutState(decodeRolloutState(bytes)),
    refuses,
  },
  {
    name: "fsm proposal",
    bytesMax: 2 ** 16,
    valid: [encodeProposal(77, encodeClock(5)), encodeProposal(0, utf8(""))],
    heapPerByte: 4,
    decode: (bytes) => {
      const { proposalId, payload } = decodeProposal(bytes);
      return encodeProposal(proposalId, payload);
    },
    refuses,
  },
  {
    name: "fsm member context",
    bytesMax: MEMBER_LIST_BYTES_MAX,
    valid: [
      encodeMemberContext(MEMBERS),
      encodeMemberContext(MEMBERS.slice(2)),
      concatBytes(encodeMemberContext([memberOf(7, "x:1")])),
    ],
    heapPerByte: 256,
    decode: (bytes) => encodeMemberContext(decodeMemberContext(bytes)),
    refuses,
  },
];
