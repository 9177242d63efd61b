import { type Bytes, EMPTY_BYTES, utf8 } from "../base/bytes.ts";
import { deriveHmacKey, signHmac, verifyHmac } from "../crypto/hmac.ts";
import type { PeerProver } from "../transport/port.ts";

const PEER_TOKEN_INFO = "sealkv peer token v1";

/** The transport's PeerProver over WebCrypto. */
export class PeerTokenProver implements PeerProver {
  readonly #key: Promise<CryptoKey>;

  constructor(peerToken: string) {
    this.#key = deriveHmacKey(utf8(peerToken), {
      salt: EMPTY_BYTES,
      info: PEER_TOKEN_INFO,
    });
  }

  async prove(message: Bytes): Promise<Bytes> {
    return await signHmac(await this.#key, message);
  }

  async verify(message: Bytes, proof: Bytes): Promise<boolean> {
    return await verifyHmac(await this.#key, message, proof);
  }

  [Symbol.for("Deno.customInspect")](): string {
    return "PeerTokenProver {}";
  }
}
