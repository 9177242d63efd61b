import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Bytes,
  concatBytes,
  utf8,
  viewOf,
} from "../../../../src/base/bytes.ts";
import { sha256 } from "../../../../src/base/sha256.ts";
import {
  type CheckpointHeader,
  CheckpointHeaderSchema,
} from "../../../../src/store/gen/checkpoint_pb.ts";
import {
  decodeHeader,
  encodeHeader,
  HEADER_BODY_BYTES_MAX,
  headerBytes,
} from "../../../../src/store/checkpoint/header.ts";
import {
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../../../../src/fsm/encryption_codec.ts";
import {
  type EncryptionState,
  NO_ENCRYPTION,
  NO_ROLLOUT,
  type RolloutState,
} from "../../../../src/fsm/types.ts";
import { encodeRolloutState } from "../../../../src/fsm/rollout_codec.ts";
import { NodeError } from "../../../../src/base/error.ts";
import { CheckpointDamagedError } from "../../../../src/store/errors.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import { encryptionOf, RAFT_KEY, STORAGE_KEY } from "../encryption_model.ts";
import { STATE } from "./stream.ts";

const ROLLOUT: RolloutState = {
  rewrite: { id: 6, bytesPerSecond: 0, isPaused: false },
  dwellUntilMs: 5,
  events: [{
    ...{ index: 7, atMs: 1, actor: "a", action: "rewrite", detail: "" },
    ...{ planHash: "0123456789abcdef", result: "done", entry: 6 },
  }],
};

/** A header around any protobuf, its hash right. */
function around(body: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, body.length);
  const hashed = concatBytes(utf8("SEALKVC1"), length, body);
  return concatBytes(hashed, sha256(hashed));
}

type Fields = Partial<Omit<CheckpointHeader, "$typeName" | "$unknown">>;

function bodyOf(fields: Fields = {}): Uint8Array {
  const message = create(CheckpointHeaderSchema, {
    ...{ chunkBytes: 65_536, streamSalt: new Uint8Array(32), confState: {} },
    ...fields,
  });
  return toBinary(CheckpointHeaderSchema, message);
}

Deno.test("decodeHeader() gives back what encodeHeader() was given", () => {
  const fsm = { ...STATE.fsm, databases: new Map() };
  const { encryptionMac: _, ...empty } = EMPTY_STATE;
  for (const state of [{ ...STATE, fsm }, empty]) {
    const salt = new Uint8Array(32).fill(3);
    const header = { state, databases: 10_000, chunkBytes: 64, salt };
    const bytes = encodeHeader(header);
    assert.equal(headerBytes("x", bytes.subarray(0, 12)), bytes.length);
    assert.deepEqual(decodeHeader("x", bytes), header);
  }
});

Deno.test("encodeHeader() has room for the largest state", () => {
  const ids = Array.from({ length: 1_024 }, (_, i) => 2 ** 53 - 1 - i);
  const text = "x".repeat(300);
  const member = {
    ...{ name: "n".repeat(63), peerAddress: text, clientAddress: text },
    ...{ adminAddress: text, diskId: new Uint8Array(16) },
    ...{ protocolVersion: 2 ** 32 - 1, promoteWhenCaughtUp: true },
  };
  const members = Array.from({ length: 32 }, (_, i) => i + 2 ** 52);
  const bytes = encodeHeader({
    state: {
      ...EMPTY_STATE,
      confState: {
        ...{ voters: ids, votersOutgoing: ids, learners: ids },
        ...{ learnersNext: ids, autoLeave: true },
      },
      fsm: {
        ...EMPTY_STATE.fsm,
        clusterName: "c".repeat(1_024),
        members: new Map(members.map((id) => [id, { id, ...member }])),
      },
    },
    ...{ databases: 10_000, chunkBytes: 65_536, salt: new Uint8Array(32) },
  });
  const bytesMax = HEADER_BODY_BYTES_MAX - ENCRYPTION_STATE_BYTES_MAX;
  assert.ok(bytes.length < bytesMax / 2, `${bytes.length}`);
  assert.equal(decodeHeader("x", bytes).state.fsm.members.size, 32);
});

