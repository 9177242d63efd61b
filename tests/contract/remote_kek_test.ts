import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { denoRandom } from "../../src/io/deno/random.ts";
import {
  type KekTrouble,
  KekUnavailableError,
} from "../../src/keys/kek_errors.ts";
import { probeKek } from "../../src/keys/kek_probe.ts";
import { openKek } from "../../src/keys/providers/open_kek.ts";
import { awsError, startAwsKms } from "./aws_kms_server.ts";
import { type KekPortOptions, kekPorts } from "./kek_ports.ts";
import { jsonAnswer } from "./kek_server.ts";
import {
  type RemoteKekSubject,
  runRemoteKekContract,
} from "./remote_kek_contract.ts";
import { complain, startVault } from "./vault_transit_server.ts";

/** Opens KEKs with ports that are closed at the end. */
class Opener {
  readonly #ports: { close(): void }[] = [];

  async open(
    uri: string,
    variables: Readonly<Record<string, string>>,
    options: KekPortOptions = {},
  ) {
    const ports = kekPorts({ ...options, variables });
    this.#ports.push(ports);
    return await openKek(uri, ports);
  }

  close(): void {
    for (const ports of this.#ports) ports.close();
  }
}

runRemoteKekContract("vault-transit", async (): Promise<RemoteKekSubject> => {
  const token = "hvs.CAESIJ-a-token-of-tests";
  const server = await startVault({ token, keys: ["kek"] });
  const opener = new Opener();
  const open = (key: string, token: string, options?: KekPortOptions) =>
    opener.open(
      `vault-transit:${key}?addr=${server.url}`,
      { VAULT_TOKEN: token },
      options,
    );
  return {
    server,
    open: (options) => open("kek", token, options),
    openMissing: () => open("other", token),
    openStranger: () => open("kek", "hvs.stranger"),
    secrets: [token],
    says: {
      throttled: () => complain(429, "request path quota exceeded"),
      failing: () => complain(500, "1 error occurred: * internal error"),
      denied: () => complain(403, "1 error occurred: * permission denied"),
      opened: (plaintext) =>
        jsonAnswer(200, {
          data: { plaintext: Buffer.from(plaintext).toString("base64") },
        }),
    },
    close: async () => {
      opener.close();
      await server.close();
    },
  };
});

runRemoteKekContract("aws-kms", async (): Promise<RemoteKekSubject> => {
  const credentials = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const region = "us-gov-west-1";
  const sessionToken = "a-session-token-of-tests";
  const server = await startAwsKms({
    ...credentials,
    region,
    sessionToken,
    aliases: ["kek"],
  });
  const opener = new Opener();
  const open = (key: string, keyId: string, options?: KekPortOptions) =>
    opener.open(
      `aws-kms:${key}?endpoint=${server.url}`,
      {
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: keyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      },
      options,
    );
  const { accessKeyId } = credentials;
  return {
    server,
    open: (options) => open("alias/kek", accessKeyId, options),
    openMissing: () => open("alias/other", accessKeyId),
    openStranger: () => open("alias/kek", "AKIASTRANGER"),
    secrets: [credentials.secretAccessKey, sessionToken],
    says: {
      throttled: () => awsError("ThrottlingException"),
      failing: () => awsError("KMSInternalException", 500),
      denied: () => awsError("AccessDeniedException"),
      opened: (plaintext) =>
        jsonAnswer(200, {
          Plaintext: Buffer.from(plaintext).toString("base64"),
        }),
    },
    close: async () => {
      opener.close();
      await server.close();
    },
  };
});

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));

/** A probe that fails with this trouble. */
async function failsProbe(
  probe: Promise<void>,
  trouble: KekTrouble,
): Promise<void> {
  await rejects(probe, (error) => {
    ok(error instanceof KekUnavailableError, Deno.inspect(error));
    equal(error.trouble, trouble, error.message);
    return true;
  });
}

Deno.test("vault-transit: speaks TLS to a Vault whose authority it trusts", async () => {
  const tls = { cert: fixture("cert.pem"), key: fixture("key.pem") };
  const token = "hvs.token";
  const server = await startVault({ token, keys: ["kek"], tls });
  const opener = new Opener();
  const open = (options: KekPortOptions) =>
    opener.open(
      `vault-transit:kek?addr=${server.url}`,
      { VAULT_TOKEN: token },
      options,
    );
  const trusting = await open({ ca: fixture("ca.pem") });
  await probeKek(trusting, denoRandom());
  const before = server.count();
  await failsProbe(probeKek(await open({}), denoRandom()), "unreachable");
  equal(server.count(), before);
  opener.close();
  await server.close();
});

Deno.test("vault-transit: a probe finds a Vault that ignores associated data", async () => {
  const token = "hvs.token";
  const server = await startVault({
    token,
    keys: ["kek"],
    ignoresAssociatedData: true,
  });
  const opener = new Opener();
  const uri = `vault-transit:kek?addr=${server.url}`;
  const kek = await opener.open(uri, { VAULT_TOKEN: token });
  await failsProbe(probeKek(kek, denoRandom()), "refused");
  opener.close();
  await server.close();
});

Deno.test("aws-kms: signs with this machine's clock, and fails when it is off", async () => {
  const server = await startAwsKms({
    accessKeyId: "AKID",
    secretAccessKey: "secret",
    sessionToken: null,
    region: "eu-west-1",
    aliases: ["kek"],
  });
  const opener = new Opener();
  const open = (clockOffMs: number) =>
    opener.open(
      `aws-kms:${server.arnOf("kek")}?endpoint=${server.url}`,
      { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "secret" },
      { clockOffMs },
    );
  await probeKek(await open(4 * 60_000), denoRandom());
  await failsProbe(probeKek(await open(6 * 60_000), denoRandom()), "denied");
  await failsProbe(probeKek(await open(-6 * 60_000), denoRandom()), "denied");
  opener.close();
  await server.close();
});

Deno.test("aws-kms: the context of a wrap is what policies can be written for", async () => {
  const server = await startAwsKms({
    accessKeyId: "AKID",
    secretAccessKey: "secret",
    sessionToken: null,
    region: "eu-west-1",
    aliases: ["kek"],
  });
  const opener = new Opener();
  const kek = await opener.open(
    `aws-kms:${server.arnOf("kek")}?endpoint=${server.url}`,
    { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "secret" },
  );
  await kek.wrap(new Uint8Array(32), {
    kind: "dek",
    clusterId: new Uint8Array(16).fill(0xab),
    keyId: 305_419_896,
    purpose: "storage",
  });
  deepEqual(server.contexts, [{
    sealkv: "dek",
    cluster: "abababab-abab-abab-abab-abababababab",
    key: "305419896",
    purpose: "storage",
  }]);
  opener.close();
  await server.close();
});
