import { assert } from "../../base/assert.ts";
import { fromBase64, toBase64 } from "../../base/base64.ts";
import { type Bytes, utf8 } from "../../base/bytes.ts";
import { DATA_KEY_BYTES, WRAPPED_BYTES_MAX } from "../../base/data_key.ts";
import { KekUnavailableError, WrapRejectedError } from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek, WrapContext } from "../port.ts";
import { callRemote, memberOf } from "./remote_call.ts";
import { parseVaultUri, type VaultKey } from "./vault_source.ts";
import { openVaultToken, type VaultToken } from "./vault_token.ts";
import { judgeVaultRefusal } from "./vault_verdict.ts";
import { wrapAad } from "./wrap_aad.ts";

const REMEDY =
  "Check that Vault runs, is unsealed and can be reached from here with a " +
  "certificate that this machine trusts";

/** Vault takes version 0 for 1: such a wrap would have two spellings. */
const CIPHERTEXT = /^vault:v[1-9][0-9]{0,8}:([A-Za-z0-9+/]+={0,2})$/;

/** A mark before the text is part of it: it has one spelling. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * `vault-transit:KEY?addr=…`: a key that stays in HashiCorp Vault (1.13 or
 * later) or OpenBao. A wrap is the ciphertext as Vault writes it, in ASCII.
 *
 * Nothing is asked of Vault before the first use.
 *
 * @throws {KekSourceInvalidError | KekUnavailableError}
 */
export function openVaultTransitKek(rest: string, ports: KekPorts): Kek {
  const key = parseVaultUri(rest);
  return new VaultTransitKek(key, openVaultToken(key.id, ports), ports);
}

class VaultTransitKek implements Kek {
  readonly id: string;
  readonly #key: VaultKey;
  readonly #token: VaultToken;
  readonly #ports: KekPorts;

  constructor(key: VaultKey, token: VaultToken, ports: KekPorts) {
    this.id = key.id;
    this.#key = key;
    this.#token = token;
    this.#ports = ports;
  }

  async wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    assert(secret.length === DATA_KEY_BYTES, "a secret has 32 bytes");
    const text = await this.#call("encrypt", {
      plaintext: toBase64(secret),
      associated_data: toBase64(wrapAad(context)),
    }, "ciphertext");
    if (!isCiphertext(text) || text.length > WRAPPED_BYTES_MAX) {
      throw this.#garbled();
    }
    return utf8(text);
  }

  async unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    const ciphertext = decoder.decode(wrapped);
    if (!isCiphertext(ciphertext)) throw new WrapRejectedError(this.id);
    const text = await this.#call("decrypt", {
      ciphertext,
      associated_data: toBase64(wrapAad(context)),
    }, "plaintext");
    const secret = fromBase64(text);
    if (secret === null) throw this.#garbled();
    // Vault opened it, so it is one; but none that a node has made.
    if (secret.length !== DATA_KEY_BYTES) throw new WrapRejectedError(this.id);
    return secret;
  }

  /** Member `result` of the answer's data. */
  #call(
    operation: "encrypt" | "decrypt",
    body: Readonly<Record<string, string>>,
    result: string,
  ): Promise<string> {
    return callRemote(this.#ports, {
      kek: this.id,
      remedy: REMEDY,
      request: (signal) => this.#request(operation, body, signal),
      judge: (answer) => {
        if (answer.status !== 200) {
          return judgeVaultRefusal(this.id, operation, answer);
        }
        const value = memberOf(memberOf(answer.json, "data"), result);
        if (typeof value !== "string") throw this.#garbled();
        return { value };
      },
    });
  }

  async #request(
    operation: "encrypt" | "decrypt",
    body: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Request> {
    const { server, mount, key, namespace } = this.#key;
    const headers = new Headers({
      "content-type": "application/json",
      "x-vault-request": "true",
      "x-vault-token": await this.#token(),
    });
    if (namespace !== null) headers.set("x-vault-namespace", namespace);
    return new Request(`${server}/v1/${mount}/${operation}/${key}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      // The token is for this server alone.
      redirect: "manual",
      signal,
    });
  }

  #garbled(): KekUnavailableError {
    const rule = "its answer is not that of a transit engine";
    const remedy = "Check that `addr` and `mount` are those of Vault's transit";
    return new KekUnavailableError(this.id, "garbled", rule, remedy);
  }
}

/** One spelling for each: base64 has several for bytes that end amid a digit. */
function isCiphertext(text: string): boolean {
  const body = CIPHERTEXT.exec(text)?.[1];
  if (body === undefined) return false;
  const bytes = fromBase64(body);
  return bytes !== null && toBase64(bytes) === body;
}
