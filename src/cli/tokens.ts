import { type DataHome, dataHome } from "../app/data_home.ts";
import { DataHomeUnknownError } from "../app/errors.ts";
import { readToken, type Token } from "../app/secrets.ts";
import type { Services } from "./services.ts";

/** @throws {TokenMissingError | TokenInvalidError | FileError} */
export function readAccessToken(
  services: Services,
  file: string | undefined,
): Promise<Token> {
  return readToken({
    purpose: "access",
    file: file ?? null,
    variables: ["SEALKV_ACCESS_TOKEN", "DENO_KV_ACCESS_TOKEN"],
    kept: homeOrNull(services)?.accessTokenPath ?? null,
  }, secretPorts(services));
}

/** @throws {TokenMissingError | TokenInvalidError | FileError} */
export function readAdminToken(
  services: Services,
  file: string | undefined,
): Promise<Token> {
  return readToken({
    purpose: "admin",
    file: file ?? null,
    variables: ["SEALKV_ADMIN_TOKEN"],
    kept: homeOrNull(services)?.adminTokenPath ?? null,
  }, secretPorts(services));
}

function secretPorts({ files, terminal }: Services) {
  return { files, env: terminal.env };
}

/** A client without a home still works with tokens from elsewhere. */
function homeOrNull({ terminal }: Services): DataHome | null {
  try {
    return dataHome(terminal.env);
  } catch (error) {
    if (error instanceof DataHomeUnknownError) return null;
    throw error;
  }
}
