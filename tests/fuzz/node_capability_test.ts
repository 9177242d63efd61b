import assert from "node:assert/strict";
import fc from "fast-check";
import { KEK_ID_BYTES_MAX, WRAPS_MAX } from "../../src/base/data_key.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import {
  type CapabilityAnswerPacket,
  type CapabilityAskPacket,
  decodeAnswer,
  decodeAsk,
  encodeAnswer,
  encodeAsk,
} from "../../src/node/encryption/capability_packet.ts";
import {
  decodeStatement,
  encodeStatement,
  type Statement,
} from "../../src/node/encryption/capability_statement.ts";

const RUNS = { numRuns: 3_000 };
const PLAIN = { noNullPrototype: true } as const;
const safe = fc.maxSafeNat();
const u64 = fc.bigInt(0n, 2n ** 64n - 1n);

function bytes(minLength: number, maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ minLength, maxLength })
    .map((some) => new Uint8Array(some));
}

const clusterIds = bytes(16, 16);
const kekIds = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e })
    .map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: KEK_ID_BYTES_MAX,
});
const asks: fc.Arbitrary<CapabilityAskPacket> = fc.record({
  kind: fc.constant("capability-ask" as const),
  request: safe,
  clusterId: clusterIds,
  term: safe,
  target: u64,
  challenges: fc.array(
    fc.record({ kek: kekIds, wrapped: bytes(1, 100) }, PLAIN),
    { maxLength: WRAPS_MAX },
  ),
}, PLAIN);
const answers: fc.Arbitrary<CapabilityAnswerPacket> = fc.record({
  kind: fc.constant("capability-answer" as const),
  request: safe,
  proof: fc.oneof(bytes(0, 0), bytes(32, 32)),
  statement: bytes(0, 200),
}, PLAIN);
const epochs = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat(0xffff)),
  { selector: ([keyId]) => keyId, maxLength: 128 },
).map((pairs) => new Map(pairs.sort(([a], [b]) => a - b)));
const statements: fc.Arbitrary<Statement> = fc.record({
  protocolVersion: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  build: fc.string({ unit: "grapheme", maxLength: 20 }),
  node: fc.string({ maxLength: 63 }),
  fullNodeId: u64,
  epochs,
  sidecarIndex: fc.option(safe),
  isEnabled: fc.boolean(),
  isFilesystemFit: fc.boolean(),
  term: safe,
  clusterId: clusterIds,
}, PLAIN);

Deno.test("capability packets and statements read back", () => {
  fc.assert(
    fc.property(asks, answers, statements, (ask, answer, statement) => {
      assert.deepEqual(decodeAsk(encodeAsk(ask)), ask);
      assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
      const { build } = statement;
      if (!build.isWellFormed()) return;
      assert.deepEqual(decodeStatement(encodeStatement(statement)), statement);
    }),
    RUNS,
  );
});

/** One change to bytes: of a bit, of their length. */
const damages = fc.record({
  bit: fc.nat(),
  cut: fc.nat(3),
  more: fc.uint8Array({ maxLength: 3 }),
});

function damaged(whole: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  return fc.tuple(whole, damages).map(([given, { bit, cut, more }]) => {
    const spoilt = given.slice();
    const at = bit % (spoilt.length * 8);
    spoilt[at >> 3]! ^= 1 << (at & 7);
    const kept = spoilt.subarray(0, spoilt.length - cut);
    return Uint8Array.of(...kept, ...more);
  });
}

const noise = bytes(0, 120);

Deno.test("decodeAsk() never throws, and knows one form of each question", () => {
  fc.assert(
    fc.property(fc.oneof(damaged(asks.map(encodeAsk)), noise), (given) => {
      const ask = decodeAsk(given);
      if (ask !== null) assert.deepEqual(encodeAsk(ask), given);
    }),
    RUNS,
  );
});

Deno.test("decodeAnswer() never throws, and knows one form of each answer", () => {
  const spoilt = damaged(answers.map(encodeAnswer));
  fc.assert(
    fc.property(fc.oneof(spoilt, noise), (given) => {
      const answer = decodeAnswer(given);
      if (answer !== null) assert.deepEqual(encodeAnswer(answer), given);
    }),
    RUNS,
  );
});

Deno.test("decodeStatement() never throws, and gives what can be said again", () => {
  const spoilt = damaged(statements.map(encodeStatement));
  fc.assert(
    fc.property(fc.oneof(spoilt, noise), (given) => {
      const statement = decodeStatement(given);
      if (statement === null) return;
      const again = decodeStatement(encodeStatement(statement));
      assert.deepEqual(again, statement);
    }),
    RUNS,
  );
});
