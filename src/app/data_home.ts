import { DataHomeUnknownError } from "./errors.ts";

/** Where a node without flags keeps what it makes. */
export interface DataHome {
  readonly accessTokenPath: string;
  readonly adminTokenPath: string;
  readonly peerTokenPath: string;
  /** The data dir of the node of that name. */
  dataDir(node: string): string;
}

/**
 * Finds the user's data home by the XDG rule: `$XDG_DATA_HOME`, or
 * `~/.local/share`; `%LOCALAPPDATA%` on Windows. Relative paths are ignored.
 *
 * @throws {DataHomeUnknownError} When no variable holds an absolute path.
 */
export function dataHome(env: (name: string) => string | undefined): DataHome {
  const base = absolute(env("XDG_DATA_HOME")) ??
    absolute(env("LOCALAPPDATA")) ??
    under(absolute(env("HOME")), ".local/share");
  if (base === null) throw new DataHomeUnknownError();
  const root = `${base}/sealkv`;
  return Object.freeze({
    accessTokenPath: `${root}/access.token`,
    adminTokenPath: `${root}/admin.token`,
    peerTokenPath: `${root}/peer.token`,
    dataDir: (node: string) => `${root}/nodes/${node}`,
  });
}

function absolute(path: string | undefined): string | null {
  if (path === undefined || !/^(\/|[A-Za-z]:[\\/])/.test(path)) return null;
  return path.replace(/[\\/]+$/, "");
}

function under(base: string | null, path: string): string | null {
  return base === null ? null : `${base}/${path}`;
}
