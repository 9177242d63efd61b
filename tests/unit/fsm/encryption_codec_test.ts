import assert from "node:assert/strict";
import { InvariantError } from "../../../src/base/assert.ts";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import { type KeyPurpose, KEYS_MAX } from "../../../src/base/data_key.ts";
import {
  decodeEncryptionState,
  encodeEncryptionState,
  ENCRYPTION_STATE_BYTES_MAX,
  KEYS_BYTES_MAX,
  keysBytes,
} from "../../../src/fsm/encryption_codec.ts";
import { CommandMalformedError } from "../../../src/fsm/errors.ts";
import { RETIRED_MAX, WRITERS_MAX } from "../../../src/fsm/limits.ts";
import {
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
  writerId,
} from "../../../src/fsm/types.ts";
import { crowded, keyOf, NODE_A } from "./encryption_fixtures.ts";

const WRAP = { kek: "k", wrapped: Uint8Array.of(0xee) };

function entry(
  id: number,
  purpose: KeyPurpose,
  createdIndex: number,
  deactivatedIndex = 0,
): readonly [number, KeyEntry] {
  const key = keyOf(id, purpose, { createdMs: 5, wraps: [WRAP] });
  return [id, { ...key, createdIndex, deactivatedIndex }];
}

const STATE: EncryptionState = {
  stateIndex: 300,
  keys: new Map([
    entry(1, "state", 7),
    entry(2, "raft", 7),
    entry(3, "storage", 7, 8),
    entry(5, "storage", 8),
  ]),
  retired: new Set([4, 300]),
  active: { storage: 5, raft: 2 },
  stateKey: 1,
  storageCutoverIndex: 9,
  raftCutoverIndex: 300,
  cleartextLockIndex: 200,
  writers: new Map([[writerId(3, 1), {
    keyId: 3,
    node16: 1,
    fullNodeId: NODE_A,
    firstEpoch: 0,
    lastEpoch: 300,
  }]]),
};

function keyHex(id: string, purpose: string, indexes: string): string {
  const wrap = "2a060a016b1201ee";
  const key = `08${id}10${purpose}1a20${id.repeat(32)}2005${wrap}`;
  const length = (0x32 + indexes.length / 2).toString(16);
  return `12${length}0a30${key}${indexes}`;
}
const KEYS_HEX = [
  keyHex("01", "03", "1007"),
  keyHex("02", "02", "1007"),
  keyHex("03", "01", "10071808"),
  keyHex("05", "01", "1008"),
].join("");
const SCALARS_HEX = "200528023001380940ac0248c801";
const WRITER_HEX = "520e080311010000000000aaaa20ac02";
const HEX = `08ac02${KEYS_HEX}1a0304ac02${SCALARS_HEX}${WRITER_HEX}`;

Deno.test("encodeEncryptionState() has one form, read back", () => {
  const bytes = encodeEncryptionState(STATE);
  assert.equal(toHex(bytes), HEX);
  assert.deepEqual(decodeEncryptionState(bytes), STATE);
});

Deno.test("NO_ENCRYPTION is no bytes", () => {
  assert.equal(encodeEncryptionState(NO_ENCRYPTION).length, 0);
  assert.deepEqual(decodeEncryptionState(new Uint8Array(0)), NO_ENCRYPTION);
});

Deno.test("decodeEncryptionState() copies bytes", () => {
  const bytes = encodeEncryptionState(STATE);
  const state = decodeEncryptionState(bytes);
  bytes.fill(0xff);
  assert.deepEqual(state, STATE);
});

const REFUSED: readonly (readonly [what: string, hex: string])[] = [
  ["no protobuf", "ff"],
  ["a state cut short", HEX.slice(0, -2)],
  ["a state with more behind", `${HEX}00`],
  ["an unknown field", `${HEX}5801`],
  ["an index of 0 that is written out", `0800${HEX.slice(6)}`],
  ["an index past 2^53", `088080808080808010${HEX.slice(6)}`],
  ["a state index alone", "0801"],
  ["no state key", HEX.replace(SCALARS_HEX, SCALARS_HEX.replace("3001", ""))],
  ["an empty key", HEX.replace(KEYS_HEX, `${KEYS_HEX}1200`)],
  ["a key twice", HEX.replace(KEYS_HEX, KEYS_HEX + keyHex("05", "01", "1008"))],
  [
    "a key out of order",
    HEX.replace(KEYS_HEX, KEYS_HEX + keyHex("04", "01", "10071808")),
  ],
  [
    "a key of no entry",
    HEX.replace(keyHex("02", "02", "1007"), keyHex("02", "02", "")),
  ],
  ["a tombstone twice", HEX.replace("1a0304ac02", "1a0504ac02ac02")],
  ["tombstones out of order", HEX.replace("1a0304ac02", "1a03ac0204")],
  ["tombstones one by one", HEX.replace("1a0304ac02", "180418ac02")],
  ["a writer twice", HEX + WRITER_HEX],
  ["a writer of a node twice", HEX + WRITER_HEX.replace("aaaa", "bbbb")],
  ["a writer of no key", HEX.replace("520e0803", "520e0806")],
  ["a writer of nobody", HEX.replace(WRITER_HEX, "5205080320ac02")],
  [
    "an epoch past 65,535",
    HEX.replace(WRITER_HEX, "520f080311010000000000aaaa20808004"),
  ],
];

