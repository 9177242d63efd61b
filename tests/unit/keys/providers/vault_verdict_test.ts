import { deepEqual, equal, match, throws } from "node:assert/strict";
import {
  type KekTrouble,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../../src/keys/kek_errors.ts";
import { judgeVaultRefusal } from "../../../../src/keys/providers/vault_verdict.ts";

/** What Vault says, and the errors of its own code that say it. */
const REJECTIONS = [
  [400, "cipher: message authentication failed"],
  [500, "1 error occurred:\n\t* cipher: message authentication failed\n\n"],
  [400, "chacha20poly1305: message authentication failed"],
  [400, "invalid ciphertext: no prefix"],
  [400, "invalid ciphertext: wrong number of fields"],
  [400, "invalid ciphertext: version number could not be decoded"],
  [400, "invalid ciphertext: version is too new"],
  [400, "invalid ciphertext: could not decode base64"],
  [400, "invalid ciphertext length"],
  [400, "invalid ciphertext: unable to decrypt"],
] as const;

for (const [status, text] of REJECTIONS) {
  Deno.test(`judgeVaultRefusal() of ${status} ${JSON.stringify(text)}`, () => {
    const answer = { status, json: { errors: [text] } };
    throws(
      () => judgeVaultRefusal("kek", "decrypt", answer),
      WrapRejectedError,
    );
    // A wrap can only be rejected where there is one.
    try {
      equal(judgeVaultRefusal("kek", "encrypt", answer).trouble, "busy");
    } catch (error) {
      equal(error instanceof KekUnavailableError, true);
    }
  });
}

for (const status of [412, 429, 500, 502, 503, 504]) {
  Deno.test(`judgeVaultRefusal() of ${status} asks again`, () => {
    for (const json of [undefined, { errors: ["Vault is sealed"] }]) {
      const busy = judgeVaultRefusal("kek", "decrypt", { status, json });
      equal(busy.trouble, "busy");
      match(busy.rule, new RegExp(`HTTP ${status}`));
    }
  });
}

const FINAL: readonly (readonly [number, string, KekTrouble])[] = [
  [400, "encryption key not found", "missing"],
  [400, "policy not found", "missing"],
  [
    400,
    "ciphertext or signature version is disallowed by policy (too old)",
    "refused",
  ],
  [400, "associated_data provided for non-AEAD cipher", "refused"],
  [400, "missing 'context' for key derivation", "refused"],
  [401, "", "denied"],
  [403, "permission denied", "denied"],
  [404, "", "missing"],
  [405, "unsupported operation", "refused"],
  [301, "", "refused"],
  [307, "", "refused"],
  [200.5, "", "refused"],
];

for (const [status, text, trouble] of FINAL) {
  Deno.test(`judgeVaultRefusal() of ${status} "${text}" is final`, () => {
    const json = text === "" ? undefined : { errors: [text] };
    for (const operation of ["encrypt", "decrypt"] as const) {
      throws(
        () => judgeVaultRefusal("kek", operation, { status, json }),
        (error) => {
          equal(error instanceof KekUnavailableError, true);
          const { kek, trouble: found } = error as KekUnavailableError;
          deepEqual([kek, found], ["kek", trouble]);
          return true;
        },
      );
    }
  });
}

Deno.test("judgeVaultRefusal() reads errors of any shape", () => {
  const shapes = [
    null,
    1,
    "invalid ciphertext",
    ["invalid ciphertext"],
    { errors: "invalid ciphertext" },
    { errors: [["invalid ciphertext"], null, 7, {}] },
    { errors: { 0: "invalid ciphertext" } },
  ];
  for (const json of shapes) {
    throws(
      () => judgeVaultRefusal("kek", "decrypt", { status: 400, json }),
      KekUnavailableError,
    );
  }
});
