import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { toBase64 } from "../../../../src/base/base64.ts";
import { utf8 } from "../../../../src/base/bytes.ts";
import { InvariantError } from "../../../../src/base/assert.ts";
import {
  InsecureKekFileError,
  KekSourceInvalidError,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../../src/keys/kek_errors.ts";
import { openVaultTransitKek } from "../../../../src/keys/providers/vault_transit.ts";
import { wrapAad } from "../../../../src/keys/providers/wrap_aad.ts";
import { rawKek, simKekPorts } from "../sim_kek_ports.ts";

const URI = "kek?addr=http://127.0.0.1:8200&mount=a/b&namespace=c/d";
const CIPHERTEXT = `vault:v12:${toBase64(new Uint8Array(60).fill(5))}`;
const PLACE = {
  kind: "dek",
  clusterId: new Uint8Array(16).fill(3),
  keyId: 9,
  purpose: "storage",
} as const;

/** A Vault that answers every request with `data`, and what it was asked. */
async function given(data: unknown) {
  const ports = simKekPorts({ VAULT_TOKEN: "hvs.token" });
  const asked: Request[] = [];
  const bodies: unknown[] = [];
  await ports.net.serve(
    { hostname: "127.0.0.1", port: 8200 },
    async (request) => {
      asked.push(request);
      bodies.push(await request.json());
      return Response.json({ data });
    },
  );
  return { ports, asked, bodies, kek: openVaultTransitKek(URI, ports) };
}

Deno.test("VaultTransitKek wraps as Vault's API says", async () => {
  const { kek, asked, bodies } = await given({ ciphertext: CIPHERTEXT });
  deepEqual(await kek.wrap(rawKek(), PLACE), utf8(CIPHERTEXT));
  const [request] = asked;
  equal(request?.url, "http://127.0.0.1:8200/v1/a/b/encrypt/kek");
  equal(request?.method, "POST");
  equal(request?.redirect, "manual");
  equal(request?.headers.get("x-vault-token"), "hvs.token");
  equal(request?.headers.get("x-vault-namespace"), "c/d");
  equal(request?.headers.get("x-vault-request"), "true");
  deepEqual(bodies, [{
    plaintext: toBase64(rawKek()),
    associated_data: toBase64(wrapAad(PLACE)),
  }]);
});

Deno.test("VaultTransitKek unwraps as Vault's API says", async () => {
  const plaintext = toBase64(rawKek());
  const { kek, asked, bodies } = await given({ plaintext });
  deepEqual(await kek.unwrap(utf8(CIPHERTEXT), PLACE), rawKek());
  equal(asked[0]?.url, "http://127.0.0.1:8200/v1/a/b/decrypt/kek");
  deepEqual(bodies, [{
    ciphertext: CIPHERTEXT,
    associated_data: toBase64(wrapAad(PLACE)),
  }]);
});

Deno.test("VaultTransitKek sends no namespace where there is none", async () => {
  const { ports, asked } = await given({ ciphertext: CIPHERTEXT });
  const uri = "kek?addr=http://127.0.0.1:8200";
  await openVaultTransitKek(uri, ports).wrap(rawKek(), PLACE);
  equal(asked[0]?.headers.has("x-vault-namespace"), false);
  equal(asked[0]?.url, "http://127.0.0.1:8200/v1/transit/encrypt/kek");
});

Deno.test("VaultTransitKek asks nothing about other spellings of a wrap", async () => {
  const plaintext = toBase64(rawKek());
  const { kek, asked } = await given({ plaintext });
  const spellings = [
    "",
    CIPHERTEXT.replace("v12", "v0"),
    CIPHERTEXT.replace("v12", "v012"),
    CIPHERTEXT.replace("v12", "v+12"),
    CIPHERTEXT.replace("vault", "Vault"),
    `${CIPHERTEXT}\n`,
    `\uFEFF${CIPHERTEXT}`,
    ` ${CIPHERTEXT}`,
    `${CIPHERTEXT}=`,
    CIPHERTEXT.slice(0, -1),
    `${CIPHERTEXT.slice(0, 20)}\n${CIPHERTEXT.slice(20)}`,
    // The last letter has bits that no byte needs.
    "vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
    "vault:v1:",
  ];
  for (const spelling of spellings) {
    await rejects(kek.unwrap(utf8(spelling), PLACE), WrapRejectedError);
  }
  await rejects(
    kek.unwrap(Uint8Array.of(0xff, ...utf8(CIPHERTEXT)), PLACE),
    WrapRejectedError,
  );
  equal(asked.length, 0);
});

Deno.test("VaultTransitKek takes from Vault only what it would send", async () => {
  const answers = [
    {},
    { ciphertext: CIPHERTEXT.replace("v12", "v0") },
    { ciphertext: `vault:v1:${"A".repeat(1_200)}` },
    { ciphertext: [CIPHERTEXT] },
  ];
  for (const answer of answers) {
    const { kek } = await given(answer);
    await rejects(
      kek.wrap(rawKek(), PLACE),
      (error) =>
        error instanceof KekUnavailableError && error.trouble === "garbled",
    );
  }
});

Deno.test("VaultTransitKek wraps nothing but 32 bytes", async () => {
  const { kek, asked } = await given({ ciphertext: CIPHERTEXT });
  await rejects(kek.wrap(new Uint8Array(31), PLACE), InvariantError);
  equal(asked.length, 0);
});

Deno.test("VaultTransitKek takes up a renewed token, and names a bad one", async () => {
  const { ports, asked } = await given({ ciphertext: CIPHERTEXT });
  ports.process.environment.delete("VAULT_TOKEN");
  ports.process.environment.set("VAULT_TOKEN_FILE", "/token");
  const kek = openVaultTransitKek(URI, ports);
  for (const token of ["first", "second"]) {
    ports.files.contents.set("/token", utf8(`${token}\n`));
    await kek.wrap(rawKek(), PLACE);
    equal(asked.at(-1)?.headers.get("x-vault-token"), token);
  }
  ports.files.modes.set("/token", 0o644);
  await rejects(kek.wrap(rawKek(), PLACE), InsecureKekFileError);
  equal(asked.length, 2);
});

Deno.test("openVaultTransitKek() checks URI and token before anything", () => {
  throws(
    () => openVaultTransitKek("kek", simKekPorts()),
    KekSourceInvalidError,
  );
  throws(() => openVaultTransitKek(URI, simKekPorts()), KekUnavailableError);
});
