import { type Bytes, toHex, utf8 } from "../base/bytes.ts";
import { equalConstantTime } from "../crypto/constant_time.ts";
import { deriveHmacKey, signHmac, verifyHmac } from "../crypto/hmac.ts";
import { sha256 } from "../crypto/sha256.ts";
import type { TokenSigner } from "../kvconnect/token_signer.ts";

const DATA_TOKEN_INFO = "sealkv data token v1";

/** The data plane's TokenSigner over WebCrypto. */
export class AccessTokenSigner implements TokenSigner {
  readonly #accessToken: Bytes;
  /** By hex of the cluster id: one, once the cluster has its id. */
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  constructor(accessToken: string) {
    this.#accessToken = utf8(accessToken);
  }

  /** Digests are compared, so that not even the length shows. */
  async isAccessToken(given: string): Promise<boolean> {
    const [expected, actual] = await Promise.all([
      sha256(this.#accessToken),
      sha256(utf8(given)),
    ]);
    return equalConstantTime(expected, actual);
  }

  async sign(clusterId: Bytes, message: Bytes): Promise<Bytes> {
    return await signHmac(await this.#key(clusterId), message);
  }

  async verify(
    clusterId: Bytes,
    message: Bytes,
    mac: Bytes,
  ): Promise<boolean> {
    return await verifyHmac(await this.#key(clusterId), message, mac);
  }

  async sha256(bytes: Bytes): Promise<Bytes> {
    return await sha256(bytes);
  }

  [Symbol.for("Deno.customInspect")](): string {
    return "AccessTokenSigner {}";
  }

  #key(clusterId: Bytes): Promise<CryptoKey> {
    const id = toHex(clusterId);
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const made = deriveHmacKey(this.#accessToken, {
      salt: clusterId,
      info: DATA_TOKEN_INFO,
    });
    this.#keys.set(id, made);
    return made;
  }
}
