import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { AccessTokenSigner } from "../../../src/app/token_signer.ts";

const CLUSTER = new Uint8Array(16).fill(1);
const OTHER_CLUSTER = new Uint8Array(16).fill(2);

Deno.test("isAccessToken() accepts the token and nothing near it", async () => {
  const signer = new AccessTokenSigner("correct-horse");
  assert.equal(await signer.isAccessToken("correct-horse"), true);
  for (const wrong of ["", "correct-hors", "correct-horse ", "Correct-horse"]) {
    assert.equal(await signer.isAccessToken(wrong), false, wrong);
  }
});

Deno.test("verify() accepts what any signer of the token signed", async () => {
  const message = utf8("message");
  const mac = await new AccessTokenSigner("token-one").sign(CLUSTER, message);
  const same = new AccessTokenSigner("token-one");
  assert.equal(await same.verify(CLUSTER, message, mac), true);
  assert.equal(await same.verify(OTHER_CLUSTER, message, mac), false);
  const other = new AccessTokenSigner("token-two");
  assert.equal(await other.verify(CLUSTER, message, mac), false);
});

Deno.test("AccessTokenSigner does not show its token", () => {
  const shown = Deno.inspect(new AccessTokenSigner("very-secret"), {
    showHidden: true,
  });
  assert.doesNotMatch(shown, /secret|118/);
});
