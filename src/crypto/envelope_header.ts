import { viewOf } from "../base/bytes.ts";
import { type KeyId, NO_KEY } from "../base/data_key.ts";
import { GCM_NONCE_BYTES, GCM_TAG_BYTES } from "./aes_gcm.ts";
import { EnvelopeRejectedError } from "./errors.ts";
import { decodeNonce, type Nonce } from "./nonce.ts";

/** version u8 ‖ flag u8 ‖ key id u32: how every envelope begins. */
export const PREFIX_BYTES = 6;

const VERSION = 1;
const FLAG = 0;

/** Which envelope: its name in errors, and where its nonce is. */
export interface EnvelopeShape {
  readonly what: string;
  readonly nonceAt: number;
}

/** Whose key an envelope needs. */
export interface EnvelopeHeader {
  readonly keyId: KeyId;
  readonly nonce: Nonce;
}

/** Writes the first PREFIX_BYTES of `envelope`. */
export function writePrefix(envelope: Uint8Array, keyId: KeyId): void {
  envelope[0] = VERSION;
  envelope[1] = FLAG;
  viewOf(envelope).setUint32(2, keyId);
}

/** What is before the ciphertext, or why it is no envelope's. */
export function readHeader(
  envelope: Uint8Array,
  { what, nonceAt }: EnvelopeShape,
): EnvelopeHeader | EnvelopeRejectedError {
  const nonceEnd = nonceAt + GCM_NONCE_BYTES;
  const { length } = envelope;
  if (length < nonceEnd + GCM_TAG_BYTES) {
    return new EnvelopeRejectedError(what, "length", `${length} bytes`);
  }
  if (envelope[0] !== VERSION) {
    return new EnvelopeRejectedError(what, "version", `${envelope[0]}`);
  }
  if (envelope[1] !== FLAG) {
    return new EnvelopeRejectedError(what, "flag", `${envelope[1]}`);
  }
  const keyId = viewOf(envelope).getUint32(2);
  if (keyId === NO_KEY) {
    return new EnvelopeRejectedError(what, "key-id", `${keyId}`);
  }
  const nonce = decodeNonce(envelope.subarray(nonceAt, nonceEnd));
  if (nonce === null) {
    return new EnvelopeRejectedError(what, "nonce", "out of range");
  }
  return { keyId, nonce };
}

/** What to throw when the tag does not match. */
export function tagMismatch(
  { what }: EnvelopeShape,
  { keyId, nonce }: EnvelopeHeader,
): EnvelopeRejectedError {
  const { node16, epoch, count } = nonce;
  return new EnvelopeRejectedError(
    what,
    "tag",
    `another one; key id ${keyId}, node16 ${node16}, epoch ${epoch}, count ${count}`,
  );
}
