import assert from "node:assert/strict";
import { toBinary } from "@bufbuild/protobuf";
import { KEY_PURPOSES, PURPOSE_BYTE } from "../../../src/base/data_key.ts";
import { toHex } from "../../../src/base/bytes.ts";
import {
  DATA_KEY_BYTES_MAX,
  keyFromMessage,
  keyToMessage,
  wrapFromMessage,
  wrapToMessage,
} from "../../../src/fsm/encryption_key_codec.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { DataKeySchema } from "../../../src/fsm/gen/command_pb.ts";
import { keyOf, wrapOf } from "./encryption_fixtures.ts";

for (const purpose of KEY_PURPOSES) {
  Deno.test(`a ${purpose} key is read back from its message`, () => {
    const key = keyOf(7, purpose, { wraps: [wrapOf("a"), wrapOf("b", 9)] });
    const message = keyToMessage(key);
    assert.equal(message.purpose, PURPOSE_BYTE[purpose]);
    assert.deepEqual(keyFromMessage(message), key);
  });
}

Deno.test("keyFromMessage() copies bytes", () => {
  const message = keyToMessage(keyOf(7, "raft"));
  const key = keyFromMessage(message);
  message.commitment.fill(0xff);
  assert.equal(toHex(key.commitment), "07".repeat(32));
  const wrapped = Uint8Array.of(1, 2);
  const wrap = wrapFromMessage(wrapToMessage({ kek: "k", wrapped }));
  wrapped.fill(0);
  assert.deepEqual(wrap, { kek: "k", wrapped: Uint8Array.of(1, 2) });
});

Deno.test("keyFromMessage() refuses no key and unknown purposes", () => {
  assert.throws(() => keyFromMessage(undefined), CommandMalformedError);
  const message = keyToMessage(keyOf(7, "raft"));
  for (const purpose of [0, 4, -1]) {
    assert.throws(
      () => keyFromMessage({ ...message, purpose }),
      CommandMalformedError,
    );
  }
});

Deno.test("DATA_KEY_BYTES_MAX is the longest key, to the byte", () => {
  const wraps = Array.from({ length: 8 }, (_, i) => ({
    kek: String(i).repeat(512),
    wrapped: new Uint8Array(1_024),
  }));
  const key = keyOf(2 ** 32 - 1, "state", {
    createdMs: Number.MAX_SAFE_INTEGER,
    wraps,
  });
  const bytes = toBinary(DataKeySchema, keyToMessage(key));
  assert.equal(bytes.length, DATA_KEY_BYTES_MAX);
});
