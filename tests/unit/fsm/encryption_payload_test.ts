import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { KeyPurpose, WrappedKey } from "../../../src/base/data_key.ts";
import { encodeEncryptionState } from "../../../src/fsm/encryption_codec.ts";
import {
  decodeEncryption,
  encodeEncryption,
  isEncryptionPayload,
} from "../../../src/fsm/encryption_payload.ts";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";
import type { EncryptionChange } from "../../../src/fsm/types.ts";
import {
  crowded,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  keyOf,
  NODE_A,
  register,
  retire,
  SEAL_CLEARTEXT,
  takenBy,
} from "./encryption_fixtures.ts";

const WRAP = { kek: "k", wrapped: Uint8Array.of(0xee) };
const WRAP_HEX = "0a016b1201ee";

function shortKey(id: number, purpose: KeyPurpose): WrappedKey {
  return keyOf(id, purpose, { createdMs: 5, wraps: [WRAP] });
}

const COMMITMENT_3 = `1a20${"03".repeat(32)}`;
const KEY_3 = `08031001${COMMITMENT_3}20052a06${WRAP_HEX}`;

const LAYOUTS: readonly (readonly [change: EncryptionChange, hex: string])[] = [
  [
    register(NODE_A, [2, 300], [3, 0]),
    "0309010000000000aaaa1205080210ac0212020803",
  ],
  [
    { kind: "bootstrap", keys: [shortKey(3, "storage"), shortKey(3, "state")] },
    `040a30${KEY_3}0a30${KEY_3.replace("1001", "1003")}`,
  ],
  [
    { kind: "rotate-dek", key: shortKey(3, "storage"), replaces: 300 },
    `05010a30${KEY_3}10ac02`,
  ],
  [
    {
      kind: "rewrap-deks",
      wraps: new Map([[3, [WRAP]], [9, [WRAP, {
        ...WRAP,
        kek: "l",
      }]]]),
    },
    `05020a0a08031206${WRAP_HEX}0a1208091206${WRAP_HEX}12060a016c1201ee`,
  ],
  [retire(300), "050308ac02"],
  [ENABLE_STORAGE, "0504"],
  [ENABLE_RAFT, "0505"],
  [SEAL_CLEARTEXT, "0506"],
];

for (const [change, hex] of LAYOUTS) {
  Deno.test(`encodeEncryption() has a form for ${change.kind}, read back`, () => {
    const bytes = encodeEncryption(change);
    assert.equal(toHex(bytes), hex);
    assert.deepEqual(decodeEncryption(bytes), change);
    assert.ok(isEncryptionPayload(bytes));
  });
}

Deno.test("encodeEncryption() puts claims and wraps in order", () => {
  assert.deepEqual(
    encodeEncryption(register(NODE_A, [3, 0], [2, 300])),
    encodeEncryption(register(NODE_A, [2, 300], [3, 0])),
  );
  const [a, b] = [[[3, [WRAP]], [9, [WRAP]]], [[9, [WRAP]], [3, [WRAP]]]]
    .map((wraps) =>
      encodeEncryption({
        kind: "rewrap-deks",
        wraps: new Map(wraps as [number, [typeof WRAP]][]),
      })
    );
  assert.deepEqual(a, b);
});

Deno.test("encodeEncryption() leaves what it is given as it is", () => {
  const change = register(NODE_A, [3, 0], [2, 300]);
  encodeEncryption(change);
  assert.deepEqual(change, register(NODE_A, [3, 0], [2, 300]));
});

Deno.test("encodeEncryption() asserts what the decoder refuses", () => {
  const broken: readonly EncryptionChange[] = [
    register(NODE_A),
    register(NODE_A, [2, 1], [2, 1]),
    retire(0),
    { kind: "rewrap-deks", wraps: new Map([[1, []]]) },
    { kind: "bootstrap", keys: [keyOf(0, "raft")] },
  ];
  for (const change of broken) {
    assert.throws(() => encodeEncryption(change), InvariantError, change.kind);
  }
});

Deno.test("decodeEncryption() copies bytes", () => {
  const change: EncryptionChange = {
    kind: "bootstrap",
    keys: [shortKey(3, "raft")],
  };
  const bytes = encodeEncryption(change);
  const decoded = decodeEncryption(bytes);
  bytes.fill(0xff);
  assert.deepEqual(decoded, change);
});

for (const subTag of [0, 7, 8, 0x7f, 0xff]) {
  Deno.test(`decodeEncryption() does not know sub-tag ${subTag}`, () => {
    assert.throws(
      () => decodeEncryption(Uint8Array.of(5, subTag, 1, 2)),
      (error) =>
        error instanceof CommandUnknownError && error.tag === 5 &&
        error.subTag === subTag,
    );
  });
}

