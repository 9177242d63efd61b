import assert from "node:assert/strict";
import { InvariantError } from "../../../../src/base/assert.ts";
import { concatBytes } from "../../../../src/base/bytes.ts";
import {
  KEK_ID_BYTES_MAX,
  WRAPPED_BYTES_MAX,
  WRAPS_MAX,
} from "../../../../src/base/data_key.ts";
import {
  type CapabilityAnswerPacket,
  type CapabilityAskPacket,
  decodeAnswer,
  decodeAsk,
  encodeAnswer,
  encodeAsk,
  STATEMENT_BYTES_MAX,
} from "../../../../src/node/encryption/capability_packet.ts";
import { PACKET_BYTES_MAX } from "../../../../src/transport/limits.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

function wrapOf(kekBytes: number, wrappedBytes: number) {
  const wrapped = new Uint8Array(wrappedBytes).fill(3);
  return { kek: "k".repeat(kekBytes), wrapped };
}

function askOf(given: Partial<CapabilityAskPacket> = {}): CapabilityAskPacket {
  return {
    kind: "capability-ask",
    request: 5,
    clusterId: Uint8Array.from({ length: 16 }, (_, i) => i),
    term: 7,
    target: 0x0102_0304_0506_0708n,
    challenges: [wrapOf(3, 60), wrapOf(7, 2)],
    ...given,
  };
}

const ASKS: [name: string, ask: CapabilityAskPacket][] = [
  ["two challenges", askOf()],
  ["none", askOf({ challenges: [] })],
  [
    "the largest numbers",
    askOf({
      request: SAFE,
      term: SAFE,
      target: 2n ** 64n - 1n,
    }),
  ],
  ["the smallest", askOf({ request: 0, term: 0, target: 0n })],
  [
    "the most and longest challenges",
    askOf({
      challenges: Array.from(
        { length: WRAPS_MAX },
        () => wrapOf(KEK_ID_BYTES_MAX, WRAPPED_BYTES_MAX),
      ),
    }),
  ],
  ["the shortest challenge", askOf({ challenges: [wrapOf(1, 1)] })],
];

for (const [name, ask] of ASKS) {
  Deno.test(`decodeAsk() reads back a question with ${name}, and no part of it`, () => {
    const bytes = encodeAsk(ask);
    assert.deepEqual(decodeAsk(bytes), ask);
    assert.ok(bytes.length < PACKET_BYTES_MAX);
    const stride = Math.ceil(bytes.length / 500);
    for (let length = 0; length < bytes.length; length += stride) {
      assert.equal(decodeAsk(bytes.subarray(0, length)), null, `${length}`);
    }
    assert.equal(decodeAsk(concatBytes(bytes, Uint8Array.of(0))), null);
  });
}

Deno.test("encodeAsk() lays a question out as its file says", () => {
  const challenges = [{ kek: "ab", wrapped: Uint8Array.of(9) }];
  const bytes = encodeAsk(askOf({ challenges }));
  assert.deepEqual([...bytes], [
    ...[0, 0, 0, 0, 0, 0, 0, 5],
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    ...[0, 0, 0, 0, 0, 0, 0, 7],
    ...[1, 2, 3, 4, 5, 6, 7, 8],
    1,
    ...[0, 2, 97, 98, 0, 1, 9],
  ]);
});

Deno.test("encodeAsk() makes no question that decodeAsk() does not read", () => {
  const challenges = Array.from({ length: WRAPS_MAX + 1 }, () => wrapOf(1, 1));
  assert.throws(() => encodeAsk(askOf({ challenges })), InvariantError);
});

/** A question whose byte at `at` is `value`. */
function bent(at: number, value: number): Uint8Array {
  const bytes = encodeAsk(askOf({ challenges: [wrapOf(3, 4)] }));
  bytes[at] = value;
  return bytes;
}

