import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { jsonAnswer, type KekServer, startKekServer } from "./kek_server.ts";
import { sigV4 } from "./sig_v4.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CLOCK_SKEW_MS_MAX = 5 * 60_000;
const ACCOUNT = "111122223333";
const SIGNED = ["content-type", "host", "x-amz-date", "x-amz-target"];

export interface AwsOptions {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Aliases of symmetric keys, without `alias/`. */
  readonly aliases: readonly string[];
}

export interface AwsServer extends KekServer {
  /** By alias. */
  arnOf(alias: string): string;
  /** The encryption contexts of requests, in order. */
  readonly contexts: unknown[];
}

interface Key {
  readonly arn: string;
  readonly alias: string;
  readonly material: Uint8Array;
}

/**
 * Encrypt and Decrypt of KMS over AWS JSON 1.1, its signatures checked.
 *
 * Sources: KMS API reference; AWS General Reference, Signature Version 4.
 */
export async function startAwsKms(options: AwsOptions): Promise<AwsServer> {
  const keys = options.aliases.map((alias): Key => ({
    arn: `arn:aws:kms:${options.region}:${ACCOUNT}:key/${crypto.randomUUID()}`,
    alias: `alias/${alias}`,
    material: randomBytes(32),
  }));
  const contexts: unknown[] = [];
  const server = await startKekServer(async (request) => {
    const body = await request.bytes();
    const refusal = refusalOf(request, body, options);
    if (refusal !== null) return refusal;
    const input = JSON.parse(new TextDecoder().decode(body));
    const { KeyId, EncryptionContext } = input;
    contexts.push(EncryptionContext);
    const key = keys.find(({ arn, alias }) =>
      [arn, alias, arn.split("/")[1]].includes(KeyId)
    );
    if (key === undefined) return awsError("NotFoundException");
    switch (request.headers.get("x-amz-target")) {
      case "TrentService.Encrypt":
        return encrypt(key, input.Plaintext, contextBytes(EncryptionContext));
      case "TrentService.Decrypt": {
        const blob = Buffer.from(input.CiphertextBlob, "base64");
        return decrypt(keys, key, blob, contextBytes(EncryptionContext));
      }
      default:
        return awsError("UnknownOperationException");
    }
  });
  const arnOf = (alias: string) =>
    keys.find((key) => key.alias === `alias/${alias}`)!.arn;
  return { ...server, arnOf, contexts };
}

function encrypt(key: Key, plaintext: string, context: Uint8Array): Response {
  const nonce = randomBytes(NONCE_BYTES);
  const arn = Buffer.from(key.arn);
  const cipher = createCipheriv("aes-256-gcm", key.material, nonce)
    .setAAD(Buffer.concat([arn, context]));
  const blob = Buffer.concat([
    Buffer.of(arn.length),
    arn,
    nonce,
    cipher.update(Buffer.from(plaintext, "base64")),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return awsAnswer(200, {
    CiphertextBlob: blob.toString("base64"),
    EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    KeyId: key.arn,
  });
}

/** A blob names its key, as KMS's own do. */
function decrypt(
  keys: readonly Key[],
  asked: Key,
  blob: Uint8Array,
  context: Uint8Array,
): Response {
  const length = blob[0] ?? 0;
  const arn = Buffer.from(blob.subarray(1, 1 + length));
  const key = keys.find((key) => key.arn === arn.toString());
  const rest = blob.subarray(1 + length);
  if (key === undefined || rest.length < NONCE_BYTES + TAG_BYTES) {
    return awsError("InvalidCiphertextException");
  }
  if (key !== asked) return awsError("IncorrectKeyException");
  const nonce = rest.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key.material, nonce)
    .setAAD(Buffer.concat([arn, context]))
    .setAuthTag(rest.subarray(-TAG_BYTES));
  try {
    const opened = Buffer.concat([
      decipher.update(rest.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
    return awsAnswer(200, {
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      KeyId: key.arn,
      Plaintext: opened.toString("base64"),
    });
  } catch {
    return awsError("InvalidCiphertextException");
  }
}

/** `null` for a request that AWS would let through. */
function refusalOf(
  request: Request,
  body: Uint8Array,
  options: AwsOptions,
): Response | null {
  const { headers, method, url } = request;
  const { pathname, search, host } = new URL(url);
  if (headers.get("content-type") !== "application/x-amz-json-1.1") {
    return awsError("UnknownOperationException", 404);
  }
  const authorization =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
      .exec(headers.get("authorization") ?? "");
  if (authorization === null) return awsError("IncompleteSignatureException");
  const [, keyId, day, region, names = "", signature] = authorization;
  if (keyId !== options.accessKeyId) {
    return awsError("UnrecognizedClientException");
  }
  if (headers.get("x-amz-security-token") !== options.sessionToken) {
    return awsError("UnrecognizedClientException");
  }
  const date = headers.get("x-amz-date") ?? "";
  const skewMs = Math.abs(Date.now() - instantOf(date));
  const signed = names.split(";");
  const wanted = options.sessionToken === null
    ? SIGNED
    : [...SIGNED, "x-amz-security-token"];
  const expected = sigV4({
    method,
    path: pathname,
    query: search.slice(1),
    headers: Object.fromEntries(
      signed.map((
        name,
      ) => [name, headers.get(name) ?? (name === "host" ? host : "")]),
    ),
    body,
    secretAccessKey: options.secretAccessKey,
    date,
    region: options.region,
    service: "kms",
  });
  const isRight = signature === expected && region === options.region &&
    date.startsWith(day ?? "") && skewMs < CLOCK_SKEW_MS_MAX &&
    wanted.every((name) => signed.includes(name));
  return isRight ? null : awsError("InvalidSignatureException");
}

/** NaN for what is no date, which then is never near. */
function instantOf(date: string): number {
  return Date.parse(
    date.replace(
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
      "$1-$2-$3T$4:$5:$6Z",
    ),
  );
}

/** The context in one order: KMS does not care for it. */
function contextBytes(context: Record<string, string> = {}): Uint8Array {
  return Buffer.from(JSON.stringify(Object.entries(context).sort()));
}

export function awsError(type: string, status = 400): Response {
  return awsAnswer(status, {
    __type: type,
    message: "The request was rejected",
  });
}

function awsAnswer(status: number, body: unknown): Response {
  const answer = jsonAnswer(status, body);
  answer.headers.set("content-type", "application/x-amz-json-1.1");
  return answer;
}
