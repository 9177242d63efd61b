import { LOG_LEVELS, type LogLevel } from "../io/log.ts";
import {
  type Address,
  formatAddress,
  isLoopback,
  parseAddress,
} from "./address.ts";
import type { DataHome } from "./data_home.ts";
import {
  ClusterUnsupportedError,
  ConfigInvalidError,
  ListenerCleartextError,
} from "./errors.ts";
import type { GivenSettings } from "./given.ts";
import {
  CLUSTER_NAME_RULE,
  isClusterName,
  isNodeName,
  NODE_NAME_RULE,
} from "./identity.ts";
import { LOG_FORMATS, type LogFormat, type SettingName } from "./settings.ts";

const HEARTBEAT_MS_MIN = 10;
const HEARTBEAT_MS_MAX = 10_000;
const ELECTION_MS_MAX = 60_000;
/** Fewer, and one lost heartbeat already starts elections. */
const ELECTION_HEARTBEATS_MIN = 5;
const PATH_LENGTH_MAX = 4_096;

/** Everything a node is told, checked and frozen. Holds no secret. */
export interface NodeConfig {
  readonly node: string;
  readonly dataDir: string;
  readonly listen: Address;
  readonly peerListen: Address;
  readonly adminListen: Address;
  /** `null`: what the listener bound. */
  readonly advertise: Address | null;
  readonly peerAdvertise: Address | null;
  readonly adminAdvertise: Address | null;
  /** `null`: the first leader draws one. */
  readonly clusterName: string | null;
  readonly heartbeatMs: number;
  /** Lower bound; the node draws from [min, 2 × min). */
  readonly electionMsMin: number;
  readonly tls: TlsPaths | null;
  /** Authorities for what this node dials; `null`: the system's. */
  readonly tlsCaPath: string | null;
  readonly accessTokenFile: string | null;
  readonly adminTokenFile: string | null;
  readonly logLevel: LogLevel;
  /** `null`: pretty on a terminal, else json. */
  readonly logFormat: LogFormat | null;
}

export interface TlsPaths {
  readonly certPath: string;
  readonly keyPath: string;
}

/**
 * Checks what was given and fills in defaults.
 *
 * `home` is asked for only when a default needs it.
 *
 * @throws {ConfigInvalidError} Naming the setting and where it came from.
 * @throws {ListenerCleartextError | ClusterUnsupportedError}
 * @throws {DataHomeUnknownError} From `home`.
 */
export function parseConfig(
  given: GivenSettings,
  home: () => DataHome,
): NodeConfig {
  const read = new SettingReader(given);
  const node = read.text("node", NODE_NAME_RULE, isNodeName) ?? "n1";
  const tls = readTls(read);
  const isInsecure = read.isOn("insecure");
  const listener = (name: SettingName, port: number) =>
    checkListener(
      name,
      read.address(name) ?? { hostname: "127.0.0.1", port },
      tls !== null || isInsecure,
    );
  const heartbeatMs =
    read.integer("heartbeat-ms", HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX) ?? 50;
  const electionFloorMs = heartbeatMs * ELECTION_HEARTBEATS_MIN;
  checkInitialCluster(read, node);
  return Object.freeze({
    node,
    dataDir: read.path("data-dir") ?? home().dataDir(node),
    listen: listener("listen", 4512),
    peerListen: listener("peer-listen", 4513),
    adminListen: listener("admin-listen", 4514),
    advertise: read.dialled("advertise"),
    peerAdvertise: read.dialled("peer-advertise"),
    adminAdvertise: read.dialled("admin-advertise"),
    clusterName: read.text("cluster-name", CLUSTER_NAME_RULE, isClusterName),
    heartbeatMs,
    electionMsMin:
      read.integer("election-ms", electionFloorMs, ELECTION_MS_MAX) ??
        Math.max(500, electionFloorMs),
    tls,
    tlsCaPath: read.path("tls-ca"),
    accessTokenFile: read.path("access-token-file"),
    adminTokenFile: read.path("admin-token-file"),
    logLevel: read.choice("log-level", LOG_LEVELS) ?? "info",
    logFormat: read.choice("log-format", LOG_FORMATS),
  });
}