const BENT_ASKS: [name: string, bytes: Uint8Array][] = [
  ["request of 2^53 and more", bent(0, 0x20)],
  ["term of 2^53 and more", bent(24, 0x20)],
  ["challenge too few", bent(40, 0)],
  ["challenge too many", bent(40, 2)],
  ["count beyond the most", bent(40, WRAPS_MAX + 1)],
  ["KEK id of no bytes", bent(42, 0)],
  ["KEK id that is too long", bent(41, 3)],
  ["KEK id with a blank", bent(43, 0x20)],
  ["KEK id with a control character", bent(45, 0x7f)],
  ["KEK id beyond ASCII", bent(44, 0xe9)],
  ["wrap of no bytes", bent(47, 0)],
  ["wrap that is too long", bent(46, 5)],
];
for (const [name, bytes] of BENT_ASKS) {
  Deno.test(`decodeAsk() takes no ${name}`, () => {
    assert.equal(decodeAsk(bytes), null);
  });
}

Deno.test("decodeAsk() holds to the limits of KEK ids and wraps", () => {
  const [kek, wrap] = [KEK_ID_BYTES_MAX, WRAPPED_BYTES_MAX];
  for (const [k, w] of [[kek + 1, wrap], [kek, wrap + 1]] as const) {
    const bytes = encodeAsk(askOf({ challenges: [wrapOf(k, w)] }));
    assert.equal(decodeAsk(bytes), null);
  }
});

function answerOf(
  proofBytes: number,
  statementBytes: number,
): CapabilityAnswerPacket {
  return {
    kind: "capability-answer",
    request: 5,
    proof: new Uint8Array(proofBytes).fill(1),
    statement: new Uint8Array(statementBytes).fill(2),
  };
}

const ANSWERS: [name: string, answer: CapabilityAnswerPacket][] = [
  ["with a proof", answerOf(32, 70)],
  ["without a proof", answerOf(0, 70)],
  ["without a statement", answerOf(32, 0)],
  ["of nothing", answerOf(0, 0)],
  ["of the longest statement", answerOf(32, STATEMENT_BYTES_MAX)],
  ["of the largest request", { ...answerOf(0, 1), request: SAFE }],
];
for (const [name, answer] of ANSWERS) {
  Deno.test(`decodeAnswer() reads back an answer ${name}`, () => {
    const bytes = encodeAnswer(answer);
    assert.deepEqual(decodeAnswer(bytes), answer);
    // What is cut off of a statement, a proof and its reader find out.
    const head = 9 + answer.proof.length;
    for (let length = 0; length < head; length += 1) {
      assert.equal(decodeAnswer(bytes.subarray(0, length)), null, `${length}`);
    }
  });
}

const BENT_ANSWERS: [name: string, answer: CapabilityAnswerPacket][] = [
  ["longer statement", answerOf(32, STATEMENT_BYTES_MAX + 1)],
  ["longer statement without a proof", answerOf(0, STATEMENT_BYTES_MAX + 1)],
  ["shorter proof", answerOf(31, 70)],
  ["longer proof", answerOf(33, 70)],
  ["proof of a byte", answerOf(1, 70)],
];
for (const [name, answer] of BENT_ANSWERS) {
  Deno.test(`decodeAnswer() takes no ${name}`, () => {
    assert.equal(decodeAnswer(encodeAnswer(answer)), null);
  });
}

Deno.test("decodeAnswer() takes no request of 2^53 and more", () => {
  const bytes = encodeAnswer(answerOf(0, 3));
  bytes[0] = 0x20;
  assert.equal(decodeAnswer(bytes), null);
});

Deno.test("decoders keep nothing of what they are given", () => {
  const ask = encodeAsk(askOf());
  const answer = encodeAnswer(answerOf(32, 8));
  const read = [decodeAsk(ask), decodeAnswer(answer)];
  ask.fill(0);
  answer.fill(0);
  assert.deepEqual(read, [askOf(), answerOf(32, 8)]);
});
