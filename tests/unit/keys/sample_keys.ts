import type {
  KeyId,
  KeyPurpose,
  WrappedKey,
} from "../../../src/base/data_key.ts";
import type { SharedKeys } from "../../../src/keys/port.ts";
import type { SidecarContent } from "../../../src/keys/sidecar.ts";

export const CLUSTER_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

/** A key that nothing opens: enough for a codec. */
export function sampleKey(
  id: KeyId,
  purpose: KeyPurpose,
  given: Partial<WrappedKey> = {},
): WrappedKey {
  return {
    id,
    purpose,
    commitment: new Uint8Array(32).fill(id),
    createdMs: Date.UTC(2026, 3, 29, 10),
    wraps: [{ kek: "file:3f3f3f3f3f3f3f3f", wrapped: new Uint8Array(60) }],
    ...given,
  };
}

export function sampleShared(given: Partial<SharedKeys> = {}): SharedKeys {
  const keys = [
    sampleKey(77, "state"),
    sampleKey(305419896, "storage"),
    sampleKey(2596069104, "raft"),
  ];
  return {
    stateIndex: 184273,
    keys: new Map(keys.map((key) => [key.id, key])),
    active: { storage: 305419896, raft: 2596069104 },
    stateKey: 77,
    storageCutoverIndex: 184201,
    raftCutoverIndex: 0,
    cleartextLockIndex: 0,
    ...given,
  };
}

export function sampleContent(
  given: Partial<SidecarContent> = {},
): SidecarContent {
  return {
    clusterId: CLUSTER_ID,
    node: "n1",
    shared: sampleShared(),
    epochs: new Map([[77, 1], [305419896, 7], [2596069104, 0xffff]]),
    ...given,
  };
}
