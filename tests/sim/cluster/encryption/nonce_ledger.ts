import { toHex } from "../../../../src/base/bytes.ts";
import { Life } from "../life.ts";

/** What is sealed, as what it is bound to tells. */
export const SEAL_KINDS = [
  "wrap",
  "record",
  "entry",
  "checkpoint",
  "other",
] as const;
export type SealKind = (typeof SEAL_KINDS)[number];

/** version ‖ flag of every envelope. */
const ENVELOPE = "\x01\x00";
/** Hash of a stream's header. */
const HEADER_HASH_BYTES = 32;
/** version ‖ flag ‖ key id ‖ cluster id ‖ record header. */
const RECORD_AAD_BYTES_MIN = 2 + 4 + 16 + 21;

const latin1 = new TextDecoder("latin1");

/**
 * Every seal of every life of every disk image, by the key's own bytes: no
 * nonce comes twice under one key.
 */
export class NonceLedger {
  /** By key and nonce: who sealed so. */
  readonly #seals = new Map<string, string>();
  /** Of the members, by kind. */
  readonly counts: Record<SealKind, number> = {
    ...{ wrap: 0, record: 0, entry: 0, checkpoint: 0, other: 0 },
  };
  /** The first nonce that came twice. */
  repeat: string | null = null;

  get size(): number {
    return this.#seals.size;
  }

  see(secret: Uint8Array, nonce: Uint8Array, aad: Uint8Array): void {
    const name = `${toHex(secret)}/${toHex(nonce)}`;
    const life = Life.current;
    const who = life === null ? "" : `${life.host.name}/${life.number}`;
    const kind = kindOf(aad);
    const other = this.#seals.get(name);
    this.#seals.set(name, `${who} (${kind})`);
    this.counts[kind] += 1;
    if (other === undefined) return;
    this.repeat ??= `${who} (${kind}) used nonce ${
      toHex(nonce)
    } of ${other} once more`;
  }
}

/** By what it is bound to. */
export function kindOf(aad: Uint8Array): SealKind {
  const text = latin1.decode(aad);
  if (text.startsWith("sealkv wrap v1")) return "wrap";
  if (text.startsWith(`R${ENVELOPE}`)) return "entry";
  if (aad.length === HEADER_HASH_BYTES) return "checkpoint";
  const isRecord = text.startsWith(ENVELOPE) &&
    aad.length >= RECORD_AAD_BYTES_MIN;
  return isRecord ? "record" : "other";
}
