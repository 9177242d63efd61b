import { equal, match, throws } from "node:assert/strict";
import {
  type KekTrouble,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../../src/keys/kek_errors.ts";
import { judgeAwsRefusal } from "../../../../src/keys/providers/aws_verdict.ts";

for (const name of ["InvalidCiphertextException", "IncorrectKeyException"]) {
  Deno.test(`judgeAwsRefusal() of ${name} rejects the wrap`, () => {
    for (const prefix of ["", "com.amazonaws.kms#"]) {
      const answer = { status: 400, json: { __type: `${prefix}${name}` } };
      throws(
        () => judgeAwsRefusal("kek", "Decrypt", answer),
        WrapRejectedError,
      );
      throws(
        () => judgeAwsRefusal("kek", "Encrypt", answer),
        KekUnavailableError,
      );
    }
  });
}

const BUSY = [
  [400, "ThrottlingException"],
  [400, "DependencyTimeoutException"],
  [500, "KMSInternalException"],
  [503, "DependencyTimeoutException"],
  [500, "KeyUnavailableException"],
  [500, "InternalFailure"],
  [429, "TooManyRequestsException"],
  [429, undefined],
  [502, undefined],
] as const;

for (const [status, name] of BUSY) {
  Deno.test(`judgeAwsRefusal() of ${status} ${name} asks again`, () => {
    const answer = { status, json: { __type: name } };
    const busy = judgeAwsRefusal("kek", "Decrypt", answer);
    equal(busy.trouble, "busy");
    match(busy.rule, new RegExp(`\\(${name ?? "no known error"}, HTTP`));
  });
}

const FINAL: readonly (readonly [number, string | undefined, KekTrouble])[] = [
  [400, "NotFoundException", "missing"],
  [400, "AccessDeniedException", "denied"],
  [400, "UnrecognizedClientException", "denied"],
  [403, "InvalidSignatureException", "denied"],
  [400, "ExpiredTokenException", "denied"],
  [403, "MissingAuthenticationToken", "denied"],
  [403, "InvalidClientTokenId", "denied"],
  [403, undefined, "denied"],
  [401, undefined, "denied"],
  [400, "DisabledException", "refused"],
  [400, "KMSInvalidStateException", "refused"],
  [400, "InvalidKeyUsageException", "refused"],
  [400, "ValidationException", "refused"],
  [400, "LimitExceededException", "refused"],
  [400, "SomethingNewException", "refused"],
  [307, undefined, "refused"],
  [404, undefined, "refused"],
];

for (const [status, name, trouble] of FINAL) {
  Deno.test(`judgeAwsRefusal() of ${status} ${name} is final`, () => {
    for (const operation of ["Encrypt", "Decrypt"] as const) {
      throws(
        () =>
          judgeAwsRefusal("kek", operation, { status, json: { __type: name } }),
        (error) => {
          equal(error instanceof KekUnavailableError, true);
          equal((error as KekUnavailableError).trouble, trouble);
          const shown = `${name ?? "no known error"}, HTTP ${status}`;
          equal((error as Error).message.includes(shown), true);
          return true;
        },
      );
    }
  });
}

Deno.test("judgeAwsRefusal() shows no text that is no name of an error", () => {
  const types = [
    "swordfish",
    "swordfish Exception",
    "x#swordfish=",
    "Swordfish1Exception",
    "Swordfish",
    `${"Swordfish".repeat(7)}Exception`,
    ["SwordfishException"],
    7,
    null,
  ];
  for (const __type of types) {
    throws(
      () =>
        judgeAwsRefusal("kek", "Decrypt", { status: 400, json: { __type } }),
      (error) => !/swordfish/i.test(`${error}`),
    );
  }
});
