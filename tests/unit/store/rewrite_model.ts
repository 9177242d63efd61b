import { present } from "../../../src/base/assert.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { KeyId } from "../../../src/base/data_key.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import type { Mutation, StoredRecord } from "../../../src/fsm/types.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import type { RewriteCursor, RewriteStep } from "../../../src/store/rewrite.ts";
import type { Store } from "../../../src/store/store.ts";
import { encryptionOf, macOf, STORAGE_KEY } from "./encryption_model.ts";
import { stateAt } from "./store_model.ts";

export const CLUSTER: Bytes = new Uint8Array(16).fill(0xc1);
export const NEXT_KEY = 5;

/** Text that must not be in a file once records are sealed. */
export const CANARY = "a-canary-in-cleartext";

/** State after entry `index` of a cluster whose records are sealed. */
export function sealedAt(
  index: number,
  { cutover = 1, lock = 0, active = STORAGE_KEY }: {
    readonly cutover?: number;
    readonly lock?: number;
    readonly active?: KeyId;
  } = {},
): StoreState {
  const state = stateAt(index, index);
  const stateIndex = cutover + 1;
  const encryption = encryptionOf(stateIndex, { storageCutoverIndex: cutover });
  const keys = new Map(encryption.keys);
  if (active === NEXT_KEY) {
    const first = present(keys.get(STORAGE_KEY), "a storage key");
    keys.set(STORAGE_KEY, { ...first, deactivatedIndex: stateIndex });
    keys.set(NEXT_KEY, { ...first, id: NEXT_KEY });
  }
  return {
    ...state,
    fsm: {
      ...state.fsm,
      clusterId: CLUSTER,
      encryption: {
        ...encryption,
        keys: new Map([...keys].sort(([a], [b]) => a - b)),
        active: { ...encryption.active, storage: active },
        cleartextLockIndex: lock,
      },
    },
    encryptionMac: macOf(cutover),
  };
}

/** A record that tells who may not read it, `bytes` long. */
export function canaryOf(
  key: string | Uint8Array,
  index: number,
  { bytes = 40, expireAtMs = 0 } = {},
): Mutation {
  const data = new Uint8Array(bytes);
  const text = utf8(`${CANARY} ${key} ${index} `);
  for (let at = 0; at < bytes; at += text.length) {
    data.set(text.subarray(0, bytes - at), at);
  }
  const versionstamp = new Uint8Array(10);
  new DataView(versionstamp.buffer).setUint32(4, index);
  const record: StoredRecord = {
    ...{ value: { data, encoding: 1 }, versionstamp, expireAtMs },
  };
  const place = typeof key === "string" ? utf8(key) : key;
  return { database: 1, key: place, record };
}

/** Short and long keys, with and without expiry, some with overflow parts. */
export function canaries(index: number): readonly Mutation[] {
  const sizes = [0, 1, 300, 65_480, 65_500, 65_511, 65_512, 65_536];
  const long = (last: number) => new Uint8Array(2_050).fill(107).fill(last, -1);
  return [
    ...sizes.map((bytes, i) => canaryOf(`size ${i}`, index, { bytes })),
    ...Array.from({ length: 40 }, (_, i) => canaryOf(`k${i}`, index)),
    ...[1, 2, 3].map((i) => canaryOf(long(i), index)),
    canaryOf(long(4), index, { bytes: 63_460 }),
    canaryOf("expires", index, { expireAtMs: 5_000 }),
  ];
}

/** One pass of steps over all records. */
export async function rewriteAll(
  store: Pick<Store, "rewriteStep">,
  active: KeyId,
  limits = { rowsMax: 7, bytesMax: 100_000 },
): Promise<readonly RewriteStep[]> {
  const steps: RewriteStep[] = [];
  let after: RewriteCursor | null = null;
  do {
    const step: RewriteStep = await store.rewriteStep({
      ...{ ...limits, after },
      isStale: (keyId) => keyId !== active,
    });
    steps.push(step);
    after = step.next;
  } while (after !== null);
  return steps;
}

export function sumOf(
  steps: readonly RewriteStep[],
  field: "seen" | "rewritten" | "bytes",
): number {
  return steps.reduce((sum, step) => sum + step[field], 0);
}
