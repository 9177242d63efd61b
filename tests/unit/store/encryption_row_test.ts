import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { concatBytes, viewOf } from "../../../src/base/bytes.ts";
import { crc32c } from "../../../src/base/crc32c.ts";
import type { NodeError } from "../../../src/base/error.ts";
import {
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
} from "../../../src/fsm/encryption_codec.ts";
import { NO_ENCRYPTION } from "../../../src/fsm/types.ts";
import { KV_VALUE_BYTES_MAX } from "../../../src/io/kv.ts";
import {
  decodeEncryption,
  encodeEncryption,
  ENCRYPTION_PARTS_MAX,
  ENCRYPTION_ROWS_BYTES_MAX,
  encryptionRowBody,
} from "../../../src/store/encryption_row.ts";
import { StateTamperedError } from "../../../src/store/errors.ts";
import { encryptionOf, longEncryptionOf, macOf } from "./encryption_model.ts";

const SMALL = { encryption: encryptionOf(9), encryptionMac: macOf(3) };

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as NodeError).code;
  }
  return "none";
}

/** Gives changed rows the checksums that they need to get further. */
function resealed(row: Uint8Array): Uint8Array {
  const sealed = row.slice();
  const until = sealed.length - 4;
  viewOf(sealed).setUint32(until, crc32c(sealed.subarray(0, until)));
  return sealed;
}

Deno.test("decodeEncryption() gives back states of one part and of several", () => {
  for (const parts of [1, 2, 3, 4]) {
    const stored = {
      encryption: longEncryptionOf(9, parts),
      encryptionMac: macOf(parts),
    };
    const rows = encodeEncryption(stored);
    assert.equal(rows.length, parts);
    assert.ok(rows.every((row) => row.length <= KV_VALUE_BYTES_MAX));
    assert.deepEqual(decodeEncryption(rows), stored);
  }
});

Deno.test("encryptionRowBody() is what the rows hold", () => {
  const encryption = longEncryptionOf(9, 2);
  const body = encryptionRowBody(encryption);
  assert.deepEqual(body, encodeEncryptionState(encryption));
  const rows = encodeEncryption({ encryption, encryptionMac: macOf(1) });
  const pieces = rows.map((row) => row.subarray(35, row.length - 4));
  assert.deepEqual(concatBytes(...pieces), body);
});

Deno.test("the longest state fits into the rows there are", () => {
  assert.equal(ENCRYPTION_PARTS_MAX, 5);
  assert.ok(ENCRYPTION_PARTS_MAX * 60_000 >= ENCRYPTION_STATE_BYTES_MAX);
  assert.ok((ENCRYPTION_PARTS_MAX - 1) * 60_000 < ENCRYPTION_STATE_BYTES_MAX);
  assert.equal(
    ENCRYPTION_ROWS_BYTES_MAX,
    ENCRYPTION_STATE_BYTES_MAX + ENCRYPTION_PARTS_MAX * 39,
  );
});

Deno.test("encodeEncryption() takes states with keys and a whole MAC", () => {
  const { encryptionMac } = SMALL;
  const none = { encryption: NO_ENCRYPTION, encryptionMac };
  assert.throws(() => encodeEncryption(none), InvariantError);
  for (const length of [0, 31, 33]) {
    const short = { ...SMALL, encryptionMac: new Uint8Array(length) };
    assert.throws(() => encodeEncryption(short), InvariantError);
  }
});

Deno.test("decodeEncryption() refuses every changed bit and cut", () => {
  const [row] = encodeEncryption(SMALL);
  for (let bit = 0; bit < row!.length * 8; bit += 1) {
    const changed = row!.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const expected = bit < 8
      ? "STORE_VERSION_UNSUPPORTED"
      : "STORE_ROW_DAMAGED";
    assert.equal(code(() => decodeEncryption([changed])), expected);
  }
  for (let length = 0; length < row!.length; length += 1) {
    const cut = row!.subarray(0, length);
    assert.equal(code(() => decodeEncryption([cut])), "STORE_ROW_DAMAGED");
  }
});

Deno.test("decodeEncryption() refuses parts that are not of one state", () => {
  const encryption = longEncryptionOf(9, 3);
  const [a, b, c] = encodeEncryption({ encryption, encryptionMac: macOf(1) });
  const others = encodeEncryption({ encryption, encryptionMac: macOf(2) });
  const [first] = encodeEncryption(SMALL);
  const long = resealed(concatBytes(a!, new Uint8Array(1)));
  const sets: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ["missing", []],
    ["parts missing or too many", [a!, b!]],
    ["parts missing or too many", [a!, b!, c!, resealed(c!.with(1, 3))]],
    ["parts missing or too many", [first!, b!, c!]],
    ["parts missing or too many", [resealed(a!.with(2, 0))]],
    ["parts out of order", [a!, c!, b!]],
    ["parts out of order", [b!, c!]],
    ["parts of several states", [a!, others[1]!, c!]],
    ["a part of a wrong length", [long, b!, c!]],
    [
      "a part of a wrong length",
      [a!, resealed(b!.subarray(0, b!.length - 1)), c!],
    ],
    ["empty", [a!, new Uint8Array(0), c!]],
    ["too short", [resealed(first!.subarray(0, 39))]],
  ];
  for (const [fault, rows] of sets) {
    assert.throws(() => decodeEncryption(rows), {
      ...{ code: "STORE_ROW_DAMAGED", row: "encryption state", fault },
    });
  }
});

Deno.test("decodeEncryption() says why a state under a sound checksum is none", () => {
  const [row] = encodeEncryption(SMALL);
  const changed = resealed(row!.with(36, row![36]! ^ 0xff));
  assert.throws(() => decodeEncryption([changed]), (error: NodeError) => {
    assert.equal(error.code, "STORE_ROW_DAMAGED");
    assert.equal((error.cause as NodeError).code, "FSM_COMMAND_MALFORMED");
    return true;
  });
});

Deno.test("StateTamperedError says what to do, and nothing of the state", () => {
  const error = new StateTamperedError(184_273);
  assert.equal(error.code, "STORE_STATE_TAMPERED");
  assert.match(error.message, /^Cannot use the store as .*: current value /);
  assert.match(error.message, /index 184273$/);
  assert.match(error.remedy, /sealkv member rebuild NAME --data-dir D --admin/);
});
