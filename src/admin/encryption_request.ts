import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  KEK_ID_BYTES_MAX,
  type KeyId,
  type KeyWrap,
  NO_KEY,
  type SealingPurpose,
  WRAPPED_BYTES_MAX,
  WRAPS_MAX,
} from "../base/data_key.ts";
import type { CapabilityAsk } from "../node/encryption_port.ts";
import { AdminRequestInvalidError } from "./errors.ts";
import { type GetCapabilityRequest, KeyPurpose } from "./gen/encryption_pb.ts";

const KEK_ID = new RegExp(`^[\\x21-\\x7e]{1,${KEK_ID_BYTES_MAX}}$`);
const KEK_ID_RULE = `1 to ${KEK_ID_BYTES_MAX} visible ASCII characters, as ` +
  "`sealkv encryption status` shows them";

/** @throws {AdminRequestInvalidError} */
export function parsePurpose(purpose: KeyPurpose): SealingPurpose {
  if (purpose === KeyPurpose.STORAGE) return "storage";
  if (purpose === KeyPurpose.RAFT) return "raft";
  throw new AdminRequestInvalidError(
    "purpose",
    KeyPurpose[purpose] ?? String(purpose),
    "STORAGE or RAFT",
  );
}

/** @throws {AdminRequestInvalidError} */
export function parseKeyId(keyId: number): KeyId {
  if (keyId !== NO_KEY) return keyId;
  throw new AdminRequestInvalidError("key_id", "0", "the id of a key");
}

/** KEKs to wrap under; none for the primary. @throws {AdminRequestInvalidError} */
export function parseKekIds(keks: readonly string[]): readonly string[] {
  if (keks.length > WRAPS_MAX) {
    throw new AdminRequestInvalidError(
      "keks",
      `${keks.length} ids`,
      `at most ${WRAPS_MAX} ids`,
    );
  }
  for (const [position, kek] of keks.entries()) {
    if (!KEK_ID.test(kek)) {
      throw new AdminRequestInvalidError("keks", kek, KEK_ID_RULE);
    }
    if (keks.indexOf(kek) !== position) {
      throw new AdminRequestInvalidError(
        "keks",
        kek,
        "a list with each id once",
      );
    }
  }
  return keks;
}

/** @throws {AdminRequestInvalidError} */
export function parseCapabilityAsk(asked: GetCapabilityRequest): CapabilityAsk {
  const { clusterId, term, target, challenges } = asked;
  if (clusterId.length !== CLUSTER_ID_BYTES) {
    throw new AdminRequestInvalidError(
      "cluster_id",
      `${clusterId.length} bytes`,
      `${CLUSTER_ID_BYTES} bytes`,
    );
  }
  if (term > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new AdminRequestInvalidError(
      "term",
      String(term),
      "a number below 2^53",
    );
  }
  if (target === 0n) {
    throw new AdminRequestInvalidError("target", "0", "a full node id");
  }
  return {
    clusterId: new Uint8Array(clusterId),
    term: Number(term),
    target,
    challenges: parseWraps(challenges),
  };
}

function parseWraps(
  wraps: GetCapabilityRequest["challenges"],
): readonly KeyWrap[] {
  if (wraps.length === 0 || wraps.length > WRAPS_MAX) {
    throw new AdminRequestInvalidError(
      "challenges",
      `${wraps.length} wraps`,
      `1 to ${WRAPS_MAX} wraps`,
    );
  }
  return wraps.map(({ kek, wrapped }) => {
    if (!KEK_ID.test(kek)) {
      throw new AdminRequestInvalidError("challenges.kek", kek, KEK_ID_RULE);
    }
    return { kek, wrapped: parseWrapped(wrapped) };
  });
}

function parseWrapped(wrapped: Uint8Array): Bytes {
  const { length } = wrapped;
  if (length > 0 && length <= WRAPPED_BYTES_MAX) return new Uint8Array(wrapped);
  throw new AdminRequestInvalidError(
    "challenges.wrapped",
    `${length} bytes`,
    `1 to ${WRAPPED_BYTES_MAX} bytes`,
  );
}
