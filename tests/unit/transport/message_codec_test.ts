import assert from "node:assert/strict";
import {
  CAMPAIGN_TRANSFER,
  draftMessage,
  isLocalMessage,
  type Message,
  MESSAGE_NAMES,
  MSG_APP_RESP,
  MSG_FORGET_LEADER,
  MSG_SNAP,
  MSG_VOTE,
} from "../../../src/raft/message.ts";
import { TransportFrameInvalidError } from "../../../src/transport/errors.ts";
import { MESSAGE_ENTRIES_MAX } from "../../../src/transport/limits.ts";
import {
  decodeMessage,
  isWireMessage,
  messageBytes,
  writeMessage,
} from "../../../src/transport/message_codec.ts";
import { append, entryAt, heartbeat } from "./messages.ts";

const MAX = Number.MAX_SAFE_INTEGER;

function encode(message: Message): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(messageBytes(message));
  writeMessage(bytes, 0, message);
  return bytes;
}

function vote(): Message {
  const message = draftMessage(MSG_VOTE, MAX);
  message.from = MAX;
  message.term = MAX;
  message.logTerm = MAX;
  message.index = MAX;
  message.context = CAMPAIGN_TRANSFER;
  return message;
}

function rejection(): Message {
  const message = draftMessage(MSG_APP_RESP, 1);
  message.from = 2;
  message.term = 7;
  message.index = 9;
  message.logTerm = 3;
  message.reject = true;
  message.rejectHint = 8;
  message.vote = 5;
  return message;
}

const CASES: [name: string, message: Message][] = [
  ["a heartbeat", heartbeat(3)],
  ["a heartbeat without a context", heartbeat(3, "")],
  ["the largest numbers", vote()],
  ["a rejection", rejection()],
  ["an empty append", append([])],
  [
    "entries",
    append([
      entryAt(42, Uint8Array.of(1, 2, 3)),
      { type: 2, term: 7, index: 43, data: new Uint8Array(0) },
      { type: 1, term: 7, index: 44, data: new Uint8Array(70_000).fill(5) },
    ]),
  ],
];

for (const [name, message] of CASES) {
  Deno.test(`decodeMessage() reads ${name} as it was written`, () => {
    assert.deepEqual(decodeMessage(encode(message)), message);
  });

  Deno.test(`decodeMessage() refuses ${name} cut short or with more`, () => {
    const bytes = encode(message);
    for (let length = 0; length < Math.min(bytes.length, 200); length += 1) {
      assert.throws(
        () => decodeMessage(bytes.subarray(0, length)),
        TransportFrameInvalidError,
      );
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    assert.throws(() => decodeMessage(longer), TransportFrameInvalidError);
  });
}

Deno.test("isWireMessage() keeps local types and checkpoints in", () => {
  for (let type = -1; type <= MESSAGE_NAMES.length; type += 1) {
    const expected = type >= 0 && type < MESSAGE_NAMES.length &&
      !isLocalMessage(type) && type !== MSG_SNAP && type !== MSG_FORGET_LEADER;
    assert.equal(isWireMessage(type), expected, `${type}`);
    if (type < 0 || expected) continue;
    const bytes = encode(heartbeat(1));
    bytes[0] = type;
    assert.throws(() => decodeMessage(bytes), TransportFrameInvalidError);
  }
});

const DAMAGES: [name: string, offset: number, byte: number][] = [
  ["an unknown flag", 1, 2],
  ["a long context", 2, 0x05],
  ["entries that are not there", 7, 1],
  ["a receiver of 0", 15, 0],
  ["a sender of 0", 23, 0],
  ["a term above 2^53", 24, 0x01],
  ["a reject hint above 2^53", 64, 0xff],
];

for (const [name, offset, byte] of DAMAGES) {
  Deno.test(`decodeMessage() refuses ${name}`, () => {
    const bytes = encode(heartbeat(1, ""));
    bytes[offset] = byte;
    assert.throws(() => decodeMessage(bytes), TransportFrameInvalidError);
  });
}

Deno.test("decodeMessage() bounds the count of entries", () => {
  const empty = entryAt(1, new Uint8Array(0));
  const most = Array.from({ length: MESSAGE_ENTRIES_MAX }, () => empty);
  const bytes = encode(append(most));
  assert.equal(decodeMessage(bytes).entries.length, MESSAGE_ENTRIES_MAX);
  const more = encode(append([...most, empty]));
  assert.throws(() => decodeMessage(more), TransportFrameInvalidError);
  const lying = encode(append([empty]));
  lying.set([0xff, 0xff, 0xff, 0xff], 4);
  assert.throws(() => decodeMessage(lying), TransportFrameInvalidError);
});

Deno.test("decodeMessage() refuses an entry of an unknown type", () => {
  const bytes = encode(append([entryAt(42, Uint8Array.of(1))]));
  bytes[72] = 3;
  assert.throws(() => decodeMessage(bytes), TransportFrameInvalidError);
});

Deno.test("decodeMessage() gives views of the bytes", () => {
  const bytes = encode(append([entryAt(42, Uint8Array.of(1))]));
  const [entry] = decodeMessage(bytes).entries;
  assert.equal(entry?.data.buffer, bytes.buffer);
});
