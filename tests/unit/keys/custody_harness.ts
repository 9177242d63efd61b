import type {
  KeyId,
  KeyPurpose,
  WrappedKey,
} from "../../../src/base/data_key.ts";
import type { Disk } from "../../../src/io/disk.ts";
import { type Custody, openCustody } from "../../../src/keys/custody.ts";
import { drawDataKey } from "../../../src/keys/data_key.ts";
import type { Kek, SharedKeys } from "../../../src/keys/port.ts";
import { readSidecar } from "../../../src/keys/sidecar_file.ts";
import { SimDisk } from "../../sim/io/disk.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { CLUSTER_ID } from "./sample_keys.ts";

export const DIR = "data/encryption";
export const noRow = (_: KeyId) => 0;

export async function freshDisk(seed = 1): Promise<SimDisk> {
  const disk = new SimDisk({ seed });
  await disk.makeDir("data");
  await disk.syncDir(".");
  return disk;
}

export async function keyFor(
  purpose: KeyPurpose,
  keks: readonly Kek[],
  seed: number,
): Promise<WrappedKey> {
  return await drawDataKey({ random: new SimRandom(seed), keks }, {
    clusterId: CLUSTER_ID,
    purpose,
    taken: () => false,
    createdMs: Date.UTC(2026, 3, 29, 10) + seed,
  });
}

/** What bootstrap brings at `index`; the keys depend on `seed` alone. */
export async function bootstrapped(
  keks: readonly Kek[],
  { index = 10, seed = 100 } = {},
): Promise<SharedKeys> {
  const storage = await keyFor("storage", keks, seed);
  const raft = await keyFor("raft", keks, seed + 1);
  const state = await keyFor("state", keks, seed + 2);
  return {
    stateIndex: index,
    keys: keysOf(storage, raft, state),
    active: { storage: storage.id, raft: raft.id },
    stateKey: state.id,
    storageCutoverIndex: 0,
    raftCutoverIndex: 0,
    cleartextLockIndex: 0,
  };
}

export function keysOf(...keys: WrappedKey[]): ReadonlyMap<KeyId, WrappedKey> {
  return new Map(keys.sort((a, b) => a.id - b.id).map((key) => [key.id, key]));
}

/** `shared` with one key more, active for its purpose. */
export function rotatedTo(
  shared: SharedKeys,
  key: WrappedKey,
  index: number,
): SharedKeys {
  return {
    ...shared,
    stateIndex: index,
    keys: keysOf(...shared.keys.values(), key),
    active: { ...shared.active, [key.purpose]: key.id },
  };
}

export function without(
  shared: SharedKeys,
  id: KeyId,
  index: number,
): SharedKeys {
  const keys = new Map(shared.keys);
  keys.delete(id);
  return { ...shared, keys, stateIndex: index };
}

/** A process that starts on `disk`, its guards passed; epochs not raised. */
export async function openOn(
  disk: Disk,
  keks: readonly Kek[],
  { isEnabled = true, node = "n1" } = {},
): Promise<Custody> {
  const random = new SimRandom(5);
  const sidecar = await readSidecar(disk, DIR);
  const parts = { disk, dir: DIR, node, random, isEnabled, keks, sidecar };
  return await openCustody(parts);
}

/** A sidecar of the bootstrapped keys on a fresh disk. */
export async function founded(keks: readonly Kek[]) {
  const disk = await freshDisk();
  const shared = await bootstrapped(keks);
  const custody = await openOn(disk, keks);
  await custody.absorb(CLUSTER_ID, shared, noRow);
  return { disk, shared, custody };
}
