import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import {
  type KeyId,
  SALT_BYTES,
  type SealingPurpose,
} from "../base/data_key.ts";
import { keyContext, writerBytes } from "./context.ts";
import type { Dek } from "./dek.ts";
import { importFrequentAesKey } from "./aes_gcm.ts";
import { deriveBytes } from "./hkdf.ts";

/** A raft envelope carries its salt, so it is shorter than a session row's. */
export const RAFT_SALT_BYTES = 16;

/** Bytes of a session's salt, which is random. */
export const SESSION_SALT_BYTES: Readonly<Record<SealingPurpose, number>> = {
  storage: SALT_BYTES,
  raft: RAFT_SALT_BYTES,
};

const SESSION = utf8("sealkv session v1");

/** One node's session under one data key. */
export interface SessionName {
  readonly clusterId: Bytes;
  readonly keyId: KeyId;
  readonly purpose: SealingPurpose;
  readonly node16: number;
  /** 1 to 0xFFFF. */
  readonly epoch: number;
  /** SESSION_SALT_BYTES. */
  readonly salt: Bytes;
}

/** The AES-256-GCM key of a session; it cannot be exported. */
export async function deriveSessionKey(
  dek: Dek,
  session: SessionName,
): Promise<CryptoKey> {
  const { salt, purpose, node16, epoch } = session;
  assert(salt.length === SESSION_SALT_BYTES[purpose], "a salt is as long");
  const info = concatBytes(
    keyContext(SESSION, session),
    writerBytes(node16, epoch),
  );
  return await importFrequentAesKey(await deriveBytes(dek, { salt, info }));
}
