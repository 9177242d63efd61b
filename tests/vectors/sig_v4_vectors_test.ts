/*
 * AWS's published examples of Signature Version 4: what tests check requests
 * with, and the library that signs them.
 *
 * Source: AWS General Reference, "Signature Version 4 signing process" (the
 * complete example) and "Signature Version 4 test suite".
 */
import { equal } from "node:assert/strict";
import { AwsV4Signer } from "aws4fetch";
import { sigV4 } from "../contract/sig_v4.ts";

const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const DATE = "20150830T123600Z";
const REGION = "us-east-1";

interface Example {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signature: string;
}

const EXAMPLES: readonly Example[] = [
  {
    name: "the complete example: ListUsers",
    method: "GET",
    url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
    service: "iam",
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    },
    signature:
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  },
  {
    name: "get-vanilla",
    method: "GET",
    url: "https://example.amazonaws.com/",
    service: "service",
    headers: {},
    signature:
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "post-vanilla",
    method: "POST",
    url: "https://example.amazonaws.com/",
    service: "service",
    headers: {},
    signature:
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  {
    name: "get-vanilla-query-order-key-case",
    method: "GET",
    url: "https://example.amazonaws.com/?Param2=value2&Param1=value1",
    service: "service",
    headers: {},
    signature:
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    name: "post-x-www-form-urlencoded",
    method: "POST",
    url: "https://example.amazonaws.com/",
    service: "service",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Param1=value1",
    signature:
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
];

for (const example of EXAMPLES) {
  Deno.test(`sigV4() signs ${example.name} as published`, () => {
    const { pathname, search, host } = new URL(example.url);
    const signature = sigV4({
      ...example,
      path: pathname,
      query: search.slice(1),
      headers: { ...example.headers, host, "x-amz-date": DATE },
      body: example.body ?? "",
      secretAccessKey: SECRET,
      date: DATE,
      region: REGION,
    });
    equal(signature, example.signature);
  });

  Deno.test(`AwsV4Signer signs ${example.name} as published`, async () => {
    const signer = new AwsV4Signer({
      ...example,
      accessKeyId: "AKIDEXAMPLE",
      secretAccessKey: SECRET,
      datetime: DATE,
      region: REGION,
      allHeaders: true,
    });
    equal(await signer.signature(), example.signature);
  });
}
