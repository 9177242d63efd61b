import { utf8 } from "../../../src/base/bytes.ts";
import type { KeyId } from "../../../src/base/data_key.ts";
import type { EncryptionState, Mutation } from "../../../src/fsm/types.ts";
import { encodeKvKey } from "../../../src/io/kv_key.ts";
import type { KvRow } from "../../../src/io/kv.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import type { SimKvDisk } from "../../sim/io/kv.ts";
import { encryptionOf, withEncryption } from "./encryption_model.ts";
import { stateAt } from "./store_model.ts";

export const CLUSTER_ID = new Uint8Array(16).fill(0xc1);
export const CUTOVER = 10;
/** In every value that these tests write. */
export const CANARY = "canary:";

/** After entry `index` of a cluster that has keys and, from 10 on, a cutover. */
export function sealedAt(
  index: number,
  { lock = 0, clockMs = 0, active = 0 } = {},
): StoreState {
  const storageCutoverIndex = index >= CUTOVER ? CUTOVER : 0;
  const stateIndex = Math.max(2, storageCutoverIndex, lock);
  const base = encryptionOf(stateIndex, { storageCutoverIndex });
  const encryption = {
    ...base,
    cleartextLockIndex: lock,
    ...(active === 0 ? {} : rotatedTo(base, active)),
  };
  const state = stateAt(index, clockMs);
  return withEncryption(
    { ...state, fsm: { ...state.fsm, clusterId: CLUSTER_ID } },
    encryption,
  );
}

function rotatedTo(
  { active, keys, stateIndex }: EncryptionState,
  storage: KeyId,
) {
  const before = keys.get(active.storage)!;
  const others = [...keys.values()].filter((key) => key !== before);
  const all = [
    ...[...others, { ...before, deactivatedIndex: stateIndex }],
    { ...before, id: storage },
  ].sort((a, b) => a.id - b.id);
  return {
    active: { ...active, storage },
    keys: new Map(all.map((key) => [key.id, key])),
  };
}

export function putAt(
  name: string,
  index: number,
  { bytes = 20, expireAtMs = 0 } = {},
): Mutation {
  const data = new Uint8Array(Math.max(bytes, CANARY.length)).fill(index);
  data.set(utf8(CANARY));
  const versionstamp = new Uint8Array(10);
  new DataView(versionstamp.buffer).setUint32(4, index);
  const value = { data, encoding: 3 } as const;
  const record = { value, versionstamp, expireAtMs };
  return { database: 1, key: utf8(name), record };
}

/** Rows of records, their parts and staged ones in which a canary shows. */
export function canaries(disk: SimKvDisk): readonly KvRow[] {
  return disk.rows.filter(({ value }) => textOf(value).includes(CANARY));
}

/** The row of a client's short key. */
export function rowOf(disk: SimKvDisk, name: string): KvRow {
  const wanted = encodeKvKey([1n, utf8(name)]).join();
  const row = disk.rows.find(({ key }) => encodeKvKey(key).join() === wanted);
  if (row === undefined) throw new Error(`no row of ${name}`);
  return row;
}

export function sessionRows(disk: SimKvDisk): readonly KvRow[] {
  return disk.rows.filter(({ key }) => key[0] === 0n && key[1] === 9n);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