const MEMBER = { id: 1n, name: "n1" };
const DAMAGED: readonly (readonly [fault: string, Fields])[] = [
  ["a chunk size out of range", { chunkBytes: 63 }],
  ["a chunk size out of range", { chunkBytes: 2 ** 20 + 1 }],
  ["a salt of another size", { streamSalt: new Uint8Array(31) }],
  ["too many databases", { databases: 10_001 }],
  ["an id of another size", { clusterId: new Uint8Array(15) }],
  ["a cluster name too long", { clusterName: "x".repeat(1_025) }],
  ["a number too big", { index: 2n ** 53n }],
  ["a number too big", { term: 2n ** 53n }],
  ["a number too big", { clockMs: 2n ** 53n }],
  ["members out of order", { members: [MEMBER, MEMBER].map(member) }],
  ["members out of order", { members: [member({ id: 0n, name: "n" })] }],
  ["too many members", {
    members: Array.from(
      { length: 33 },
      (_, i) => member({ id: BigInt(i + 1), name: `n${i}` }),
    ),
  }],
  ["a member's name or address too long", {
    members: [member({ id: 1n, name: "n".repeat(64) })],
  }],
];

function member(fields: { id: bigint; name: string }) {
  const { members: [made] } = create(CheckpointHeaderSchema, {
    members: [fields],
  });
  return made!;
}

for (const [fault, fields] of DAMAGED) {
  Deno.test(`decodeHeader() refuses ${fault}: ${Object.keys(fields)}`, () => {
    assert.throws(() => decodeHeader("x", around(bodyOf(fields))), {
      ...{ code: "STORE_CHECKPOINT_DAMAGED", file: "x", fault },
    });
  });
}

Deno.test("decodeHeader() refuses protobuf that says things twice or oddly", () => {
  const body = bodyOf();
  const twice = concatBytes(body, Uint8Array.of(0x18, 1, 0x18, 2));
  const inDefault = concatBytes(body, Uint8Array.of(0x60, 0));
  const longVarint = concatBytes(body, Uint8Array.of(0x60, 0x81, 0));
  for (const odd of [twice, inDefault, longVarint]) {
    assert.throws(() => decodeHeader("x", around(odd)), {
      fault: "header fields out of order",
    });
  }
  const cut = around(body.subarray(0, body.length - 1));
  assert.throws(() => decodeHeader("x", cut), { fault: "no protobuf" });
});

Deno.test("decodeHeader() leaves what it does not know to a later program", () => {
  const unsupported = { code: "STORE_CHECKPOINT_UNSUPPORTED" };
  const unknown = concatBytes(bodyOf(), Uint8Array.of(0x70, 1));
  assert.throws(() => decodeHeader("x", around(unknown)), unsupported);
  const inMember = bodyOf({ members: [member(MEMBER)] });
  // The member's length and a field 15 at its end.
  const at = inMember.indexOf(0x32);
  const length = inMember[at + 1]!;
  const grown = concatBytes(
    inMember.subarray(0, at + 1),
    Uint8Array.of(length + 2),
    inMember.subarray(at + 2, at + 2 + length),
    Uint8Array.of(0x78, 1),
    inMember.subarray(at + 2 + length),
  );
  assert.throws(() => decodeHeader("x", around(grown)), unsupported);
});

/** Everything but databases, which are items. */
function headerOf(encryption: EncryptionState, state = STATE) {
  const fsm = { ...state.fsm, databases: new Map(), encryption };
  return {
    state: { ...state, fsm },
    ...{ databases: 0, chunkBytes: 65_536, salt: new Uint8Array(32) },
  };
}

Deno.test("decodeHeader() gives back the encryption state", () => {
  const header = headerOf(encryptionOf(184_273, { epoch: 9 }));
  const found = decodeHeader("x", encodeHeader(header));
  assert.deepEqual(found, header);
  const none = decodeHeader("x", encodeHeader(headerOf(NO_ENCRYPTION)));
  assert.equal(none.state.fsm.encryption, NO_ENCRYPTION);
});

Deno.test("encodeHeader() has nothing of one node's own", () => {
  const header = headerOf(encryptionOf(5));
  const own = { ...header.state, encryptionMac: new Uint8Array(32).fill(9) };
  const bytes = encodeHeader({ ...header, state: own });
  assert.deepEqual(bytes, encodeHeader(header));
});

