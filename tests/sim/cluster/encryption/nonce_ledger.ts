import { toHex } from "../../../../src/base/bytes.ts";
import { Life } from "../life.ts";

/**
 * Every seal of every life of every disk image, by the key's own bytes: no
 * nonce comes twice under one key.
 */
export class NonceLedger {
  /** By key and nonce: who sealed so. */
  readonly #seals = new Map<string, string>();
  /** The first nonce that came twice. */
  repeat: string | null = null;

  get size(): number {
    return this.#seals.size;
  }

  see(secret: Uint8Array, nonce: Uint8Array): void {
    const name = `${toHex(secret)}/${toHex(nonce)}`;
    const life = Life.current;
    const who = life === null ? "" : `${life.host.name}/${life.number}`;
    const other = this.#seals.get(name);
    this.#seals.set(name, who);
    if (other === undefined) return;
    this.repeat ??= `${who} used nonce ${toHex(nonce)} of ${other} once more`;
  }
}
