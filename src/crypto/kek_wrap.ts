import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, toHex, utf8 } from "../base/bytes.ts";
import { DATA_KEY_BYTES } from "../base/data_key.ts";
import {
  GCM_NONCE_BYTES,
  GCM_TAG_BYTES,
  importAesKey,
  openGcm,
  sealGcm,
} from "./aes_gcm.ts";
import {
  contextBytes,
  keyContext,
  type KeyName,
  uint64Bytes,
} from "./context.ts";
import { deriveBytes, importHkdfKey } from "./hkdf.ts";
import { wipe } from "./wipe.ts";

const WRAP = utf8("sealkv wrap v1");
const CHALLENGE = utf8("sealkv challenge v1");
const KEK_ID = utf8("sealkv kek id v1");
const KEK_ID_BYTES = 8;

/** Length of a secret that a KEK held in this process has wrapped. */
export const WRAP_BYTES = GCM_NONCE_BYTES + DATA_KEY_BYTES + GCM_TAG_BYTES;

/** Takes a KEK's 32 raw bytes, which the caller then wipes. */
export async function importKek(raw: Bytes): Promise<CryptoKey> {
  return await importAesKey(raw);
}

/**
 * Wraps 32 secret bytes; `nonce` is 12 random bytes.
 *
 *     offset  bytes  field
 *     0       12     nonce
 *     12      32     ciphertext
 *     44      16     tag, over `aad` too
 */
export async function wrapSecret(
  kek: CryptoKey,
  nonce: Bytes,
  secret: Bytes,
  aad: Bytes,
): Promise<Bytes> {
  assert(secret.length === DATA_KEY_BYTES, "a secret has 32 bytes");
  const sealed = await sealGcm(kek, { nonce, aad }, secret);
  return concatBytes(nonce, sealed);
}

/** The secret; `null` for another KEK's wrap, another place's or a damaged one. */
export async function unwrapSecret(
  kek: CryptoKey,
  wrapped: Bytes,
  aad: Bytes,
): Promise<Bytes | null> {
  if (wrapped.length !== WRAP_BYTES) return null;
  const nonce = wrapped.subarray(0, GCM_NONCE_BYTES);
  return await openGcm(kek, { nonce, aad }, wrapped.subarray(GCM_NONCE_BYTES));
}

/** 16 hex digits that name a KEK and tell nothing of it. */
export async function kekIdOf(raw: Bytes): Promise<string> {
  const id = await deriveBytes(await importHkdfKey(raw), { info: KEK_ID });
  const text = toHex(id.subarray(0, KEK_ID_BYTES));
  wipe(id);
  return text;
}

/** What the wrap of a data key is bound to. */
export function dekWrapAad(name: KeyName): Bytes {
  return keyContext(WRAP, name);
}

/** What the wrap of a capability challenge is bound to. */
export function challengeAad(
  { clusterId, term, target }: {
    readonly clusterId: Bytes;
    readonly term: number;
    /** Full node id of the member that is asked. */
    readonly target: bigint;
  },
): Bytes {
  const asked = [uint64Bytes(term), uint64Bytes(target)];
  return contextBytes(CHALLENGE, clusterId, ...asked);
}
