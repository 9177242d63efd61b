import type { Bytes } from "../../../src/base/bytes.ts";
import type { KeyPurpose, KeyWrap } from "../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../src/base/identity.ts";
import {
  type EncryptionState,
  type KeyEntry,
  NO_ENCRYPTION,
  writerId,
  type WriterRow,
} from "../../../src/fsm/types.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import { stateAt } from "./store_model.ts";

export const STORAGE_KEY = 305_419_896;
export const STATE_KEY = 77;
export const RAFT_KEY = 2_596_069_104;

/** What a node without keys has of its own. */
export const NOTHING_OWN = { encryptionMac: null, sessions: [] } as const;

export function wrapOf(kek: string, bytes = 60, fill = 7): KeyWrap {
  return { kek, wrapped: new Uint8Array(bytes).fill(fill) };
}

function keyOf(
  id: number,
  purpose: KeyPurpose,
  wraps: readonly KeyWrap[],
): KeyEntry {
  return {
    ...{ id, purpose, wraps },
    commitment: new Uint8Array(32).fill(id & 0xff),
    createdMs: 1_777_456_800_000 + (id & 0xff),
    createdIndex: 1,
    deactivatedIndex: 0,
  };
}

function writerOf(keyId: number, name: string, lastEpoch: number): WriterRow {
  const id = fullNodeId(name);
  return {
    ...{ keyId, node16: node16Of(id), fullNodeId: id, lastEpoch },
    firstEpoch: 1,
  };
}

/** A state after bootstrap in which every field says something. */
export function encryptionOf(
  stateIndex: number,
  options: {
    readonly wraps?: readonly KeyWrap[];
    readonly epoch?: number;
    readonly storageCutoverIndex?: number;
  } = {},
): EncryptionState {
  const { wraps = [wrapOf("file:3f00000000000000")], epoch = 1 } = options;
  const keys = [
    keyOf(STATE_KEY, "state", wraps),
    keyOf(STORAGE_KEY, "storage", wraps),
    keyOf(RAFT_KEY, "raft", wraps),
  ];
  const writers = [
    writerOf(STORAGE_KEY, "n1", epoch),
    writerOf(RAFT_KEY, "n1", epoch + 1),
  ];
  return {
    ...NO_ENCRYPTION,
    stateIndex,
    keys: new Map(keys.map((key) => [key.id, key])),
    retired: new Set([3, 4_000_000_000]),
    active: { storage: STORAGE_KEY, raft: RAFT_KEY },
    stateKey: STATE_KEY,
    storageCutoverIndex: options.storageCutoverIndex ?? 0,
    writers: new Map(
      writers.map((row) => [writerId(row.keyId, row.node16), row]),
    ),
  };
}

/** A state whose encoding takes so many rows of 60,000 bytes; 1 to 4. */
export function longEncryptionOf(
  stateIndex: number,
  parts: number,
): EncryptionState {
  const base = encryptionOf(stateIndex);
  let left = (parts - 0.5) * 60_000;
  const wraps = Array.from(
    { length: 8 },
    (_, i) => wrapOf(`kek:${i}`, 1_000, stateIndex),
  );
  const keys = new Map(base.keys);
  // All keys together may take 139,206 bytes.
  for (let id = 1_000; left > 8_000 && id < 1_016; id += 1) {
    keys.set(id, { ...keyOf(id, "raft", wraps), deactivatedIndex: 2 });
    left -= 8_150;
  }
  const writers: WriterRow[] = [];
  for (let id = 1n; left > 0 && parts > 2; id += 1n) {
    const node = { node16: Number(id), fullNodeId: 2n ** 63n + id };
    writers.push({ ...node, keyId: RAFT_KEY, firstEpoch: 1, lastEpoch: 300 });
    left -= 22;
  }
  return {
    ...base,
    keys: new Map([...keys].sort((a, b) => a[0] - b[0])),
    writers: new Map(
      writers.map((row) => [writerId(row.keyId, row.node16), row]),
    ),
  };
}

export function macOf(fill: number): Bytes {
  return new Uint8Array(32).fill(fill);
}

/** `state` with this encryption, and a MAC that `fill` decides. */
export function withEncryption(
  state: StoreState,
  encryption: EncryptionState,
  fill = encryption.stateIndex,
): StoreState {
  return {
    ...state,
    fsm: { ...state.fsm, encryption },
    encryptionMac: encryption.keys.size === 0 ? null : macOf(fill),
  };
}

/** State after log entry `index` with this encryption. */
export function encryptedAt(
  index: number,
  encryption: EncryptionState,
  fill = index,
): StoreState {
  return withEncryption(stateAt(index), encryption, fill);
}
