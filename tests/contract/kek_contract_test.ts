import { denoRandom } from "../../src/io/deno/random.ts";
import { toHex } from "../../src/base/bytes.ts";
import { generateKekFile } from "../../src/keys/generate_kek.ts";
import { openKek } from "../../src/keys/providers/open_kek.ts";
import { startAwsKms } from "./aws_kms_server.ts";
import { type KekSubject, runKekContract } from "./kek_contract.ts";
import { kekPorts } from "./kek_ports.ts";
import { startVault } from "./vault_transit_server.ts";

const isUnix = Deno.build.os !== "windows";

/** Two KEK files in a directory of their own. */
async function withFiles(
  uriOf: (path: string) => string,
): Promise<KekSubject> {
  const root = await Deno.makeTempDir({ prefix: "sealkv kek's" });
  const ports = kekPorts();
  const open = async (name: string) => {
    const uri = uriOf(`${root}/${name}`);
    return await openKek(uri, ports);
  };
  for (const name of ["one", "two"]) {
    await generateKekFile(`${root}/${name}`, ports);
  }
  return {
    open: () => open("one"),
    openOther: () => open("two"),
    secrets: [
      await Deno.readFile(`${root}/one`),
      await Deno.readFile(`${root}/two`),
    ],
    close: async () => {
      ports.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

runKekContract("file KEK", () => withFiles((path) => `file:${path}`));

if (isUnix) {
  runKekContract(
    "exec KEK",
    () => withFiles((path) => `exec:cat '${path.replaceAll("'", `'"'"'`)}'`),
  );
}

for (const form of ["hex", "base64"]) {
  runKekContract(`env KEK in ${form}`, async () => {
    const [one, two] = [denoRandom().bytes(32), denoRandom().bytes(32)];
    const ports = kekPorts();
    const open = async (raw: Uint8Array) => {
      const text = form === "hex"
        ? toHex(raw)
        : btoa(String.fromCharCode(...raw));
      ports.variables.set("SEALKV_TEST_KEK", text);
      return await openKek("env:SEALKV_TEST_KEK", ports);
    };
    return {
      open: () => open(one),
      openOther: () => open(two),
      secrets: [one, two],
      close: async () => ports.close(),
    };
  });
}

runKekContract("vault-transit KEK", async () => {
  const token = "hvs.CAESIJ-a-token-of-tests";
  const vault = await startVault({
    token,
    mount: "team/transit",
    namespace: "admin/team",
    keys: ["one", "two"],
  });
  const ports = kekPorts({ variables: { VAULT_TOKEN: token } });
  const open = (name: string) =>
    openKek(
      `vault-transit:${name}?addr=${vault.url}&mount=team/transit&namespace=admin/team`,
      ports,
    );
  return {
    open: () => open("one"),
    openOther: () => open("two"),
    secrets: [token],
    close: async () => {
      ports.close();
      await vault.close();
    },
  };
});

for (const sessionToken of [null, "FwoGZXIvYXdzEJr//////////session=="]) {
  const kind = sessionToken === null ? "lasting" : "temporary";
  runKekContract(`aws-kms KEK with ${kind} credentials`, async () => {
    const accessKeyId = "AKIAIOSFODNN7EXAMPLE";
    const secretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const region = "eu-central-1";
    const kms = await startAwsKms({
      region,
      accessKeyId,
      secretAccessKey,
      sessionToken,
      aliases: ["one", "two"],
    });
    const ports = kekPorts({
      variables: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        ...(sessionToken === null ? {} : { AWS_SESSION_TOKEN: sessionToken }),
      },
    });
    const open = (alias: string) =>
      openKek(`aws-kms:${kms.arnOf(alias)}?endpoint=${kms.url}`, ports);
    return {
      open: () => open("one"),
      openOther: () => open("two"),
      secrets: sessionToken === null
        ? [secretAccessKey]
        : [secretAccessKey, sessionToken],
      close: async () => {
        ports.close();
        await kms.close();
      },
    };
  });
}
