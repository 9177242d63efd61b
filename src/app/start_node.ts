import { denoClock } from "../io/deno/clock.ts";
import { openDenoDisk } from "../io/deno/disk.ts";
import { denoFiles } from "../io/deno/files.ts";
import { denoHttpClient, denoHttpServer } from "../io/deno/http.ts";
import { openDenoKv } from "../io/deno/kv.ts";
import { denoLog } from "../io/deno/log.ts";
import { mutualTlsNet } from "../io/deno/mutual_tls_net.ts";
import { denoNet } from "../io/deno/net.ts";
import { denoProcess } from "../io/deno/process.ts";
import { denoRandom } from "../io/deno/random.ts";
import { denoBytesOf, denoSpaceOf } from "../io/deno/space.ts";
import { FileError } from "../io/errors.ts";
import type { Files } from "../io/files.ts";
import { type AppPorts, type AppSecrets, assemble } from "./assemble.ts";
import type { NodeConfig, TlsPaths } from "./config.ts";
import { ConfigInvalidError, DataHomeUnknownError } from "./errors.ts";
import { type DataHome, dataHome } from "./data_home.ts";
import type { RunningNode } from "./running_node.ts";
import {
  drawToken,
  readOrMakeToken,
  type Token,
  type TokenPurpose,
} from "./secrets.ts";

const PEM_BYTES_MAX = 1024 * 1024;
const KEPT = {
  access: "accessTokenPath",
  admin: "adminTokenPath",
  peer: "peerTokenPath",
} as const satisfies Record<TokenPurpose, keyof DataHome>;

/**
 * Runs a node of this process on the real disk and network; it may not be
 * ready yet.
 *
 * @throws {NodeError} What refused to start; everything is closed then.
 */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const ports = denoPorts(config);
  let secrets: AppSecrets;
  try {
    secrets = await readSecrets(config, ports);
  } catch (error) {
    await ports.close();
    throw error;
  }
  return await assemble(config, secrets, ports);
}

function denoPorts(config: NodeConfig): AppPorts {
  const disk = openDenoDisk();
  const { logFormat: format } = config;
  return {
    disk,
    openKv: openDenoKv,
    clock: denoClock(),
    random: denoRandom(),
    log: denoLog({
      levelMin: config.logLevel,
      ...(format === null ? {} : { format }),
    }),
    http: denoHttpServer(),
    net: denoNet(),
    mutualTlsNet,
    httpClient: denoHttpClient,
    files: denoFiles(),
    process: denoProcess(),
    spaceOf: denoSpaceOf,
    bytesOf: denoBytesOf,
    close: async () => await disk.close(),
  };
}

async function readSecrets(
  config: NodeConfig,
  ports: AppPorts,
): Promise<AppSecrets> {
  const { tls, tlsCaPath } = config;
  const { files } = ports;
  return {
    accessToken: await tokenOf("access", config.accessTokenFile, ports),
    adminToken: await tokenOf("admin", config.adminTokenFile, ports),
    peerToken: await peerTokenOf(config, ports),
    tls: tls === null ? null : await readTls(tls, files),
    tlsCa: tlsCaPath === null
      ? null
      : await readPem("tls-ca", tlsCaPath, files),
  };
}

/**
 * As the other tokens; a node alone that has no place to keep one draws one
 * that nobody else knows, for nobody else is to know it yet.
 */
async function peerTokenOf(
  config: NodeConfig,
  ports: AppPorts,
): Promise<Token> {
  const { initialCluster, join, peerTokenFile } = config;
  const isAlone = (initialCluster?.length ?? 1) === 1 && join === null;
  try {
    return await tokenOf("peer", peerTokenFile, ports);
  } catch (error) {
    if (!isAlone || !(error instanceof DataHomeUnknownError)) throw error;
    ports.log.write("info", "peer_token_not_kept");
    return drawToken(ports.random);
  }
}

async function tokenOf(
  purpose: TokenPurpose,
  file: string | null,
  { files, process, random, log }: AppPorts,
): Promise<Token> {
  const env = (name: string) => process.env(name);
  const variables = [`SEALKV_${purpose.toUpperCase()}_TOKEN`];
  const isGiven = file !== null || variables.some((name) => env(name));
  const home = isGiven ? null : dataHome(env);
  const kept = home?.[KEPT[purpose]] ?? null;
  const places = { purpose, file, variables, kept };
  const { token, isMade } = await readOrMakeToken(places, {
    files,
    env,
    random,
  });
  log.write("info", isMade ? "token_made" : "token_read", {
    purpose,
    source: token.source,
  });
  if (token.isOpenToOthers) {
    log.write("warn", "token_open_to_others", {
      purpose,
      source: token.source,
    });
  }
  return token;
}

async function readTls({ certPath, keyPath }: TlsPaths, files: Files) {
  return {
    cert: await readPem("tls-cert", certPath, files),
    key: await readPem("tls-key", keyPath, files),
  };
}

async function readPem(
  name: "tls-cert" | "tls-key" | "tls-ca",
  path: string,
  files: Files,
): Promise<string> {
  const content = await files.read(path, PEM_BYTES_MAX);
  if (content === null) throw new FileError("read", path, "it does not exist");
  const text = new TextDecoder().decode(content.bytes);
  if (text.includes("-----BEGIN ")) return text;
  throw new ConfigInvalidError(name, path, "a PEM file", `--${name}`);
}
