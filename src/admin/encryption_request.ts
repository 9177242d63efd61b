import {
  CLUSTER_ID_BYTES,
  isNodeName,
  NODE_NAME_RULE,
} from "../base/identity.ts";
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

/** As many members as a cluster may have. */
const MEMBERS_MAX = 32;
/** The last millisecond of a Date. */
const TIME_MS_MAX = 8_640_000_000_000_000;
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

/** Bytes a second, 0 for no bound. @throws {AdminRequestInvalidError} */
export function parseRate(bytesPerSecond: bigint): number {
  return safeNumber("bytes_per_second", bytesPerSecond);
}

/** Unix ms, 0 for no dwell. @throws {AdminRequestInvalidError} */
export function parseDwell(dwellUntilMs: bigint): number {
  if (dwellUntilMs <= BigInt(TIME_MS_MAX)) return Number(dwellUntilMs);
  throw new AdminRequestInvalidError(
    "dwell_until_ms",
    String(dwellUntilMs),
    `Unix milliseconds, at most ${TIME_MS_MAX}`,
  );
}

/** Names of members; none for all. @throws {AdminRequestInvalidError} */
export function parseMembers(members: readonly string[]): readonly string[] {
  if (members.length > MEMBERS_MAX) {
    throw new AdminRequestInvalidError(
      "members",
      `${members.length} names`,
      `at most ${MEMBERS_MAX} names`,
    );
  }
  for (const [position, name] of members.entries()) {
    if (!isNodeName(name)) {
      throw new AdminRequestInvalidError("members", name, NODE_NAME_RULE);
    }
    if (members.indexOf(name) !== position) {
      throw new AdminRequestInvalidError(
        "members",
        name,
        "a list with each name once",
      );
    }
  }
  return members;
}

function safeNumber(field: string, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new AdminRequestInvalidError(
    field,
    String(value),
    "a number below 2^53",
  );
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
  const safeTerm = safeNumber("term", term);
  if (target === 0n) {
    throw new AdminRequestInvalidError("target", "0", "a full node id");
  }
  return {
    clusterId: new Uint8Array(clusterId),
    term: safeTerm,
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
