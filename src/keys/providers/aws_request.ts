import { AwsV4Signer } from "aws4fetch";
import type { ProcessPort } from "../../io/process.ts";
import { KekUnavailableError } from "../kek_errors.ts";

const SERVICE = "kms";
const VISIBLE = /^[\x21-\x7e]{1,4096}$/;

/** What signs requests to AWS. Give it to nothing that prints. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken: string | null;
}

/**
 * Credentials of the environment.
 *
 * @throws {KekUnavailableError} None, or no text that credentials can be.
 */
export function readAwsCredentials(
  kek: string,
  process: Pick<ProcessPort, "env">,
): AwsCredentials {
  const read = (name: string) => {
    const text = process.env(name);
    if (text === undefined || text === "") return null;
    if (VISIBLE.test(text)) return text;
    throw missing(kek, `${name} holds no credentials`);
  };
  const accessKeyId = read("AWS_ACCESS_KEY_ID");
  const secretAccessKey = read("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === null || secretAccessKey === null) {
    throw missing(kek, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are unset");
  }
  const sessionToken = read("AWS_SESSION_TOKEN");
  return { accessKeyId, secretAccessKey, sessionToken };
}

function missing(kek: string, rule: string): KekUnavailableError {
  const remedy =
    "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, " +
    "AWS_SESSION_TOKEN";
  return new KekUnavailableError(kek, "missing", rule, remedy);
}

export interface AwsCall {
  /** Origin of the service. */
  readonly server: string;
  readonly region: string;
  /** Of TrentService, as KMS is called on the wire. */
  readonly operation: "Encrypt" | "Decrypt";
  readonly body: Readonly<Record<string, unknown>>;
  /** Unix ms; AWS refuses what is 5 minutes off. */
  readonly atMs: number;
}

/**
 * The request of a call, signed with all its headers.
 *
 * Sources: KMS API reference (AWS JSON 1.1); AWS Signature Version 4.
 */
export async function signAwsRequest(
  call: AwsCall,
  credentials: AwsCredentials,
  signal: AbortSignal,
): Promise<Request> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const body = JSON.stringify(call.body);
  const signer = new AwsV4Signer({
    method: "POST",
    url: `${call.server}/`,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `TrentService.${call.operation}`,
    },
    body,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === null ? {} : { sessionToken }),
    service: SERVICE,
    region: call.region,
    datetime: amzDate(call.atMs),
    allHeaders: true,
  });
  const { method, url, headers } = await signer.sign();
  return new Request(url, {
    method,
    headers,
    body,
    redirect: "manual",
    signal,
  });
}

/** `20150830T123600Z` */
function amzDate(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
}