for (const [what, hex] of REFUSED) {
  Deno.test(`decodeEncryptionState() refuses ${what}`, () => {
    assert.notEqual(hex, HEX);
    const bytes = fromHex(hex);
    assert.ok(bytes !== null);
    assert.throws(() => decodeEncryptionState(bytes), CommandMalformedError);
  });
}

Deno.test("encodeEncryptionState() asserts a sound state", () => {
  const broken = { ...STATE, stateIndex: 1 };
  assert.throws(() => encodeEncryptionState(broken), InvariantError);
});

/** As large as every limit lets it be. */
function largest(): EncryptionState {
  const MAX = Number.MAX_SAFE_INTEGER;
  const first = 2 ** 32 - KEYS_MAX;
  const purposes: readonly KeyPurpose[] = ["state", "raft"];
  const entries = Array.from({ length: KEYS_MAX }, (_, i): KeyEntry => ({
    ...keyOf(first + i, purposes[i] ?? "storage", {
      createdMs: MAX,
      wraps: [{ kek: "k".repeat(400), wrapped: new Uint8Array(550) }],
    }),
    createdIndex: MAX - 1,
    deactivatedIndex: i < 2 || i === KEYS_MAX - 1 ? 0 : MAX,
  }));
  const fresh = entries.map((key) => [key.id, key] as const);
  const state: EncryptionState = {
    stateIndex: MAX,
    keys: new Map(fresh),
    retired: new Set(
      Array.from({ length: RETIRED_MAX }, (_, i) => 2 ** 31 + i),
    ),
    active: { storage: first + KEYS_MAX - 1, raft: first + 1 },
    stateKey: first,
    storageCutoverIndex: MAX,
    raftCutoverIndex: MAX,
    cleartextLockIndex: MAX,
    writers: new Map(Array.from({ length: WRITERS_MAX }, (_, i) => {
      const keyId = first + 2;
      const fullNodeId = 2n ** 63n + BigInt(i);
      const epochs = { firstEpoch: 65_535, lastEpoch: 65_535 };
      const row = { keyId, node16: i, fullNodeId, ...epochs };
      return [writerId(keyId, i), row];
    })),
  };
  return filled(state);
}

/** The last key's wraps fill what is left for keys. */
function filled(state: EncryptionState): EncryptionState {
  const [id, last] = [...state.keys].at(-1)!;
  const withRest = (bytes: number) => {
    const wraps = Array.from({ length: 8 }, (_, i) => ({
      kek: `k${i}`,
      wrapped: new Uint8Array(
        Math.max(1, Math.min(1_024, bytes - i * 1_024)),
      ),
    }));
    return { ...state, keys: new Map(state.keys).set(id, { ...last, wraps }) };
  };
  let bytes = 1;
  while (keysBytes(withRest(bytes + 1)) <= KEYS_BYTES_MAX) bytes += 64;
  while (keysBytes(withRest(bytes)) > KEYS_BYTES_MAX) bytes -= 1;
  return withRest(bytes);
}

Deno.test("ENCRYPTION_STATE_BYTES_MAX is the largest state, to the byte", () => {
  const state = largest();
  assert.equal(keysBytes(state), KEYS_BYTES_MAX);
  const bytes = encodeEncryptionState(state);
  assert.equal(bytes.length, ENCRYPTION_STATE_BYTES_MAX);
  assert.deepEqual(decodeEncryptionState(bytes), state);
});

Deno.test("decodeEncryptionState() reads nothing that is too long", () => {
  const bytes = new Uint8Array(ENCRYPTION_STATE_BYTES_MAX + 1);
  assert.throws(
    () => decodeEncryptionState(bytes),
    (error) =>
      error instanceof CommandMalformedError && /at most/.test(error.rule),
  );
});

Deno.test("keys that leave no room for the rest are refused", () => {
  const wrap = { kek: "k".repeat(500), wrapped: new Uint8Array(1_024) };
  const state = crowded({ keys: KEYS_MAX, wrap });
  assert.ok(keysBytes(state) > KEYS_BYTES_MAX);
  assert.throws(() => encodeEncryptionState(state), InvariantError);
});
