import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { InvariantError } from "../../../../src/base/assert.ts";
import { toBase64 } from "../../../../src/base/base64.ts";
import {
  KekSourceInvalidError,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../../src/keys/kek_errors.ts";
import { openAwsKmsKek } from "../../../../src/keys/providers/aws_kms.ts";
import { rawKek, simKekPorts } from "../sim_kek_ports.ts";

const URI = "alias/kek?region=eu-west-1&endpoint=http://127.0.0.1:4566";
const VARIABLES = {
  AWS_ACCESS_KEY_ID: "AKID",
  AWS_SECRET_ACCESS_KEY: "secret",
};
const CLUSTER = Uint8Array.from({ length: 16 }, (_, i) => 0x11 * i);
const DEK = {
  kind: "dek",
  clusterId: CLUSTER,
  keyId: 4_294_967_295,
  purpose: "raft",
} as const;
const CHALLENGE = {
  kind: "challenge",
  clusterId: CLUSTER,
  term: 2 ** 40,
  target: 0x0bn,
} as const;

/** A KMS that answers so, and what it was asked. */
async function given(answer: unknown) {
  const ports = simKekPorts(VARIABLES);
  const asked: (readonly [string | null, unknown])[] = [];
  await ports.net.serve(
    { hostname: "127.0.0.1", port: 4566 },
    async (request) => {
      const target = request.headers.get("x-amz-target");
      asked.push([target, await request.json()]);
      return Response.json(answer);
    },
  );
  return { asked, kek: openAwsKmsKek(URI, ports) };
}

Deno.test("AwsKmsKek wraps under the context of a data key", async () => {
  const blob = Uint8Array.of(1, 2, 3);
  const { kek, asked } = await given({ CiphertextBlob: toBase64(blob) });
  deepEqual(await kek.wrap(rawKek(), DEK), blob);
  deepEqual(asked, [["TrentService.Encrypt", {
    KeyId: "alias/kek",
    Plaintext: toBase64(rawKek()),
    EncryptionContext: {
      sealkv: "dek",
      cluster: "00112233-4455-6677-8899-aabbccddeeff",
      key: "4294967295",
      purpose: "raft",
    },
  }]]);
});

Deno.test("AwsKmsKek unwraps under the context of a challenge", async () => {
  const { kek, asked } = await given({ Plaintext: toBase64(rawKek()) });
  deepEqual(await kek.unwrap(Uint8Array.of(7), CHALLENGE), rawKek());
  deepEqual(asked, [["TrentService.Decrypt", {
    KeyId: "alias/kek",
    CiphertextBlob: "Bw==",
    EncryptionContext: {
      sealkv: "challenge",
      cluster: "00112233-4455-6677-8899-aabbccddeeff",
      term: "1099511627776",
      target: "000000000000000b",
    },
  }]]);
});

Deno.test("AwsKmsKek asks nothing about what can be no wrap", async () => {
  const { kek, asked } = await given({ Plaintext: toBase64(rawKek()) });
  for (const length of [0, 1_025]) {
    await rejects(kek.unwrap(new Uint8Array(length), DEK), WrapRejectedError);
  }
  equal(asked.length, 0);
  await kek.unwrap(new Uint8Array(1_024), DEK);
});

Deno.test("AwsKmsKek takes no wrap that could not be kept", async () => {
  const kept = await given({ CiphertextBlob: toBase64(new Uint8Array(1_024)) });
  equal((await kept.kek.wrap(rawKek(), DEK)).length, 1_024);
  const long = await given({ CiphertextBlob: toBase64(new Uint8Array(1_025)) });
  await rejects(
    long.kek.wrap(rawKek(), DEK),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "garbled",
  );
});

Deno.test("AwsKmsKek wraps nothing but 32 bytes", async () => {
  const { kek, asked } = await given({ CiphertextBlob: "AAAA" });
  await rejects(kek.wrap(new Uint8Array(33), DEK), InvariantError);
  equal(asked.length, 0);
});

Deno.test("openAwsKmsKek() checks URI and credentials before anything", () => {
  const ports = simKekPorts(VARIABLES);
  throws(() => openAwsKmsKek("alias/kek", ports), KekSourceInvalidError);
  throws(() => openAwsKmsKek(URI, simKekPorts()), KekUnavailableError);
});
