import { Buffer } from "node:buffer";
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
