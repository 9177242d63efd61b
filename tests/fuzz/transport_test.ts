import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../src/base/bytes.ts";
import { InvariantError } from "../../src/base/assert.ts";
import { draftMessage, type Message } from "../../src/raft/message.ts";
import type { EntryType } from "../../src/raft/types.ts";
import {
  decodeBatch,
  encodeBatch,
  type Outgoing,
  outgoingMessage,
  outgoingPacket,
} from "../../src/transport/batch.ts";
import { TransportFrameInvalidError } from "../../src/transport/errors.ts";
import { encodeFrame, FrameReader } from "../../src/transport/frame.ts";
import {
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  peekVersion,
} from "../../src/transport/hello.ts";
import {
  decodeMessage,
  isWireMessage,
  messageBytes,
  writeMessage,
} from "../../src/transport/message_codec.ts";

const RUNS = { numRuns: 2000 };
const bytes = fc.uint8Array({ maxLength: 400 });
const safe = fc.maxSafeNat();
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const exactly = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });
const name = fc.stringMatching(/^[a-z0-9.-]{1,63}$/);
const entry = fc.record({
  type: fc.constantFrom<EntryType>(0, 1, 2),
  term: safe,
  index: safe,
  data: fc.uint8Array({ maxLength: 40 }),
}, { noNullPrototype: true });
const type = fc.integer({ min: 0, max: 23 }).filter(isWireMessage);

const message: fc.Arbitrary<Message> = fc.record({
  type,
  to: id,
  from: id,
  term: safe,
  logTerm: safe,
  index: safe,
  entries: fc.array(entry, { maxLength: 5 }),
  commit: safe,
  vote: safe,
  reject: fc.boolean(),
  rejectHint: safe,
  context: fc.uint8Array({ maxLength: 40 }),
}).map((fields) => ({ ...draftMessage(fields.type, fields.to), ...fields }));

const address = fc.string({
  unit: fc.constantFrom(..."n1.example:4513[]~!"),
  maxLength: 300,
});
const epochs = fc.uniqueArray(
  fc.record({
    keyId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    epoch: fc.integer({ min: 1, max: 0xffff }),
  }, { noNullPrototype: true }),
  { selector: ({ keyId }) => keyId, maxLength: 5 },
).map((list) => list.sort((a, b) => a.keyId - b.keyId));
const identity = fc.record({
  clusterId: fc.option(exactly(16).filter((bytes) => bytes.some(Boolean))),
  name,
  id,
  address,
  diskId: exactly(16),
  protocolVersion: fc.oneof(fc.nat(3), fc.nat(65_535)),
  foundingDigest: exactly(32),
  epochs,
}, { noNullPrototype: true }).map((one) =>
  one.protocolVersion < 2 ? { ...one, epochs: [] } : one
);
const target = fc.record({ id, name }, { noNullPrototype: true });
const hello = fc.record({
  purpose: fc.constantFrom("messages" as const, "stream" as const),
  challenge: exactly(32),
  identity,
  target,
}, { noNullPrototype: true });

function encode(message: Message): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(messageBytes(message));
  writeMessage(bytes, 0, message);
  return bytes;
}

/** `decode` gives something or says that the bytes are not valid. */
function survives(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    assert.ok(error instanceof TransportFrameInvalidError, String(error));
  }
}

const DECODERS: [
  name: string,
  decode: (bytes: Uint8Array<ArrayBuffer>) => unknown,
][] = [
  ["decodeMessage()", decodeMessage],
  ["decodeBatch()", (bytes) => [...decodeBatch(bytes)]],
  ["decodeHello()", decodeHello],
  ["decodeChallenge()", decodeChallenge],
  ["decodeProof()", decodeProof],
  ["decodeRefusal()", decodeRefusal],
  ["peekVersion()", peekVersion],
];

for (const [name, decode] of DECODERS) {
  Deno.test(`${name} survives any bytes`, () => {
    fc.assert(
      fc.property(bytes, (input) => survives(() => decode(input))),
      RUNS,
    );
  });
}

/** Bytes of `valid` with one changed or the end cut. */
const damaged = (valid: fc.Arbitrary<Uint8Array<ArrayBuffer>>) =>
  fc.tuple(valid, fc.nat(), fc.nat(255), fc.boolean()).map(
    ([bytes, at, byte, isCut]) => {
      const copy = bytes.slice(0, isCut ? at % (bytes.length + 1) : undefined);
      if (!isCut) copy[at % copy.length] = byte;
      return copy;
    },
  );

Deno.test("decodeMessage() reads any message, and survives it damaged", () => {
  fc.assert(
    fc.property(message, (given) => {
      assert.deepEqual(decodeMessage(encode(given)), given);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(
      damaged(message.map(encode)),
      (input) => survives(() => decodeMessage(input)),
    ),
    RUNS,
  );
});

Deno.test("decodeHello() reads any hello, and survives it damaged", () => {
  fc.assert(
    fc.property(hello, (given) => {
      assert.deepEqual(decodeHello(encodeHello(given)), given);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(
      damaged(hello.map(encodeHello)),
      (input) => survives(() => decodeHello(input)),
    ),
    RUNS,
  );
});

Deno.test("decodeChallenge() reads any challenge, and survives it damaged", () => {
  const challenge = fc.tuple(exactly(32), identity, exactly(32))
    .map(([challenge, identity, proof]) =>
      concatBytes(encodeChallenge({ challenge, identity }), proof)
    );
  fc.assert(
    fc.property(challenge, (given) => {
      const { proof, signed, ...rest } = decodeChallenge(given);
      assert.deepEqual(concatBytes(encodeChallenge(rest), proof), given);
      assert.equal(signed.length, given.length - 32);
    }),
    RUNS,
  );
  fc.assert(
    fc.property(
      damaged(challenge),
      (input) => survives(() => decodeChallenge(input)),
    ),
    RUNS,
  );
});

const part: fc.Arbitrary<Outgoing> = fc.oneof(
  message.map(outgoingMessage),
  fc.uint8Array({ maxLength: 60 }).map(outgoingPacket),
);

Deno.test("FrameReader gives batches back, however they are cut", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), cuts, (parts, cuts) => {
      const size = parts.reduce((sum, { bytes }) => sum + bytes, 0);
      const stream = concatBytes(encodeBatch(parts, size), encodeFrame(7));
      const reader = new FrameReader(1_000_000);
      const frames = [];
      let at = 0;
      for (const length of [...cuts, stream.length]) {
        reader.push(stream.slice(at, at + length));
        at += length;
        for (let frame = reader.next(); frame !== null; frame = reader.next()) {
          frames.push(frame);
        }
      }
      assert.deepEqual(frames.map(({ type }) => type), [6, 7]);
      const got = [...decodeBatch(frames[0]!.body)];
      assert.deepEqual(
        got,
        parts.map(({ bytes: _, ...part }) => part),
      );
    }),
    RUNS,
  );
});

Deno.test("FrameReader survives any bytes in bounded memory", () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 6 }), (chunks) => {
      const reader = new FrameReader(512);
      survives(() => {
        for (const chunk of chunks) {
          reader.push(chunk);
          for (let frame = reader.next(); frame; frame = reader.next()) {
            assert.ok(frame.body.length <= 512);
          }
        }
      });
    }),
    RUNS,
  );
});

Deno.test("survives() itself notices another error", () => {
  assert.throws(() =>
    survives(() => {
      throw new InvariantError("broken");
    })
  );
});
