/*
 * Goal: whatever bytes come from a disk or a peer, reading a checkpoint ends
 * with its records or with a typed error, and never with more memory than the
 * file and its limits allow.
 * Method: change valid streams, also under fresh checksums, and read them.
 */
import assert from "node:assert/strict";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes, viewOf } from "../../src/base/bytes.ts";
import { NodeError } from "../../src/base/error.ts";
import { sha256 } from "../../src/base/sha256.ts";
import { encodeEncryptionState } from "../../src/fsm/encryption_codec.ts";
import { decodePointer } from "../../src/node/store_place.ts";
import { CleartextChunks } from "../../src/store/checkpoint/chunks.ts";
import {
  decodeHeader,
  HEADER_BODY_BYTES_MAX,
} from "../../src/store/checkpoint/header.ts";
import { CheckpointHeaderSchema } from "../../src/store/gen/checkpoint_pb.ts";
import { readItem } from "../../src/store/checkpoint/items.ts";
import {
  type CheckpointFile,
  type ReadCheckpointOptions,
  verifyCheckpoint,
} from "../../src/store/checkpoint/read.ts";
import { encryptionOf } from "../unit/store/encryption_model.ts";
import {
  fileOf,
  partsOf,
  RECORDS,
  SEALED_STATE,
  STATE,
  streamKeysOf,
  streamOf,
} from "../unit/store/checkpoint/stream.ts";

const RUNS = { numRuns: 2_000 };
const READ_BYTES_MAX = HEADER_BODY_BYTES_MAX + 2 ** 20 + 64;
const STREAM = await streamOf(STATE, RECORDS.slice(0, 4), { chunkBytes: 64 });
const [HEADER = new Uint8Array(0), ...CHUNKS] = partsOf(STREAM);
const PLAINTEXT = concatBytes(
  ...CHUNKS.map((chunk) => chunk.subarray(4, chunk.length - 4)),
);

/** Valid bytes with some of them changed, cut or lengthened; or any bytes. */
function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    edits: fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), {
      maxLength: 4,
    }),
    length: fc.oneof(fc.constant(valid.length), fc.nat(valid.length + 8)),
  }).map(({ edits, length }) => {
    const bytes = new Uint8Array(length);
    bytes.set(valid.subarray(0, length));
    for (const [at, byte] of edits) if (at < length) bytes[at] = byte;
    return bytes;
  });
  return fc.oneof(
    { weight: 4, arbitrary: change },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

/** Gives a changed header the length and the hash that it needs. */
function resealedHeader(body: Uint8Array) {
  const head = HEADER.slice(0, 12);
  viewOf(head).setUint32(8, body.length);
  const hashed = concatBytes(head, body);
  return concatBytes(hashed, sha256(hashed));
}

function readFields(header: Uint8Array) {
  const body = header.subarray(12, header.length - 32);
  return fromBinary(CheckpointHeaderSchema, body);
}

function bounded(bytes: Uint8Array): CheckpointFile {
  const file = fileOf(bytes);
  return {
    ...file,
    readAt: (offset, length) => {
      assert.ok(length <= READ_BYTES_MAX, `a read of ${length}`);
      return file.readAt(offset, length);
    },
  };
}

async function isRead(
  bytes: Uint8Array,
  options: ReadCheckpointOptions = {},
): Promise<boolean> {
  try {
    await verifyCheckpoint(bounded(bytes), options);
    return true;
  } catch (error) {
    assert.ok(error instanceof NodeError, `${error}`);
    assert.match(error.code, /^STORE_CHECKPOINT_(DAMAGED|UNSUPPORTED)$/);
    return false;
  }
}

Deno.test("verifyCheckpoint() refuses changed bytes", async () => {
  await fc.assert(
    fc.asyncProperty(damaged(STREAM), async (bytes) => {
      const isSame = bytes.length === STREAM.length &&
        bytes.every((byte, i) => byte === STREAM[i]);
      assert.equal(await isRead(bytes), isSame);
    }),
    RUNS,
  );
});

Deno.test("decodeHeader() reads any body under its hash, or refuses it", () => {
  const body = HEADER.subarray(12, HEADER.length - 32);
  let read = 0;
  fc.assert(
    fc.property(damaged(body), (changed) => {
      try {
        const header = decodeHeader("x", resealedHeader(changed));
        assert.ok(header.chunkBytes >= 64 && header.chunkBytes <= 2 ** 20);
        assert.ok(header.databases <= 10_000);
        assert.ok(header.state.fsm.members.size <= 32);
        read += 1;
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
      }
    }),
    RUNS,
  );
  assert.ok(read > RUNS.numRuns / 10, `only ${read} get through`);
});

Deno.test("decodeHeader() reads one form of an encryption state, or refuses it", () => {
  const head = readFields(HEADER);
  const valid = encodeEncryptionState(encryptionOf(184_273));
  let read = 0;
  fc.assert(
    fc.property(damaged(valid), (encryptionState) => {
      const message = { ...head, encryptionState };
      const body = toBinary(CheckpointHeaderSchema, message);
      try {
        const { state } = decodeHeader("x", resealedHeader(body));
        const again = encodeEncryptionState(state.fsm.encryption);
        assert.deepEqual(again, Uint8Array.from(encryptionState));
        read += 1;
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        assert.match(error.code, /^STORE_CHECKPOINT_/);
      }
    }),
    RUNS,
  );
  assert.ok(read > RUNS.numRuns / 20, `only ${read} get through`);
});

Deno.test("verifyCheckpoint() refuses changed bytes of a sealed stream", async () => {
  const keys = streamKeysOf(7);
  const stream = await streamOf(SEALED_STATE, RECORDS.slice(0, 4), {
    ...{ chunkBytes: 64, keys },
  });
  await fc.assert(
    fc.asyncProperty(damaged(stream), async (bytes) => {
      const isSame = bytes.length === stream.length &&
        bytes.every((byte, i) => byte === stream[i]);
      assert.equal(await isRead(bytes, { keys }), isSame);
    }),
    RUNS,
  );
});

Deno.test("verifyCheckpoint() reads any plaintext under its checksum, or refuses it", async () => {
  // Its chunks are long enough for all of it.
  const whole = await streamOf(STATE, RECORDS.slice(0, 4));
  const [header = new Uint8Array(0)] = partsOf(whole);
  const chunks = new CleartextChunks(header.slice(-32));
  let read = 0;
  await fc.assert(
    fc.asyncProperty(damaged(PLAINTEXT), async (plaintext) => {
      const body = chunks.seal({ number: 0, isLast: true }, plaintext);
      const length = new Uint8Array(4);
      viewOf(length).setUint32(0, body.length);
      if (await isRead(concatBytes(header, length, body))) read += 1;
    }),
    RUNS,
  );
  assert.ok(read > RUNS.numRuns / 10, `only ${read} get through`);
});

Deno.test("readItem() goes forward, waits or refuses", () => {
  fc.assert(
    fc.property(damaged(PLAINTEXT), fc.nat(40), (bytes, at) => {
      const item = readItem(bytes, at);
      if (item.kind === "database" || item.kind === "record") {
        assert.ok(item.next > at && item.next <= bytes.length);
      }
    }),
    RUNS,
  );
});

Deno.test("decodePointer() reads a name of a store, or refuses", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      assert.throws(() => decodePointer("x", bytes), {
        code: "NODE_STORE_POINTER_DAMAGED",
      });
    }),
    RUNS,
  );
});
