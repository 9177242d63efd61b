import { KEK_ID_BYTES_MAX } from "../../base/data_key.ts";
import type { ProcessPort } from "../../io/process.ts";
import { KekSourceInvalidError } from "../kek_errors.ts";
import { formatRemoteUri, parseRemoteUri, parseServer } from "./kek_uri.ts";

/** A key of AWS KMS. */
export interface AwsKey {
  /** The URI in its one spelling, the region written out. */
  readonly id: string;
  /** ARN, `alias/NAME` or id, as KMS takes it. */
  readonly key: string;
  readonly region: string;
  /** Origin of the service. */
  readonly server: string;
}

const ARN = /^arn:aws[a-z-]{0,16}:kms:([a-z0-9-]{1,32}):[0-9]{12}:(.*)$/;
const ALIAS = /^alias\/[A-Za-z0-9/_-]{1,250}$/;
const KEY_ID = /^[A-Za-z0-9-]{1,128}$/;
const REGION = /^[a-z]{2}[a-z0-9-]{1,30}$/;
const OPTIONS = ["region", "endpoint"];

/**
 * Reads `KEY[?region=NAME][&endpoint=https://HOST[:PORT]]`, KEY an ARN,
 * `alias/NAME` or an id. The region is that of the URI, of the ARN, or of
 * AWS_REGION or AWS_DEFAULT_REGION.
 *
 * @throws {KekSourceInvalidError}
 */
export function parseAwsUri(
  rest: string,
  process: Pick<ProcessPort, "env">,
): AwsKey {
  const refuse = (rule: string) => new KekSourceInvalidError("aws-kms", rule);
  const { key, options } = parseRemoteUri("aws-kms", rest, OPTIONS);
  const arn = ARN.exec(key);
  const isKey = arn === null
    ? ALIAS.test(key) || KEY_ID.test(key)
    : isResource(arn[2] ?? "");
  if (!isKey) throw refuse("it names no key: an ARN, alias/NAME or an id");
  const region = options.get("region") ?? arn?.[1] ??
    (process.env("AWS_REGION") || process.env("AWS_DEFAULT_REGION"));
  if (region === undefined || region === "") {
    throw refuse('it has no "region", nor has AWS_REGION one');
  }
  if (!REGION.test(region)) throw refuse("its region is no name of one");
  if (arn !== null && arn[1] !== region) {
    throw refuse('"region" is not that of its ARN');
  }
  const endpoint = options.get("endpoint");
  const given = endpoint === undefined
    ? null
    : parseServer("aws-kms", "endpoint", endpoint);
  const id = formatRemoteUri("aws-kms", key, [
    ["region", region],
    ["endpoint", given],
  ]);
  if (id.length > KEK_ID_BYTES_MAX) {
    throw refuse(`it is longer than ${KEK_ID_BYTES_MAX} characters`);
  }
  return { id, key, region, server: given ?? serverOf(region) };
}

function isResource(text: string): boolean {
  return ALIAS.test(text) ||
    text.startsWith("key/") && KEY_ID.test(text.slice("key/".length));
}

/** Other partitions than these two need an `endpoint`. */
function serverOf(region: string): string {
  const suffix = region.startsWith("cn-") ? ".cn" : "";
  return `https://kms.${region}.amazonaws.com${suffix}`;
}
