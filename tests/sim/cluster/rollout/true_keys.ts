/*
 * A second reading of docs/formats_encryption.md, by node:crypto alone: what
 * the product sealed is opened here without any of the product's own code.
 */
import { Buffer } from "node:buffer";
import { createDecipheriv, hkdfSync } from "node:crypto";
import {
  concatBytes,
  toHex,
  utf8,
  viewOf,
} from "../../../../src/base/bytes.ts";
import { type KeyId, PURPOSE_BYTE } from "../../../../src/base/data_key.ts";
import type { FsmState, KeyEntry } from "../../../../src/fsm/types.ts";
import { kekBytes, SIM_KEKS } from "../encryption/host_keys.ts";

const GCM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const WRAP = utf8("sealkv wrap v1");
const SESSION = utf8("sealkv session v1");
const RAFT = utf8("R");
/** Of a raft envelope: version, flag, key id, salt, nonce. */
const SALT_AT = 6;
const RAFT_NONCE_AT = 22;
const RAFT_BODY_AT = RAFT_NONCE_AT + NONCE_BYTES;

/** All data keys that a cluster ever had, opened with the KEKs of the world. */
export class TrueKeys {
  readonly #deks = new Map<KeyId, Uint8Array>();
  /** By key, node, epoch and salt. */
  readonly #sessions = new Map<string, Uint8Array>();

  /** Takes what keys of `fsm` it has not seen yet. */
  learn({ clusterId, encryption }: FsmState): void {
    if (clusterId === null) return;
    for (const key of encryption.keys.values()) {
      if (this.#deks.has(key.id)) continue;
      const dek = openWraps(key, clusterId);
      if (dek !== null) this.#deks.set(key.id, dek);
    }
  }

  /** The bytes of a key; `null` for one that it never learnt of. */
  dek(keyId: KeyId): Uint8Array<ArrayBuffer> | null {
    return this.#deks.get(keyId)?.slice() ?? null;
  }

  /** What a raft envelope holds; `null` when it is none of this cluster. */
  openRaft(
    clusterId: Uint8Array,
    envelope: Uint8Array,
  ): Uint8Array<ArrayBuffer> | null {
    if (envelope.length < RAFT_BODY_AT + TAG_BYTES) return null;
    const view = viewOf(envelope);
    if (view.getUint16(0) !== 0x0100) return null;
    const salt = envelope.subarray(SALT_AT, RAFT_NONCE_AT);
    const nonce = envelope.subarray(RAFT_NONCE_AT, RAFT_BODY_AT);
    const writer = nonce.subarray(0, 4);
    const key = this.#session(clusterId, view.getUint32(2), writer, salt);
    if (key === null) return null;
    const prefix = envelope.subarray(0, SALT_AT);
    const aad = concatBytes(RAFT, prefix, clusterId, salt);
    return open(key, { nonce, aad }, envelope.subarray(RAFT_BODY_AT));
  }

  #session(
    clusterId: Uint8Array,
    keyId: KeyId,
    writer: Uint8Array,
    salt: Uint8Array,
  ): Uint8Array | null {
    const name = `${keyId}/${toHex(writer)}/${toHex(salt)}`;
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const dek = this.#deks.get(keyId);
    if (dek === undefined) return null;
    const context = keyContext(SESSION, clusterId, keyId, PURPOSE_BYTE.raft);
    const info = concatBytes(context, writer);
    const key = new Uint8Array(hkdfSync("sha256", dek, salt, info, KEY_BYTES));
    this.#sessions.set(name, key);
    return key;
  }
}

function openWraps(
  { id, purpose, wraps }: KeyEntry,
  clusterId: Uint8Array,
): Uint8Array | null {
  const aad = keyContext(WRAP, clusterId, id, PURPOSE_BYTE[purpose]);
  for (const { wrapped } of wraps) {
    const nonce = wrapped.subarray(0, NONCE_BYTES);
    for (const number of SIM_KEKS) {
      const sealed = wrapped.subarray(NONCE_BYTES);
      const dek = open(kekBytes(number), { nonce, aad }, sealed);
      if (dek !== null) return dek;
    }
  }
  return null;
}

function keyContext(
  label: Uint8Array,
  clusterId: Uint8Array,
  keyId: KeyId,
  purpose: number,
): Uint8Array {
  const rest = new Uint8Array(5);
  viewOf(rest).setUint32(0, keyId);
  rest[4] = purpose;
  return concatBytes(label, clusterId, rest);
}

function open(
  key: Uint8Array,
  { nonce, aad }: { readonly nonce: Uint8Array; readonly aad: Uint8Array },
  sealed: Uint8Array,
): Uint8Array<ArrayBuffer> | null {
  const until = sealed.length - TAG_BYTES;
  if (until < 0) return null;
  const cipher = createDecipheriv(GCM, key, nonce);
  cipher.setAAD(aad);
  cipher.setAuthTag(sealed.slice(until));
  try {
    const parts = [cipher.update(sealed.slice(0, until)), cipher.final()];
    return new Uint8Array(Buffer.concat(parts));
  } catch {
    return null;
  }
}
