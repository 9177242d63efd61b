import { type Bytes, EMPTY_BYTES, utf8 } from "../base/bytes.ts";
import { contextBytes } from "./context.ts";
import type { Dek } from "./dek.ts";
import { deriveSigningKey } from "./hkdf.ts";

const SIDECAR = utf8("sealkv sidecar v1");
const STATE = utf8("sealkv state v1");
const RECORD_NAME = utf8("sealkv record name v1");

/** An HMAC-SHA-256 key of the state key; sign and verify are in hmac.ts. */
export async function deriveMacKey(dek: Dek, info: Bytes): Promise<CryptoKey> {
  return await deriveSigningKey(dek, { info });
}

/** For the MAC of a node's sidecar. */
export function sidecarMacInfo(clusterId: Bytes, node: string): Bytes {
  return contextBytes(SIDECAR, clusterId, utf8(node));
}

/** For the MAC of the encryption-state row in a node's store. */
export function stateMacInfo(clusterId: Bytes, node: string): Bytes {
  return contextBytes(STATE, clusterId, utf8(node));
}

/** For names of records in errors and logs; the same on every member. */
export function recordNameInfo(clusterId: Bytes): Bytes {
  return contextBytes(RECORD_NAME, clusterId, EMPTY_BYTES);
}
