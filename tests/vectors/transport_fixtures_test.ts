import assert from "node:assert/strict";
import {
  type Bytes,
  concatBytes,
  fromHex,
  toHex,
  utf8,
} from "../../src/base/bytes.ts";
import {
  draftMessage,
  type Message,
  MSG_APP,
  MSG_APP_RESP,
} from "../../src/raft/message.ts";
import {
  decodeBatch,
  encodeBatch,
  outgoingMessage,
  outgoingPacket,
} from "../../src/transport/batch.ts";
import {
  encodeFrame,
  type Frame,
  FRAME_ACCEPTED,
  FRAME_ALIVE,
  FRAME_BATCH,
  FRAME_CHALLENGE,
  FRAME_HELLO,
  FRAME_PROOF,
  FRAME_REFUSED,
  FRAME_STREAM,
  FRAME_STREAM_END,
  FrameReader,
} from "../../src/transport/frame.ts";
import {
  type Challenge,
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeChallenge,
  encodeHello,
  encodeRefusal,
  type Hello,
} from "../../src/transport/hello.ts";
import { PEER_REFUSALS, type PeerIdentity } from "../../src/transport/port.ts";
import { proofMessage } from "../../src/transport/transcript.ts";
import { simProver } from "../contract/transport_member.ts";

const FIXTURES = new URL("../fixtures/v1/", import.meta.url);
const counting = (length: number, from: number) =>
  Uint8Array.from({ length }, (_, i) => from + i);

const DIALLER: PeerIdentity = {
  clusterId: counting(16, 0x10),
  name: "n1",
  id: 1,
  address: "n1.example:4513",
  diskId: counting(16, 0x20),
  protocolVersion: 1,
  foundingDigest: counting(32, 0x30),
  epochs: [],
};
const ACCEPTOR: PeerIdentity = {
  ...DIALLER,
  clusterId: null,
  name: "node-2.example",
  id: 0x1_0000_0002,
  address: "",
  diskId: counting(16, 0x60),
};
const HELLO = {
  purpose: "stream",
  challenge: counting(32, 0x80),
  identity: DIALLER,
  target: { id: ACCEPTOR.id, name: ACCEPTOR.name },
} as const;
const CHALLENGE = { challenge: counting(32, 0xa0), identity: ACCEPTOR };
/** Refusals of version 1: later ones come behind them. */
const REFUSALS = PEER_REFUSALS.slice(0, 9);

/** As above, in a later version; the acceptor has no keys yet. */
function sayingEpochs(protocolVersion: number) {
  const epochs = [
    { keyId: 77, epoch: 1 },
    { keyId: 0xfedc_ba98, epoch: 0xff00 },
  ];
  return {
    hello: { ...HELLO, identity: { ...DIALLER, protocolVersion, epochs } },
    challenge: { ...CHALLENGE, identity: { ...ACCEPTOR, protocolVersion } },
  };
}
const PROVER = simProver("peer token of the fixtures");

const APPEND: Message = {
  ...draftMessage(MSG_APP, ACCEPTOR.id),
  from: 1,
  term: 7,
  logTerm: 6,
  index: 41,
  commit: 40,
  entries: [
    { type: 0, term: 7, index: 42, data: utf8("data") },
    { type: 2, term: 7, index: 43, data: new Uint8Array(0) },
  ],
};
const REJECTION: Message = {
  ...draftMessage(MSG_APP_RESP, 1),
  from: ACCEPTOR.id,
  term: Number.MAX_SAFE_INTEGER,
  logTerm: 5,
  index: 41,
  vote: 3,
  reject: true,
  rejectHint: 39,
  context: utf8("context"),
};
const PARTS = [
  outgoingMessage(APPEND),
  outgoingPacket(utf8("packet")),
  outgoingMessage(REJECTION),
];

/** Frozen frames, one per line of lower-case hex. */
async function fixture(name: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(`${name}.hex`, FIXTURES));
  return text.trim().split("\n");
}

function frameOf(hex: string | undefined): Frame {
  const reader = new FrameReader(1000);
  const bytes = fromHex(hex ?? "");
  assert.ok(bytes !== null, "a line is hex");
  reader.push(bytes);
  const frame = reader.next();
  assert.ok(frame !== null && reader.unread === 0, "a line is one frame");
  return frame;
}

async function handshakeFrames(): Promise<Bytes[]> {
  const refusals = REFUSALS.map((refusal) =>
    encodeFrame(FRAME_REFUSED, encodeRefusal({ refusal, proof: null }))
  );
  const proof = counting(32, 0xc0);
  const proven = encodeRefusal({ refusal: "removed-member", proof });
  return [
    ...await saidBy(HELLO, CHALLENGE),
    encodeFrame(FRAME_ACCEPTED),
    ...refusals,
    encodeFrame(FRAME_REFUSED, proven),
  ];
}

