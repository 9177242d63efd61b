import type {
  KeyId,
  KeyPurpose,
  WrappedKey,
} from "../../../../src/base/data_key.ts";
import { fullNodeId } from "../../../../src/base/identity.ts";
import type { EncryptionChange } from "../../../../src/fsm/types.ts";

export const CLUSTER = new Uint8Array(16).fill(1);
export const STORAGE = 11;
export const RAFT = 22;
export const STATE = 33;

export function wrappedKey(id: KeyId, purpose: KeyPurpose): WrappedKey {
  return {
    id,
    purpose,
    commitment: new Uint8Array(32).fill(id),
    createdMs: 1_000,
    wraps: [{ kek: "file:00", wrapped: new Uint8Array(60).fill(id) }],
  };
}

export const BOOTSTRAP: EncryptionChange = {
  kind: "bootstrap",
  keys: [
    wrappedKey(STORAGE, "storage"),
    wrappedKey(RAFT, "raft"),
    wrappedKey(STATE, "state"),
  ],
};

/** Another storage key, in the place of `replaces`. */
export function rotation(id: KeyId, replaces = STORAGE): EncryptionChange {
  return { kind: "rotate-dek", key: wrappedKey(id, "storage"), replaces };
}

export function registrationOf(
  node: string,
  epoch: number,
  keyIds: readonly KeyId[] = [STORAGE, RAFT],
): EncryptionChange {
  return {
    kind: "registration",
    fullNodeId: fullNodeId(node),
    claims: keyIds.map((keyId) => ({ keyId, epoch })),
  };
}