const CLAIM = "0309010000000000aaaa";
const ROTATE = `0a30${KEY_3}10ac02`;
const REFUSED: readonly (readonly [what: string, hex: string])[] = [
  ["a change without a sub-tag", "05"],
  ["a registration of nobody", "0312020803"],
  ["a registration without a body", "03"],
  ["a registration of no key", CLAIM],
  ["a claim of key 0", `${CLAIM}12021001`],
  ["a claim of an epoch past 65,535", `${CLAIM}1206080210808004`],
  ["a claim written with its default", `${CLAIM}120408021000`],
  ["claims out of order", `${CLAIM}1202080312020802`],
  ["a claim twice", `${CLAIM}1202080312020803`],
  ["claims before the node", `0312020803${CLAIM.slice(2)}`],
  ["a registration cut short", `${CLAIM}120208`],
  ["a registration with an unknown field", `${CLAIM}120208031801`],
  ["a claim with an unknown field", `${CLAIM}120408031801`],
  ["a key id past u32", `${CLAIM}1206088080808010`],
  ["a node id as a varint", "03080112020803"],
  ["a bootstrap with an empty key", "040a00"],
  ["a bootstrap of 4 keys", `04${`0a30${KEY_3}`.repeat(4)}`],
  ["a key of no purpose", `040a2e0803${COMMITMENT_3}20052a06${WRAP_HEX}`],
  ["a key of an unknown purpose", `040a30${KEY_3.replace("1001", "1004")}`],
  [
    "a commitment of 31",
    `040a2f080310011a1f${"03".repeat(31)}20052a06${WRAP_HEX}`,
  ],
  ["a key without wraps", `040a28${KEY_3.slice(0, 80)}`],
  [
    "a key made past 2^53",
    `040a3708031001${COMMITMENT_3}2080808080808080102a06${WRAP_HEX}`,
  ],
  ["a wrap without a KEK", `040a2d08031001${COMMITMENT_3}20052a031201ee`],
  ["an empty wrap", `040a2d08031001${COMMITMENT_3}20052a030a016b`],
  ["a KEK twice", `040a38${KEY_3}2a06${WRAP_HEX}`],
  ["a KEK that is not UTF-8", `040a30${KEY_3.replace("016b", "01ff")}`],
  ["a rotation of no key", "050110ac02"],
  ["a rotation without a body", "0501"],
  ["a rotation that replaces nothing", `05010a30${KEY_3}`],
  ["a rotation with two keys", `05010a30${KEY_3}${ROTATE}`],
  ["a rotation with more behind", `0501${ROTATE}00`],
  ["wraps out of order", `05020a0a08091206${WRAP_HEX}0a0a08031206${WRAP_HEX}`],
  [
    "wraps for a key twice",
    `05020a0a08031206${WRAP_HEX}0a0a08031206${WRAP_HEX}`,
  ],
  ["wraps for key 0", `05020a081206${WRAP_HEX}`],
  ["no wraps for a key", "05020a020803"],
  ["to retire no key", "0503"],
  ["to retire key 0", "05030800"],
  ["to retire two keys", "050308010802"],
  ["a long varint", "050308818000"],
  ["a storage cutover with a body", "050400"],
  ["a raft cutover with a body", "05050801"],
  ["a lock with a body", "050600"],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodeEncryption() refuses ${what}`, () => {
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodeEncryption(bytes), CommandMalformedError);
  });
}

const LONGEST = Array.from({ length: 8 }, (_, i) => ({
  kek: String(i).repeat(512),
  wrapped: new Uint8Array(1_024),
}));

function longestKey(id: number): WrappedKey {
  const createdMs = Number.MAX_SAFE_INTEGER;
  return keyOf(id, "state", { createdMs, wraps: LONGEST });
}

const MAX = 2 ** 32 - 1;
const LIMITS: readonly (readonly [change: EncryptionChange, bytes: number])[] =
  [
    [
      register(
        2n ** 64n - 1n,
        ...Array.from({ length: 128 }, (_, i) => [MAX - i, 65_535] as const),
      ),
      1 + 1_545,
    ],
    [
      { kind: "bootstrap", keys: [1, 2, 3].map((i) => longestKey(MAX - i)) },
      1 + 37_242,
    ],
    [
      { kind: "rotate-dek", key: longestKey(MAX), replaces: MAX },
      2 + 12_420,
    ],
    [retire(MAX), 2 + 6],
  ];

for (const [change, bytes] of LIMITS) {
  Deno.test(`a ${change.kind} is as long as it can be, and no longer`, () => {
    const longest = encodeEncryption(change);
    assert.equal(longest.length, bytes);
    assert.deepEqual(encodeEncryption(decodeEncryption(longest)), longest);
    const longer = new Uint8Array(longest.length + 1);
    longer.set(longest);
    assert.throws(
      () => decodeEncryption(longer),
      (error) =>
        error instanceof CommandMalformedError && /at most/.test(error.rule),
    );
  });
}

Deno.test("decodeEncryption() reads no rewrap longer than the state may be", () => {
  const bytes = new Uint8Array(2 + 2 ** 18 + 1);
  bytes.set([5, 2]);
  assert.throws(() => decodeEncryption(bytes), /at most 262144 bytes/);
});

Deno.test("encodeEncryption() has room for every rewrap that is taken", () => {
  const state = crowded({ keys: 128 });
  const wraps = Array.from({ length: 8 }, (_, i) => ({
    kek: `kms:${i}`,
    wrapped: new Uint8Array(112),
  }));
  const change: EncryptionChange = {
    kind: "rewrap-deks",
    wraps: new Map([...state.keys].map(([id]) => [id, wraps])),
  };
  const after = encodeEncryptionState(takenBy(state, 9, change));
  assert.ok(encodeEncryption(change).length < after.length);
});

Deno.test("isEncryptionPayload() looks at the first byte alone", () => {
  const tags = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff];
  const found = tags.filter((tag) => isEncryptionPayload(Uint8Array.of(tag)));
  assert.deepEqual(found, [3, 4, 5]);
  assert.ok(isEncryptionPayload(Uint8Array.of(5, 99)));
  assert.ok(!isEncryptionPayload(new Uint8Array(0)));
});
