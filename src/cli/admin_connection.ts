import type { AdminClient } from "../admin/client.ts";
import { ConfigInvalidError } from "../app/errors.ts";
import type { Services } from "./services.ts";
import { readAdminToken } from "./tokens.ts";

const CA_BYTES_MAX = 1_048_576;

/** What every command that asks the cluster is told. */
export interface AdminOptions {
  readonly admin: string;
  readonly adminTokenFile?: string | undefined;
  readonly tlsCa?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Makes a client, hands it to `body` and closes it.
 *
 * @throws {TokenMissingError | TokenInvalidError | FileError}
 * @throws {ConfigInvalidError} When the authorities are no PEM file.
 * @throws {AdminAddressInvalidError}
 */
export async function withAdmin<T>(
  services: Services,
  options: AdminOptions,
  body: (client: AdminClient) => Promise<T> | T,
): Promise<T> {
  const token = await readAdminToken(services, options.adminTokenFile);
  const ca = options.tlsCa === undefined
    ? null
    : await readCa(services, options.tlsCa);
  const client = services.adminClient({
    admin: options.admin,
    token: token.reveal(),
    actor: services.actor(),
    isTls: ca !== null,
    timeoutMs: options.timeout,
    http: services.httpClient(ca === null ? {} : { ca }),
    clock: services.clock,
  });
  try {
    return await body(client);
  } finally {
    client.close();
  }
}

async function readCa(services: Services, path: string): Promise<string> {
  const content = await services.files.read(path, CA_BYTES_MAX);
  const text = new TextDecoder().decode(content?.bytes);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigInvalidError("tls-ca", path, "a PEM file", "--tls-ca");
}
