import assert from "node:assert/strict";
import { KEYS_MAX } from "../../../src/base/data_key.ts";
import { checkEncryptionState } from "../../../src/fsm/encryption_invariants.ts";
import { RETIRED_MAX, WRITERS_MAX } from "../../../src/fsm/limits.ts";
import {
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
  writerId,
  type WriterRow,
} from "../../../src/fsm/types.ts";
import {
  BOOTSTRAP,
  crowded,
  ENABLE_RAFT,
  ENABLE_STORAGE,
  keyOf,
  NODE_A,
  NODE_C,
  RAFT,
  register,
  retire,
  rotate,
  SEAL_CLEARTEXT,
  STATE,
  stateAfter,
  STORAGE,
} from "./encryption_fixtures.ts";

const SOUND = stateAfter(
  BOOTSTRAP,
  register(NODE_A, [STORAGE, 1], [RAFT, 1]),
  ENABLE_STORAGE,
  rotate(40, "storage", STORAGE),
  rotate(41, "storage", 40),
  retire(40),
  SEAL_CLEARTEXT,
  ENABLE_RAFT,
  register(NODE_C, [STORAGE, 1], [RAFT, 1]),
);

function withKey(id: number, change: Partial<KeyEntry>): EncryptionState {
  const key = SOUND.keys.get(id)!;
  return { ...SOUND, keys: new Map(SOUND.keys).set(id, { ...key, ...change }) };
}

function withWriters(...rows: readonly WriterRow[]): EncryptionState {
  const writers = rows.map((row) =>
    [writerId(row.keyId, row.node16), row] as const
  );
  return { ...SOUND, writers: new Map(writers) };
}

function withWriter(change: Partial<WriterRow>): EncryptionState {
  return withWriters({ ...ROWS[0]!, ...change });
}
const ROWS = [...SOUND.writers.values()];

const FINE: readonly (readonly [what: string, state: EncryptionState])[] = [
  ["no encryption", NO_ENCRYPTION],
  ["bootstrap", stateAfter(BOOTSTRAP)],
  ["all of it", SOUND],
  ["128 keys", crowded({ keys: KEYS_MAX })],
  ["as many tombstones as there may be", crowded({ retired: RETIRED_MAX })],
  ["no writers", { ...SOUND, writers: new Map() }],
  [
    "a restored cluster, all of one index",
    {
      ...stateAfter(BOOTSTRAP),
      storageCutoverIndex: 1,
      raftCutoverIndex: 1,
      cleartextLockIndex: 1,
    },
  ],
  ["an epoch 0", withWriter({ firstEpoch: 0, lastEpoch: 0 })],
  ["an epoch 65,535", withWriter({ lastEpoch: 65_535 })],
];
for (const [what, state] of FINE) {
  Deno.test(`checkEncryptionState() finds ${what} sound`, () => {
    assert.equal(checkEncryptionState(state), null);
  });
}

const manyKeys = crowded({ keys: KEYS_MAX + 1 });
const manyRetired = crowded({ retired: RETIRED_MAX + 1 });
const manyRows = Array.from({ length: WRITERS_MAX + 1 }, (_, i) => ({
  ...ROWS[0]!,
  node16: i + 1,
  fullNodeId: BigInt(i + 1),
}));