function readTls(read: SettingReader): TlsPaths | null {
  const certPath = read.path("tls-cert");
  const keyPath = read.path("tls-key");
  if (certPath !== null && keyPath !== null) {
    return Object.freeze({ certPath, keyPath });
  }
  if (certPath !== null) {
    throw read.refusal("tls-cert", 'the setting "tls-key" is missing');
  }
  if (keyPath !== null) {
    throw read.refusal("tls-key", 'the setting "tls-cert" is missing');
  }
  return null;
}

function checkListener(
  name: SettingName,
  address: Address,
  isCleartextAllowed: boolean,
): Address {
  if (isCleartextAllowed || isLoopback(address.hostname)) return address;
  throw new ListenerCleartextError(name, formatAddress(address));
}

function checkInitialCluster(read: SettingReader, node: string): void {
  const name = "initial-cluster";
  const list = read.text(name, "", () => true);
  if (list === null) return;
  const members = list.split(",").map((member) => {
    const cut = member.indexOf("=");
    const address = parseAddress(member.slice(cut + 1));
    if (cut < 0 || !isNodeName(member.slice(0, cut)) || address === null) {
      throw read.refusal(name, "a list of NAME=HOST:PORT, separated by commas");
    }
    return member.slice(0, cut);
  });
  if (new Set(members).size !== members.length) {
    throw read.refusal(name, "a list that names each member once");
  }
  if (!members.includes(node)) {
    throw read.refusal(name, `a list that contains this node, "${node}"`);
  }
  if (members.length > 1) throw new ClusterUnsupportedError(members.length);
}

/** Reads settings one by one and names the guilty one. */
class SettingReader {
  readonly #given: GivenSettings;

  constructor(given: GivenSettings) {
    this.#given = given;
  }

  text(
    name: SettingName,
    rule: string,
    accepts: (text: string) => boolean,
  ): string | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    if (!accepts(text)) throw this.refusal(name, rule);
    return text;
  }

  path(name: SettingName): string | null {
    return this.text(
      name,
      `a path of 1 to ${PATH_LENGTH_MAX} characters`,
      (text) =>
        text.length > 0 && text.length <= PATH_LENGTH_MAX &&
        !text.includes("\0"),
    );
  }

  address(name: SettingName): Address | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const address = parseAddress(text);
    if (address !== null) return address;
    throw this.refusal(name, 'an address, as "127.0.0.1:4512" or "[::1]:4512"');
  }

  /** An address that someone dials: its port is known. */
  dialled(name: SettingName): Address | null {
    const address = this.address(name);
    if (address?.port !== 0) return address;
    throw this.refusal(name, "an address with a port above 0");
  }

  integer(name: SettingName, min: number, max: number): number | null {
    const text = this.text(
      name,
      `a whole number of ${min} to ${max}`,
      (text) =>
        /^[0-9]{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max,
    );
    return text === null ? null : Number(text);
  }

  choice<const Choice extends string>(
    name: SettingName,
    choices: readonly Choice[],
  ): Choice | null {
    const text = this.#given[name]?.text;
    if (text === undefined) return null;
    const choice = choices.find((choice) => choice === text);
    if (choice !== undefined) return choice;
    throw this.refusal(name, `one of ${choices.join(", ")}`);
  }

  isOn(name: SettingName): boolean {
    const text = this.text(
      name,
      "true or false (also 1 or 0)",
      (text) => /^(true|false|1|0)$/.test(text),
    );
    return text === "true" || text === "1";
  }

  refusal(name: SettingName, rule: string): ConfigInvalidError {
    const given = this.#given[name];
    return new ConfigInvalidError(
      name,
      given?.text ?? "",
      rule,
      given?.source ?? "its default",
    );
  }
}
