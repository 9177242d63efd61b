import { wipe } from "../../crypto/wipe.ts";
import { FileError } from "../../io/errors.ts";
import { InsecureKekFileError, KekUnavailableError } from "../kek_errors.ts";
import type { KekPorts } from "../kek_ports.ts";

const VARIABLE = "VAULT_TOKEN";
const FILE_VARIABLE = "VAULT_TOKEN_FILE";
/** Far above any real token: batch tokens have some hundred characters. */
const TOKEN_BYTES_MAX = 4_096;
/** All users; a sink of Vault's agent may well be open to a group. */
const EVERYBODY = 0o007;

/** What shows Vault who asks. Gives the token out on each call alone. */
export type VaultToken = () => Promise<string>;

/**
 * The token of VAULT_TOKEN, or of the file that VAULT_TOKEN_FILE names: the
 * latter is read again for each request, for an agent renews it there.
 *
 * @throws {KekUnavailableError} Neither is set. The calls throw
 * KekUnavailableError and InsecureKekFileError.
 */
export function openVaultToken(kek: string, ports: KekPorts): VaultToken {
  const text = ports.process.env(VARIABLE);
  if (text !== undefined && text !== "") {
    return async () => checked(kek, text, VARIABLE);
  }
  const path = ports.process.env(FILE_VARIABLE);
  if (path !== undefined && path !== "") {
    return () => readToken(kek, path, ports);
  }
  throw unusable(kek, `neither ${VARIABLE} nor ${FILE_VARIABLE} is set`);
}

async function readToken(
  kek: string,
  path: string,
  { files }: KekPorts,
): Promise<string> {
  const file = await files.readPrivate(path, TOKEN_BYTES_MAX + 1)
    .catch((cause: unknown) => {
      if (!(cause instanceof FileError)) throw cause;
      throw unusable(kek, `the file of ${FILE_VARIABLE} cannot be read`, {
        cause,
      });
    });
  if (file === null) {
    throw unusable(kek, `the file of ${FILE_VARIABLE} does not exist`);
  }
  if (!file.isRegular) throw new InsecureKekFileError(path, null);
  if (file.mode !== null && (file.mode & EVERYBODY) !== 0) {
    wipe(file.bytes);
    throw new InsecureKekFileError(path, file.mode);
  }
  const text = new TextDecoder().decode(file.bytes).replace(/\r?\n$/, "");
  wipe(file.bytes);
  return checked(kek, text, `the file of ${FILE_VARIABLE}`);
}

/** Other characters could not travel in a header. */
function checked(kek: string, text: string, source: string): string {
  if (text.length <= TOKEN_BYTES_MAX && /^[\x21-\x7e]+$/.test(text)) {
    return text;
  }
  throw unusable(kek, `${source} holds no token`);
}

function unusable(kek: string, rule: string, options?: ErrorOptions) {
  return new KekUnavailableError(
    kek,
    "missing",
    rule,
    `Put a token that may use the key into ${VARIABLE}, or its file's path ` +
      `into ${FILE_VARIABLE}`,
    options,
  );
}
