import { equal, rejects } from "node:assert/strict";
import { toBase64 } from "../../../../src/base/base64.ts";
import { toHex } from "../../../../src/base/bytes.ts";
import { KekSourceInvalidError } from "../../../../src/keys/kek_errors.ts";
import { openKek } from "../../../../src/keys/providers/open_kek.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { rawKek, simKekPorts } from "../sim_kek_ports.ts";

const TEXT = new TextDecoder().decode(rawKek());

Deno.test("openKek() opens each kind by its first word", async () => {
  const ports = simKekPorts({
    SEALKV_KEK: toHex(rawKek()),
    VAULT_TOKEN: "hvs.token",
    AWS_ACCESS_KEY_ID: "AKID",
    AWS_SECRET_ACCESS_KEY: "secret",
  });
  ports.files.contents.set("/kek", rawKek());
  ports.process.programs.set("pass", () => ({ stdout: TEXT }));
  const ids = new Map<string, string>();
  const uris = [
    "file:/kek",
    "env:SEALKV_KEK",
    "exec:pass show kek",
    "vault-transit:kek?addr=https://vault.example",
    "aws-kms:alias/kek?region=eu-west-1",
  ];
  for (const uri of uris) ids.set(uri, (await openKek(uri, ports)).id);
  // The same bytes are the same KEK, however they came.
  const local = ids.get("file:/kek");
  equal(ids.get("env:SEALKV_KEK"), local);
  equal(ids.get("exec:pass show kek"), local);
  equal(ids.get(uris[3]!), `${uris[3]}&mount=transit`);
  equal(ids.get(uris[4]!), uris[4]);
});

Deno.test("openKek() keeps colons of what follows", async () => {
  const ports = simKekPorts();
  ports.files.contents.set("C:/a:b", rawKek());
  await openKek("file:C:/a:b", ports);
});

Deno.test("openKek() shows nothing of a URI that it does not know", async () => {
  const secrets = [
    toHex(rawKek()),
    toBase64(rawKek()),
    `raw:${toHex(rawKek())}`,
    `FILE:${toHex(rawKek())}`,
    `kek-file:${toHex(rawKek())}`,
    `https://user:${toHex(rawKek())}@vault.example`,
    `vault-transit:kek?addr=https://vault.example&token=${toHex(rawKek())}`,
    `vault-transit:kek?addr=https://${toHex(rawKek())}@vault.example`,
    `aws-kms:alias/a?region=${toHex(rawKek())}`,
    `env:${toHex(rawKek())}`,
    `env:${toBase64(rawKek())}`,
  ];
  for (const uri of secrets) {
    await rejects(openKek(uri, simKekPorts()), (error) => {
      assertShowsNone(error, [rawKek()]);
      return error instanceof KekSourceInvalidError;
    }, uri);
  }
});

Deno.test("openKek() takes no URI without scheme, and none without end", async () => {
  const uris = ["", ":", "file", "kek", `file:/${"a".repeat(8_192)}`];
  for (const uri of uris) {
    await rejects(openKek(uri, simKekPorts()), KekSourceInvalidError);
  }
});
