import {
  KEK_SCHEMES,
  type KekScheme,
  KekSourceInvalidError,
} from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";
import type { Kek } from "../port.ts";
import { openAwsKmsKek } from "./aws_kms.ts";
import { openEnvKek } from "./env_kek.ts";
import { openExecKek } from "./exec_kek.ts";
import { openFileKek } from "./file_kek.ts";
import { openVaultTransitKek } from "./vault_transit.ts";

const URI_LENGTH_MAX = 8_192;

type Open = (rest: string, ports: KekPorts) => Kek | Promise<Kek>;

const PROVIDERS: Readonly<Record<KekScheme, Open>> = {
  "file": openFileKek,
  "env": openEnvKek,
  "exec": openExecKek,
  "vault-transit": openVaultTransitKek,
  "aws-kms": openAwsKmsKek,
};

/**
 * Opens the KEK of one `--kek`.
 *
 * Local ones are read now, and once. Remote ones are not asked anything yet:
 * `probeKek` does that.
 *
 * @throws {KekSourceInvalidError} The URI is not understood; never shown.
 * @throws {InsecureKekFileError | KekUnavailableError}
 */
export async function openKek(uri: string, ports: KekPorts): Promise<Kek> {
  const cut = uri.indexOf(":");
  const scheme = KEK_SCHEMES.find((known) => known === uri.slice(0, cut));
  if (cut < 0 || scheme === undefined) {
    throw new KekSourceInvalidError(null, "it starts like no kind of KEK");
  }
  if (uri.length > URI_LENGTH_MAX) {
    throw new KekSourceInvalidError(
      scheme,
      `it is longer than ${URI_LENGTH_MAX} characters`,
    );
  }
  return await PROVIDERS[scheme](uri.slice(cut + 1), ports);
}
