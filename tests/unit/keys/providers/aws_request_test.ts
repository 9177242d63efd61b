import { deepEqual, equal, throws } from "node:assert/strict";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import {
  type AwsCall,
  readAwsCredentials,
  signAwsRequest,
} from "../../../../src/keys/providers/aws_request.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { sigV4 } from "../../../contract/sig_v4.ts";
import { simKekPorts } from "../sim_kek_ports.ts";

const CREDENTIALS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};
const CALL: AwsCall = {
  server: "https://kms.us-east-1.amazonaws.com",
  region: "us-east-1",
  operation: "Encrypt",
  body: { KeyId: "alias/ä", Plaintext: "AAAA" },
  atMs: Date.parse("2015-08-30T12:36:00.999Z"),
};
const signal = new AbortController().signal;

for (const sessionToken of [null, "session//token=="]) {
  Deno.test(`signAwsRequest() signs all its headers, session ${sessionToken}`, async () => {
    const request = await signAwsRequest(
      CALL,
      { ...CREDENTIALS, sessionToken },
      signal,
    );
    const { headers } = request;
    equal(request.url, "https://kms.us-east-1.amazonaws.com/");
    equal(request.method, "POST");
    equal(request.redirect, "manual");
    const signed: Record<string, string> = {
      "content-type": "application/x-amz-json-1.1",
      host: "kms.us-east-1.amazonaws.com",
      "x-amz-date": "20150830T123600Z",
      "x-amz-target": "TrentService.Encrypt",
      ...(sessionToken === null
        ? {}
        : { "x-amz-security-token": sessionToken }),
    };
    for (const [name, value] of Object.entries(signed)) {
      if (name !== "host") equal(headers.get(name), value, name);
    }
    const body = await request.text();
    deepEqual(JSON.parse(body), CALL.body);
    const signature = sigV4({
      method: "POST",
      path: "/",
      query: "",
      headers: signed,
      body,
      secretAccessKey: CREDENTIALS.secretAccessKey,
      date: "20150830T123600Z",
      region: "us-east-1",
      service: "kms",
    });
    equal(
      headers.get("authorization"),
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/" +
        `aws4_request, SignedHeaders=${
          Object.keys(signed).sort().join(";")
        }, ` +
        `Signature=${signature}`,
    );
  });
}

Deno.test("readAwsCredentials() reads the usual variables", () => {
  const variables = {
    AWS_ACCESS_KEY_ID: "AKID",
    AWS_SECRET_ACCESS_KEY: "secret",
  };
  const read = (more: Record<string, string>) =>
    readAwsCredentials("kek", simKekPorts({ ...variables, ...more }).process);
  const lasting = {
    accessKeyId: "AKID",
    secretAccessKey: "secret",
    sessionToken: null,
  };
  deepEqual(read({}), lasting);
  deepEqual(read({ AWS_SESSION_TOKEN: "" }), lasting);
  equal(read({ AWS_SESSION_TOKEN: "token" }).sessionToken, "token");
});

Deno.test("readAwsCredentials() says what is missing, and shows no other", () => {
  const incomplete: readonly Record<string, string>[] = [
    {},
    { AWS_ACCESS_KEY_ID: "AKID" },
    { AWS_SECRET_ACCESS_KEY: "swordfish" },
    { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "swordfish" },
    { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "swordfish\n" },
    { AWS_ACCESS_KEY_ID: "AK ID", AWS_SECRET_ACCESS_KEY: "swordfish" },
    {
      AWS_ACCESS_KEY_ID: "AKID",
      AWS_SECRET_ACCESS_KEY: "swordfish",
      AWS_SESSION_TOKEN: "ï",
    },
  ];
  for (const variables of incomplete) {
    throws(
      () => readAwsCredentials("kek", simKekPorts(variables).process),
      (error) => {
        assertShowsNone(error, ["swordfish"]);
        return error instanceof KekUnavailableError &&
          error.trouble === "missing";
      },
    );
  }
});
