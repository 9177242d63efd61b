import { assert } from "../../base/assert.ts";
import { fromBase64, toBase64 } from "../../base/base64.ts";
import type { Bytes } from "../../base/bytes.ts";
import { DATA_KEY_BYTES, WRAPPED_BYTES_MAX } from "../../base/data_key.ts";
import { uuidText } from "../../base/uuid.ts";
import { KekUnavailableError, WrapRejectedError } from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek, WrapContext } from "../port.ts";
import {
  type AwsCall,
  type AwsCredentials,
  readAwsCredentials,
  signAwsRequest,
} from "./aws_request.ts";
import { type AwsKey, parseAwsUri } from "./aws_source.ts";
import { judgeAwsRefusal } from "./aws_verdict.ts";
import { callRemote, memberOf } from "./remote_call.ts";

const REMEDY = "Check the network from here to KMS, and AWS's state in this " +
  "region";

/**
 * `aws-kms:KEY`: a symmetric key that stays in AWS KMS. A wrap is KMS's
 * CiphertextBlob.
 *
 * Nothing is asked of KMS before the first use.
 *
 * @throws {KekSourceInvalidError | KekUnavailableError}
 */
export function openAwsKmsKek(rest: string, ports: KekPorts): Kek {
  const key = parseAwsUri(rest, ports.process);
  const credentials = readAwsCredentials(key.id, ports.process);
  return new AwsKmsKek(key, credentials, ports);
}

class AwsKmsKek implements Kek {
  readonly id: string;
  readonly #key: AwsKey;
  readonly #credentials: AwsCredentials;
  readonly #ports: KekPorts;

  constructor(key: AwsKey, credentials: AwsCredentials, ports: KekPorts) {
    this.id = key.id;
    this.#key = key;
    this.#credentials = credentials;
    this.#ports = ports;
  }

  async wrap(secret: Bytes, context: WrapContext): Promise<Bytes> {
    assert(secret.length === DATA_KEY_BYTES, "a secret has 32 bytes");
    const wrapped = await this.#call("Encrypt", {
      Plaintext: toBase64(secret),
      EncryptionContext: encryptionContext(context),
    }, "CiphertextBlob");
    if (wrapped.length > WRAPPED_BYTES_MAX) throw this.#garbled();
    return wrapped;
  }

  async unwrap(wrapped: Bytes, context: WrapContext): Promise<Bytes> {
    if (wrapped.length === 0 || wrapped.length > WRAPPED_BYTES_MAX) {
      throw new WrapRejectedError(this.id);
    }
    const secret = await this.#call("Decrypt", {
      CiphertextBlob: toBase64(wrapped),
      EncryptionContext: encryptionContext(context),
    }, "Plaintext");
    // KMS opened it, so it is one; but none that a node has made.
    if (secret.length !== DATA_KEY_BYTES) throw new WrapRejectedError(this.id);
    return secret;
  }

  /** Member `result` of the answer. */
  #call(
    operation: AwsCall["operation"],
    input: Readonly<Record<string, unknown>>,
    result: string,
  ): Promise<Bytes> {
    const { server, region, key } = this.#key;
    const body = { KeyId: key, ...input };
    return callRemote(this.#ports, {
      kek: this.id,
      remedy: REMEDY,
      request: (signal) => {
        const atMs = this.#ports.clock.wallMs();
        const call = { server, region, operation, body, atMs };
        return signAwsRequest(call, this.#credentials, signal);
      },
      judge: (answer) => {
        if (answer.status !== 200) {
          return judgeAwsRefusal(this.id, operation, answer);
        }
        const text = memberOf(answer.json, result);
        const value = typeof text === "string" ? fromBase64(text) : null;
        if (value === null || value.length === 0) throw this.#garbled();
        return { value };
      },
    });
  }

  #garbled(): KekUnavailableError {
    const rule = "its answer is not that of KMS";
    return new KekUnavailableError(this.id, "garbled", rule, REMEDY);
  }
}

/**
 * What a wrap is bound to, as KMS and its audit trail show it. No secret.
 *
 *     dek        sealkv "dek", cluster, key, purpose
 *     challenge  sealkv "challenge", cluster, term, target
 */
function encryptionContext(
  context: WrapContext,
): Readonly<Record<string, string>> {
  const cluster = uuidText(context.clusterId);
  return context.kind === "dek"
    ? {
      sealkv: "dek",
      cluster,
      key: context.keyId.toString(),
      purpose: context.purpose,
    }
    : {
      sealkv: "challenge",
      cluster,
      term: context.term.toString(),
      target: context.target.toString(16).padStart(16, "0"),
    };
}
