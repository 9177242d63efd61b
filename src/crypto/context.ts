import { CLUSTER_ID_BYTES } from "../base/identity.ts";
import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, setUint64, viewOf } from "../base/bytes.ts";
import {
  EPOCH_MAX,
  KEY_ID_MAX,
  type KeyId,
  type KeyPurpose,
  NO_KEY,
  PURPOSE_BYTE,
} from "../base/data_key.ts";

/*
 * Fields of `info` and AAD, big-endian (docs/formats_encryption.md). Their
 * lengths are fixed up to the last one, so joining them is unambiguous.
 */

const NODE16_MAX = 0xffff;

/** A data key's name in derivations and wraps. */
export interface KeyName {
  readonly clusterId: Bytes;
  readonly keyId: KeyId;
  readonly purpose: KeyPurpose;
}

/** label ‖ cluster_id ‖ rest, the label without a terminator. */
export function contextBytes(
  label: Bytes,
  clusterId: Bytes,
  ...rest: readonly Uint8Array[]
): Bytes {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  return concatBytes(label, clusterId, ...rest);
}

/** label ‖ cluster_id ‖ key_id u32 ‖ purpose u8 */
export function keyContext(label: Bytes, key: KeyName): Bytes {
  const purpose = Uint8Array.of(PURPOSE_BYTE[key.purpose]);
  return contextBytes(label, key.clusterId, keyIdBytes(key.keyId), purpose);
}

export function keyIdBytes(keyId: KeyId): Bytes {
  assert(isKeyId(keyId), "a key id is a u32 and not 0");
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, keyId);
  return bytes;
}

/** node16 u16 ‖ epoch u16 */
export function writerBytes(node16: number, epoch: number): Bytes {
  assert(isNode16(node16), "node16 is a u16");
  assert(isEpoch(epoch), "an epoch that seals is 1 to 0xFFFF");
  const bytes = new Uint8Array(4);
  const view = viewOf(bytes);
  view.setUint16(0, node16);
  view.setUint16(2, epoch);
  return bytes;
}

export function uint64Bytes(value: number | bigint): Bytes {
  const bytes = new Uint8Array(8);
  const view = viewOf(bytes);
  if (typeof value === "bigint") view.setBigUint64(0, value);
  else setUint64(view, 0, value);
  return bytes;
}

function isKeyId(value: number): boolean {
  return Number.isInteger(value) && value > NO_KEY && value <= KEY_ID_MAX;
}

function isNode16(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= NODE16_MAX;
}

function isEpoch(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= EPOCH_MAX;
}
