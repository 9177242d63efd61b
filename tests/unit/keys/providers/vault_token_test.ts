import { equal, rejects, throws } from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { FileError } from "../../../../src/io/errors.ts";
import {
  InsecureKekFileError,
  KekUnavailableError,
} from "../../../../src/keys/kek_errors.ts";
import { openVaultToken } from "../../../../src/keys/providers/vault_token.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { simKekPorts } from "../sim_kek_ports.ts";

const PATH = "/run/vault/token";

function withFile(text: string, mode = 0o600) {
  const ports = simKekPorts({ VAULT_TOKEN_FILE: PATH });
  ports.files.contents.set(PATH, utf8(text));
  ports.files.modes.set(PATH, mode);
  return ports;
}

Deno.test("openVaultToken() prefers VAULT_TOKEN, as Vault's own client", async () => {
  const ports = withFile("from-file");
  equal(await openVaultToken("kek", ports)(), "from-file");
  ports.process.environment.set("VAULT_TOKEN", "from-variable");
  equal(await openVaultToken("kek", ports)(), "from-variable");
  ports.process.environment.set("VAULT_TOKEN", "");
  equal(await openVaultToken("kek", ports)(), "from-file");
});

Deno.test("openVaultToken() reads the file on every call", async () => {
  const ports = withFile("first\n");
  const token = openVaultToken("kek", ports);
  equal(await token(), "first");
  ports.files.contents.set(PATH, utf8("second\r\n"));
  equal(await token(), "second");
});

Deno.test("openVaultToken() says when there is no token", () => {
  throws(
    () => openVaultToken("kek", simKekPorts()),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "missing",
  );
});

Deno.test("openVaultToken() refuses a file that everybody may use", async () => {
  for (const mode of [0o604, 0o602, 0o601, 0o644]) {
    await rejects(
      openVaultToken("kek", withFile("swordfish", mode))(),
      (error) => {
        assertShowsNone(error, ["swordfish"]);
        return error instanceof InsecureKekFileError && error.path === PATH;
      },
    );
  }
  equal(await openVaultToken("kek", withFile("group", 0o640))(), "group");
});

Deno.test("openVaultToken() refuses what is no token, and shows it not", async () => {
  const texts = [
    "swordfish\nswordfish",
    "swordfish swordfish",
    "swordfish\x07",
    "swordfïsh",
    `${"swordfish".repeat(456)}`,
  ];
  for (const text of texts) {
    const fromFile = openVaultToken("kek", withFile(text));
    const variables = { VAULT_TOKEN: text };
    const fromVariable = openVaultToken("kek", simKekPorts(variables));
    for (const token of [fromFile, fromVariable]) {
      await rejects(token(), (error) => {
        assertShowsNone(error, [text, "swordf"]);
        return error instanceof KekUnavailableError;
      });
    }
  }
  await rejects(openVaultToken("kek", withFile("\n"))(), KekUnavailableError);
});

Deno.test("openVaultToken() says what is wrong with the file", async () => {
  const none = simKekPorts({ VAULT_TOKEN_FILE: "/none" });
  await rejects(openVaultToken("kek", none)(), /does not exist/);
  const pipe = withFile("x");
  pipe.files.irregular.add(PATH);
  await rejects(openVaultToken("kek", pipe)(), InsecureKekFileError);
  const ports = withFile("x");
  const cause = new FileError("read", PATH, "the system refuses it");
  const files = { ...ports.files, readPrivate: () => Promise.reject(cause) };
  await rejects(
    openVaultToken("kek", { ...ports, files })(),
    (error) => error instanceof KekUnavailableError && error.cause === cause,
  );
});
