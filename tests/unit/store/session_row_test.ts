import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import type { NodeError } from "../../../src/base/error.ts";
import type { KvKey } from "../../../src/io/kv.ts";
import { kvKeyBytes } from "../../../src/io/kv_key.ts";
import {
  encryptionKey,
  parseEncryptionKey,
  parseSessionKey,
  sessionKey,
} from "../../../src/store/row_key.ts";
import {
  decodeSession,
  encodeSession,
  isSessionPlace,
  type SessionRow,
} from "../../../src/store/session_row.ts";

const SALT = Uint8Array.from({ length: 32 }, (_, i) => i);
const ROW: SessionRow = {
  keyId: 305_419_896,
  node16: 0xd4c0,
  epoch: 7,
  salt: SALT,
};

const PLACES = [
  { keyId: 1, node16: 0, epoch: 1 },
  { keyId: 2 ** 32 - 1, node16: 0xffff, epoch: 0xffff },
  ROW,
].map(({ keyId, node16, epoch }) => ({ keyId, node16, epoch }));

const NO_PLACES = [
  { keyId: 0, node16: 1, epoch: 1 },
  { keyId: 2 ** 32, node16: 1, epoch: 1 },
  { keyId: 1, node16: -1, epoch: 1 },
  { keyId: 1, node16: 0x1_0000, epoch: 1 },
  { keyId: 1, node16: 1, epoch: 0 },
  { keyId: 1, node16: 1, epoch: 0x1_0000 },
];

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as NodeError).code;
  }
  return "none";
}

Deno.test("decodeSession() gives back what encodeSession() was given", () => {
  for (const place of PLACES) {
    const row = { ...place, salt: SALT };
    assert.deepEqual(decodeSession(encodeSession(row), place), row);
    assert.ok(isSessionPlace(place));
  }
});

Deno.test("encodeSession() takes a session that can be, with a whole salt", () => {
  for (const place of NO_PLACES) {
    const row = { ...place, salt: SALT };
    assert.throws(() => encodeSession(row), InvariantError);
    assert.ok(!isSessionPlace(place));
  }
  for (const length of [0, 31, 33]) {
    const row = { ...ROW, salt: new Uint8Array(length) };
    assert.throws(() => encodeSession(row), InvariantError);
  }
});

Deno.test("decodeSession() refuses every changed bit, cut and end", () => {
  const bytes = encodeSession(ROW);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const expected = bit < 8
      ? "STORE_VERSION_UNSUPPORTED"
      : "STORE_ROW_DAMAGED";
    assert.equal(code(() => decodeSession(changed, ROW)), expected);
  }
  for (let length = 0; length < bytes.length; length += 1) {
    const cut = bytes.subarray(0, length);
    assert.equal(code(() => decodeSession(cut, ROW)), "STORE_ROW_DAMAGED");
  }
  const longer = new Uint8Array([...bytes, 0]);
  assert.equal(code(() => decodeSession(longer, ROW)), "STORE_ROW_DAMAGED");
});

Deno.test("decodeSession() binds a salt to its session", () => {
  const bytes = encodeSession(ROW);
  for (const other of [{ keyId: 9 }, { node16: 9 }, { epoch: 9 }]) {
    assert.equal(
      code(() => decodeSession(bytes, { ...ROW, ...other })),
      "STORE_ROW_DAMAGED",
    );
  }
});

Deno.test("parseSessionKey() reads sessions' keys and no others", () => {
  for (const place of PLACES) {
    const key = sessionKey(place);
    assert.deepEqual(parseSessionKey(key), place);
    assert.ok(kvKeyBytes(key) <= 14);
  }
  const [internal, kind, ...parts] = sessionKey(ROW);
  const others: readonly KvKey[] = [
    ...NO_PLACES.map(sessionKey),
    [internal!, kind!],
    [internal!, kind!, ...parts.slice(0, 2)],
    [internal!, kind!, ...parts, 1n],
    [internal!, kind!, ...parts.slice(0, 2), 7],
    [internal!, kind!, ...parts.slice(0, 2), 2n ** 60n],
    [internal!, 8n, ...parts],
    [1n, kind!, ...parts],
  ];
  for (const key of others) assert.equal(parseSessionKey(key), null);
});

Deno.test("parseEncryptionKey() reads parts' keys and no others", () => {
  assert.equal(parseEncryptionKey(encryptionKey(0)), 0);
  assert.equal(parseEncryptionKey(encryptionKey(4)), 4);
  const others: readonly KvKey[] = [
    [0n, 8n],
    [0n, 8n, 1n, 1n],
    [0n, 8n, -1n],
    [0n, 8n, new Uint8Array(1)],
    [0n, 7n, 1n],
    sessionKey(ROW),
  ];
  for (const key of others) assert.equal(parseEncryptionKey(key), null);
});
