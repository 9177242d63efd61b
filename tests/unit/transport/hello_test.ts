import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";
import { EPOCH_MAX, KEYS_MAX } from "../../../src/base/data_key.ts";
import { TransportFrameInvalidError } from "../../../src/transport/errors.ts";
import {
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  encodeRefusal,
  type Hello,
  peekVersion,
} from "../../../src/transport/hello.ts";
import { HELLO_BYTES_MAX } from "../../../src/transport/limits.ts";
import {
  PEER_REFUSALS,
  type PeerIdentity,
} from "../../../src/transport/port.ts";
import {
  proofMessage,
  refusalMessage,
} from "../../../src/transport/transcript.ts";

const filled = (length: number, byte: number) =>
  new Uint8Array(length).fill(byte);
const IDENTITY: PeerIdentity = {
  clusterId: filled(16, 1),
  name: "n1",
  id: 1,
  address: "127.0.0.1:4513",
  diskId: filled(16, 2),
  protocolVersion: 2,
  foundingDigest: filled(32, 3),
  epochs: [{ keyId: 7, epoch: 1 }, { keyId: 2 ** 32 - 1, epoch: 0xffff }],
};
const HELLO: Hello = {
  purpose: "messages",
  challenge: filled(32, 4),
  identity: IDENTITY,
  target: { id: 2, name: "n2" },
};
const CHALLENGE = { challenge: filled(32, 5), identity: IDENTITY };

/** Each prefix of `bytes`, and `bytes` with one more, is refused. */
function refusesOtherLengths(
  bytes: Bytes,
  decode: (bytes: Bytes) => unknown,
): void {
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(
      () => decode(bytes.slice(0, length)),
      TransportFrameInvalidError,
    );
  }
  const longer = concatBytes(bytes, Uint8Array.of(0));
  assert.throws(() => decode(longer), TransportFrameInvalidError);
}

Deno.test("decodeHello() reads what encodeHello() wrote", () => {
  const name = "a.b-".padEnd(63, "9");
  const longest: Hello = {
    ...HELLO,
    purpose: "stream",
    identity: {
      ...IDENTITY,
      name,
      id: Number.MAX_SAFE_INTEGER,
      address: "a".repeat(300),
      epochs: Array.from({ length: KEYS_MAX }, (_, i) => ({
        keyId: i + 1,
        epoch: EPOCH_MAX,
      })),
    },
    target: { id: Number.MAX_SAFE_INTEGER, name },
  };
  const unknown = { ...HELLO, identity: { ...IDENTITY, clusterId: null } };
  const old = {
    ...HELLO,
    identity: { ...IDENTITY, protocolVersion: 1, epochs: [] },
  };
  for (const hello of [HELLO, longest, unknown, old]) {
    const bytes = encodeHello(hello);
    assert.deepEqual(decodeHello(bytes), hello);
    assert.ok(bytes.length <= HELLO_BYTES_MAX);
    refusesOtherLengths(bytes, decodeHello);
  }
});

Deno.test("decodeChallenge() tells the signed part from the proof", () => {
  const signed = encodeChallenge(CHALLENGE);
  const proof = filled(32, 6);
  const bytes = concatBytes(signed, proof);
  assert.deepEqual(decodeChallenge(bytes), { ...CHALLENGE, signed, proof });
  refusesOtherLengths(bytes, decodeChallenge);
});

Deno.test("decodeRefusal() reads each refusal, proven or not", () => {
  for (const refusal of PEER_REFUSALS) {
    for (const proof of [null, filled(32, 7)]) {
      const bytes = encodeRefusal({ refusal, proof });
      assert.deepEqual(decodeRefusal(bytes), { refusal, proof });
    }
  }
  for (const code of [0, PEER_REFUSALS.length + 1, 255]) {
    const bytes = Uint8Array.of(code);
    assert.throws(() => decodeRefusal(bytes), TransportFrameInvalidError);
  }
  for (const length of [0, 2, 32, 34]) {
    const bytes = filled(length, 1);
    assert.throws(() => decodeRefusal(bytes), TransportFrameInvalidError);
  }
  for (const length of [31, 33]) {
    const bytes = filled(length, 1);
    assert.throws(() => decodeProof(bytes), TransportFrameInvalidError);
  }
});