const BROKEN: readonly (readonly [
  what: string,
  state: EncryptionState,
  rule: RegExp,
])[] = [
  ["a state index of 2^53", { ...SOUND, stateIndex: 2 ** 53 }, /2\^53/],
  ["a state index below 0", { ...SOUND, stateIndex: -1 }, /2\^53/],
  ["a cutover that is no index", { ...SOUND, raftCutoverIndex: 0.5 }, /2\^53/],
  [
    "a storage cutover to come",
    { ...SOUND, storageCutoverIndex: 9 },
    /after the last/,
  ],
  [
    "a raft cutover to come",
    { ...SOUND, raftCutoverIndex: 9 },
    /after the last/,
  ],
  ["a lock to come", { ...SOUND, cleartextLockIndex: 9 }, /after the last/],
  ["a state index before keys", { ...SOUND, stateIndex: 0 }, /after the last/],
  [
    "raft without storage",
    { ...SOUND, storageCutoverIndex: 0 },
    /sealed before/,
  ],
  [
    "a lock without storage",
    { ...SOUND, storageCutoverIndex: 0, raftCutoverIndex: 0 },
    /sealed before/,
  ],
  ["raft before storage", { ...SOUND, raftCutoverIndex: 2 }, /sealed before/],
  [
    "the lock before storage",
    { ...SOUND, cleartextLockIndex: 2 },
    /sealed before/,
  ],
  ["129 keys", manyKeys, /at most 128 keys/],
  [
    "keys out of order",
    { ...SOUND, keys: new Map([...SOUND.keys].reverse()) },
    /order of their ids/,
  ],
  ["a key under another id", withKey(RAFT, { id: 11 }), /under its id/],
  ["a key without wraps", withKey(RAFT, { wraps: [] }), /wraps/],
  [
    "a key of before the log",
    withKey(RAFT, { createdIndex: 0 }),
    /come with a change/,
  ],
  ["a key to come", withKey(RAFT, { createdIndex: 9 }), /come with a change/],
  [
    "a deactivation to come",
    withKey(STORAGE, { deactivatedIndex: 9 }),
    /come with a change/,
  ],
  [
    "a negative deactivation",
    withKey(STORAGE, { deactivatedIndex: -1 }),
    /come with a change/,
  ],
  [
    "a deactivation before the key",
    withKey(STORAGE, { createdIndex: 4, deactivatedIndex: 4 }),
    /before it is deactivated/,
  ],
  ["no state key", { ...SOUND, stateKey: 0 }, /nothing/],
  ["an unknown state key", { ...SOUND, stateKey: 99 }, /state key/],
  ["a state key of another purpose", { ...SOUND, stateKey: RAFT }, /state key/],
  [
    "no active raft key",
    { ...SOUND, active: { ...SOUND.active, raft: 0 } },
    /active key/,
  ],
  [
    "an active key of another purpose",
    { ...SOUND, active: { storage: RAFT, raft: RAFT } },
    /active key/,
  ],
  [
    "an active key that is retired",
    { ...SOUND, active: { ...SOUND.active, storage: 40 } },
    /active key/,
  ],
  [
    "an active key that is deactivated",
    { ...SOUND, active: { ...SOUND.active, storage: STORAGE } },
    /exactly the active/,
  ],
  [
    "an old key that is not",
    withKey(STORAGE, { deactivatedIndex: 0 }),
    /exactly the active/,
  ],
  [
    "a state key that is",
    withKey(STATE, { deactivatedIndex: 8 }),
    /exactly the active/,
  ],
  [
    "a second state key",
    {
      ...SOUND,
      keys: new Map([...SOUND.keys, [50, {
        ...keyOf(50, "state"),
        createdIndex: 1,
        deactivatedIndex: 0,
      }]]),
    },
    /exactly the active/,
  ],
  ["too many tombstones", manyRetired, /at most 4096 retired/],
  ["a tombstone of 0", { ...SOUND, retired: new Set([0]) }, /u32/],
  [
    "tombstones out of order",
    { ...SOUND, retired: new Set([50, 49]) },
    /order/,
  ],
  ["a tombstone of a key", { ...SOUND, retired: new Set([RAFT]) }, /no key/],
  ["too many writers", withWriters(...manyRows), /at most 4096 writers/],
  ["writers out of order", withWriters(...ROWS.toReversed()), /order/],
  [
    "a writer under another id",
    { ...SOUND, writers: new Map([["10/3", ROWS[0]!]]) },
    /under its id/,
  ],
  ["a writer of no key", withWriter({ keyId: 99 }), /seals/],
  ["a writer of a retired key", withWriter({ keyId: 40 }), /seals/],
  ["a writer of the state key", withWriter({ keyId: STATE }), /seals/],
  ["a writer of node 0", withWriter({ fullNodeId: 0n, node16: 0 }), /u64/],
  [
    "a writer past u64",
    withWriter({ fullNodeId: 2n ** 64n, node16: 0 }),
    /u64/,
  ],
  ["a writer of other low bits", withWriter({ node16: 2 }), /low bits/],
  ["an epoch below 0", withWriter({ firstEpoch: -1 }), /epochs/],
  ["an epoch of 65,536", withWriter({ lastEpoch: 65_536 }), /epochs/],
  ["epochs that fall", withWriter({ firstEpoch: 2, lastEpoch: 1 }), /epochs/],
  ["an index without keys", { ...NO_ENCRYPTION, stateIndex: 1 }, /nothing/],
  ["a tombstone alone", { ...NO_ENCRYPTION, retired: new Set([1]) }, /nothing/],
  [
    "an active id alone",
    { ...NO_ENCRYPTION, active: { storage: 1, raft: 0 } },
    /nothing/,
  ],
  [
    "keys without a state key",
    {
      ...SOUND,
      keys: new Map([...SOUND.keys].filter(([id]) => id !== STATE)),
    },
    /state key/,
  ],
];
for (const [what, state, rule] of BROKEN) {
  Deno.test(`checkEncryptionState() finds ${what}`, () => {
    assert.match(checkEncryptionState(state) ?? "", rule);
  });
}