async function laterFrames(version: number): Promise<Bytes[]> {
  const { hello, challenge } = sayingEpochs(version);
  const proof = counting(32, 0xc0);
  const refusal = encodeRefusal({ refusal: "epoch-rollback", proof });
  return [
    ...await saidBy(hello, challenge),
    encodeFrame(FRAME_REFUSED, refusal),
  ];
}

/** Hello, challenge and proof. */
async function saidBy(first: Hello, second: Challenge): Promise<Bytes[]> {
  const hello = encodeHello(first);
  const challenge = encodeChallenge(second);
  const transcript = { hello, challenge };
  const prove = (side: "dialler" | "acceptor") =>
    PROVER.prove(proofMessage(side, transcript));
  const answer = concatBytes(challenge, await prove("acceptor"));
  return [
    encodeFrame(FRAME_HELLO, hello),
    encodeFrame(FRAME_CHALLENGE, answer),
    encodeFrame(FRAME_PROOF, await prove("dialler")),
  ];
}

function linkFrames(): Bytes[] {
  const bytes = PARTS.reduce((sum, part) => sum + part.bytes, 0);
  return [
    encodeBatch(PARTS, bytes),
    encodeFrame(FRAME_ALIVE),
    encodeFrame(FRAME_STREAM, utf8("bulk")),
    encodeFrame(FRAME_STREAM_END),
  ];
}

Deno.test("a handshake is read from its frozen frames for ever", async () => {
  const lines = await fixture("transport_handshake");
  const [hello, challenge, proof, accepted, ...refused] = lines.map(frameOf);
  assert.equal(hello?.type, FRAME_HELLO);
  assert.deepEqual(decodeHello(hello.body), HELLO);
  assert.equal(challenge?.type, FRAME_CHALLENGE);
  const answer = decodeChallenge(challenge.body);
  const { signed, proof: ofAcceptor, ...said } = answer;
  assert.deepEqual(said, CHALLENGE);
  const transcript = { hello: hello.body, challenge: signed };
  const message = proofMessage("acceptor", transcript);
  assert.ok(await PROVER.verify(message, ofAcceptor));
  assert.equal(proof?.type, FRAME_PROOF);
  const ofDialler = decodeProof(proof.body);
  assert.ok(
    await PROVER.verify(proofMessage("dialler", transcript), ofDialler),
  );
  assert.deepEqual(accepted, { type: FRAME_ACCEPTED, body: new Uint8Array(0) });
  assert.deepEqual(refused.map(({ body }) => decodeRefusal(body)), [
    ...REFUSALS.map((refusal) => ({ refusal, proof: null })),
    { refusal: "removed-member", proof: counting(32, 0xc0) },
  ]);
  assert.deepEqual((await handshakeFrames()).map(toHex), lines);
});

for (const version of [2, 3]) {
  Deno.test(`a handshake of version ${version} is read from its frozen frames for ever`, async () => {
    const lines = await fixture(`transport_handshake_${version}`);
    const expected = sayingEpochs(version);
    const [hello, challenge, proof, refused] = lines.map(frameOf);
    assert.ok(hello && challenge && proof && refused);
    assert.deepEqual(decodeHello(hello.body), expected.hello);
    const answer = decodeChallenge(challenge.body);
    const { signed, proof: ofAcceptor, ...said } = answer;
    assert.deepEqual(said, expected.challenge);
    const transcript = { hello: hello.body, challenge: signed };
    const [byAcceptor, byDialler] = ["acceptor", "dialler"] as const;
    assert.ok(
      await PROVER.verify(proofMessage(byAcceptor, transcript), ofAcceptor),
    );
    assert.ok(
      await PROVER.verify(
        proofMessage(byDialler, transcript),
        decodeProof(proof.body),
      ),
    );
    assert.deepEqual(decodeRefusal(refused.body), {
      refusal: "epoch-rollback",
      proof: counting(32, 0xc0),
    });
    assert.deepEqual((await laterFrames(version)).map(toHex), lines);
  });
}

Deno.test("a link is read from its frozen frames for ever", async () => {
  const lines = await fixture("transport_link");
  const [batch, ...others] = lines.map(frameOf);
  assert.equal(batch?.type, FRAME_BATCH);
  assert.deepEqual([...decodeBatch(batch.body)], [
    { kind: "message", message: APPEND },
    { kind: "packet", packet: utf8("packet") },
    { kind: "message", message: REJECTION },
  ]);
  assert.deepEqual(others, [
    { type: FRAME_ALIVE, body: new Uint8Array(0) },
    { type: FRAME_STREAM, body: utf8("bulk") },
    { type: FRAME_STREAM_END, body: new Uint8Array(0) },
  ]);
  assert.deepEqual(linkFrames().map(toHex), lines);
});