const NAME_AT = 6 + 1 + 32 + 8 + 16 + 16 + 32;
const EPOCHS_AT = NAME_AT + 3 + 2 + IDENTITY.address.length;
const TARGET_AT = EPOCHS_AT + 1 + 2 * 6;
const DAMAGES: [name: string, offset: number, byte: number][] = [
  ["another magic", 0, 0],
  ["purpose 0", 6, 0],
  ["purpose 3", 6, 3],
  ["id 0", 6 + 1 + 32 + 7, 0],
  ["an id above 2^53", 6 + 1 + 32, 1],
  ["a name of no letters", NAME_AT, 0],
  ["a name that is too long", NAME_AT, 64],
  ["a name in capitals", NAME_AT + 1, 0x4e],
  ["a name with a line end", NAME_AT + 2, 0x0a],
  ["too many epochs", EPOCHS_AT, 129],
  ["epochs that are cut short", EPOCHS_AT, 128],
  ["key 0", EPOCHS_AT + 4, 0],
  ["epoch 0", EPOCHS_AT + 6, 0],
  ["target 0", TARGET_AT + 7, 0],
];

for (const [name, offset, byte] of DAMAGES) {
  Deno.test(`decodeHello() refuses ${name}`, () => {
    const bytes = encodeHello(HELLO);
    bytes[offset] = byte;
    assert.throws(() => decodeHello(bytes), TransportFrameInvalidError);
  });
}

Deno.test("decodeHello() refuses keys that do not ascend", () => {
  for (const last of [0xff, 0xfe]) {
    const bytes = encodeHello(HELLO);
    bytes.copyWithin(EPOCHS_AT + 1, EPOCHS_AT + 7, EPOCHS_AT + 11);
    bytes[EPOCHS_AT + 10] = last;
    assert.throws(() => decodeHello(bytes), TransportFrameInvalidError);
  }
});

Deno.test("peekVersion() reads the version of any layout", () => {
  const newer = { ...IDENTITY, protocolVersion: 513 };
  assert.equal(peekVersion(encodeHello({ ...HELLO, identity: newer })), 513);
  assert.equal(peekVersion(encodeHello(HELLO).slice(0, 6)), 2);
  assert.throws(
    () => peekVersion(encodeHello(HELLO).slice(0, 5)),
    TransportFrameInvalidError,
  );
});

Deno.test("proofMessage() differs by side and by every byte said", () => {
  const transcript = {
    hello: encodeHello(HELLO),
    challenge: encodeChallenge(CHALLENGE),
  };
  const seen = new Set<string>();
  const add = (message: Bytes) => seen.add(message.join());
  add(proofMessage("dialler", transcript));
  add(proofMessage("acceptor", transcript));
  for (const refusal of PEER_REFUSALS) {
    add(refusalMessage("dialler", transcript, refusal));
    add(refusalMessage("acceptor", transcript, refusal));
  }
  let count = 2 + 2 * PEER_REFUSALS.length;
  assert.equal(seen.size, count);
  for (const part of ["hello", "challenge"] as const) {
    for (let at = 0; at < transcript[part].length; at += 1) {
      const other = transcript[part].slice();
      other[at]! ^= 1;
      add(proofMessage("dialler", { ...transcript, [part]: other }));
      count += 1;
    }
  }
  // A byte that moves from one part to the other is another message too.
  add(proofMessage("dialler", {
    hello: concatBytes(transcript.hello, transcript.challenge.slice(0, 1)),
    challenge: transcript.challenge.slice(1),
  }));
  assert.equal(seen.size, count + 1);
});
