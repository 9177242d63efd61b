import { deepEqual, equal, throws } from "node:assert/strict";
import { KekSourceInvalidError } from "../../../../src/keys/kek_errors.ts";
import { parseAwsUri } from "../../../../src/keys/providers/aws_source.ts";
import { simKekPorts } from "../sim_kek_ports.ts";

const ID = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN = `arn:aws:kms:eu-west-1:111122223333:key/${ID}`;

const parse = (
  rest: string,
  variables: Readonly<Record<string, string>> = {},
) => parseAwsUri(rest, simKekPorts(variables).process);

Deno.test("parseAwsUri() takes the region of an ARN", () => {
  deepEqual(parse(ARN), {
    id: `aws-kms:${ARN}?region=eu-west-1`,
    key: ARN,
    region: "eu-west-1",
    server: "https://kms.eu-west-1.amazonaws.com",
  });
  // The variables are for keys that name none.
  equal(parse(ARN, { AWS_REGION: "us-east-1" }).region, "eu-west-1");
});

Deno.test("parseAwsUri() takes the region of URI, then of the environment", () => {
  const variables = { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "x1-y" };
  equal(parse("alias/a?region=eu-west-2", variables).region, "eu-west-2");
  equal(parse("alias/a", variables).region, "us-east-1");
  const fallback = { AWS_REGION: "", AWS_DEFAULT_REGION: "sa-east-1" };
  equal(parse("alias/a", fallback).region, "sa-east-1");
  throws(() => parse("alias/a"), KekSourceInvalidError);
});

Deno.test("parseAwsUri() gives one id to one key, wherever the region is from", () => {
  const ids = [
    parse("alias/a?region=eu-west-2").id,
    parse("alias/a", { AWS_REGION: "eu-west-2" }).id,
  ];
  deepEqual(ids, Array(2).fill("aws-kms:alias/a?region=eu-west-2"));
});

Deno.test("parseAwsUri() knows every way to name a key", () => {
  const keys = [
    ID,
    `mrk-${ID.replaceAll("-", "")}`,
    "alias/team/kek_1-a",
    `arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/${ID}`,
    "arn:aws:kms:eu-west-1:111122223333:alias/team/kek",
    `arn:aws:kms:eu-west-1:111122223333:key/mrk-${ID.replaceAll("-", "")}`,
  ];
  for (const key of keys) {
    const region = key.includes("gov") ? "us-gov-west-1" : "eu-west-1";
    equal(parse(`${key}?region=${region}`).key, key);
  }
});

Deno.test("parseAwsUri() finds the service of a region, or the one given", () => {
  equal(
    parse("alias/a?region=cn-north-1").server,
    "https://kms.cn-north-1.amazonaws.com.cn",
  );
  const uri = "alias/a?region=eu-west-1&endpoint=https://vpce.example:443/";
  equal(parse(uri).server, "https://vpce.example");
  equal(
    parse(uri).id,
    "aws-kms:alias/a?region=eu-west-1&endpoint=https://vpce.example",
  );
});

Deno.test("parseAwsUri() refuses what is no such key", () => {
  const uris = [
    "",
    "?region=eu-west-1",
    "alias/?region=eu-west-1",
    "alias/a b?region=eu-west-1",
    "key/x?region=eu-west-1",
    "a/b?region=eu-west-1",
    `arn:aws:kms:eu-west-1:111122223333:${ID}`,
    `arn:aws:kms:eu-west-1:1111:key/${ID}`,
    `arn:aws:s3:eu-west-1:111122223333:key/${ID}`,
    `${ARN}?region=eu-west-2`,
    "alias/a?region=evil.example/",
    "alias/a?region=evil.example",
    "alias/a?region=EU-WEST-1",
    "alias/a?region=e",
    "alias/a?region=eu-west-1&endpoint=http://kms.example",
    "alias/a?region=eu-west-1&endpoint=https://kms.example/path",
    "alias/a?region=eu-west-1&secretAccessKey=x",
    `alias/${"a".repeat(251)}?region=eu-west-1`,
    `alias/a?region=eu-west-1&endpoint=https://${"e".repeat(500)}`,
  ];
  for (const uri of uris) throws(() => parse(uri), KekSourceInvalidError, uri);
  const variables = { AWS_REGION: "evil.example/" };
  throws(() => parse("alias/a", variables), KekSourceInvalidError);
});