Deno.test("decodeHeader() refuses an encryption state that nobody wrote", () => {
  const state = encodeEncryptionState(encryptionOf(5));
  const cut = state.subarray(0, state.length - 1);
  const odd = concatBytes(state, Uint8Array.of(0x08, 5));
  const foreign = Uint8Array.of(0xff);
  for (const encryptionState of [cut, odd, foreign]) {
    const bytes = around(bodyOf({ index: 9n, encryptionState }));
    assert.throws(() => decodeHeader("x", bytes), (error) => {
      assert.ok(error instanceof CheckpointDamagedError);
      assert.equal(error.fault, "an encryption state of another form");
      return error.cause instanceof NodeError;
    });
  }
  const sound = { index: 9n, encryptionState: state };
  assert.throws(() => decodeHeader("x", around(bodyOf(sound))), {
    fault: "keys without a cluster",
  });
  const early = around(bodyOf({ index: 4n, encryptionState: state }));
  assert.throws(() => decodeHeader("x", early), {
    ...{ code: "STORE_CHECKPOINT_DAMAGED" },
    fault: "an encryption state of later",
  });
});

Deno.test("decodeHeader() gives back the rollout, and NO_ROLLOUT for none", () => {
  const header = headerOf(NO_ENCRYPTION);
  const { state } = header;
  const made = { ...state, fsm: { ...state.fsm, rollout: ROLLOUT } };
  const given = { ...header, state: made };
  assert.deepEqual(decodeHeader("x", encodeHeader(given)), given);
  const none = decodeHeader("x", encodeHeader(header));
  assert.equal(none.state.fsm.rollout, NO_ROLLOUT);
});

Deno.test("decodeHeader() refuses a rollout that nobody wrote", () => {
  const foreign = around(bodyOf({ index: 9n, rollout: Uint8Array.of(0xff) }));
  assert.throws(() => decodeHeader("x", foreign), {
    fault: "a rollout of another form",
  });
  const rollout = encodeRolloutState(ROLLOUT);
  const early = around(bodyOf({ index: 6n, rollout }));
  assert.throws(() => decodeHeader("x", early), {
    fault: "a rollout of later",
  });
  const jobOnly = encodeRolloutState({ ...ROLLOUT, events: [] });
  const earlier = around(bodyOf({ index: 5n, rollout: jobOnly }));
  assert.throws(() => decodeHeader("x", earlier), {
    fault: "a rollout of later",
  });
  const sound = around(bodyOf({ index: 7n, rollout }));
  assert.deepEqual(decodeHeader("x", sound).state.fsm.rollout, ROLLOUT);
});

Deno.test("headerBytes() asks for no more than a header may have", () => {
  const prefix = around(new Uint8Array(0)).slice(0, 12);
  viewOf(prefix).setUint32(8, HEADER_BODY_BYTES_MAX + 1);
  assert.throws(() => headerBytes("x", prefix), { fault: "a header too long" });
  viewOf(prefix).setUint32(8, HEADER_BODY_BYTES_MAX);
  assert.equal(headerBytes("x", prefix), HEADER_BODY_BYTES_MAX + 44);
});

Deno.test("decodeHeader() takes a key id exactly as its state has it", () => {
  const clusterId = new Uint8Array(16).fill(1);
  const stateOf = (storageCutoverIndex: number) =>
    encodeEncryptionState(encryptionOf(9, { storageCutoverIndex }));
  const headers = [
    { state: new Uint8Array(0), keyId: 0, isRight: true },
    { state: new Uint8Array(0), keyId: STORAGE_KEY, isRight: false },
    { state: stateOf(0), keyId: 0, isRight: true },
    { state: stateOf(0), keyId: STORAGE_KEY, isRight: false },
    { state: stateOf(8), keyId: 0, isRight: false },
    { state: stateOf(8), keyId: STORAGE_KEY, isRight: true },
    { state: stateOf(8), keyId: RAFT_KEY, isRight: false },
  ];
  for (const { state, keyId, isRight } of headers) {
    const fields = { clusterId, index: 9n, encryptionState: state, keyId };
    const bytes = around(bodyOf(fields));
    if (isRight) decodeHeader("x", bytes);
    else {
      assert.throws(() => decodeHeader("x", bytes), {
        ...{ code: "STORE_CHECKPOINT_DAMAGED" },
        fault: "another key than its state",
      });
    }
  }
});
