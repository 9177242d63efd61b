import { LOG_LEVELS, type LogLevel } from "../io/log.ts";
import { type Address, formatAddress, isLoopback } from "../base/address.ts";
import { WRAPS_MAX } from "../base/data_key.ts";
import type { DataHome } from "./data_home.ts";
import { ListenerCleartextError } from "./errors.ts";
import type { GivenSettings } from "./given.ts";
import {
  CLUSTER_NAME_RULE,
  isClusterName,
  isNodeName,
  NODE_NAME_RULE,
} from "../base/identity.ts";
import { type FoundingMember, readInitialCluster } from "./initial_cluster.ts";
import { SettingReader } from "./setting_reader.ts";
import { LOG_FORMATS, type LogFormat, type SettingName } from "./settings.ts";

const HEARTBEAT_MS_MIN = 10;
const HEARTBEAT_MS_MAX = 10_000;
const ELECTION_MS_MAX = 60_000;
/** Fewer, and one lost heartbeat already starts elections. */
const ELECTION_HEARTBEATS_MIN = 5;
/** As many members as an initial cluster may have. */
const JOIN_ADDRESSES_MAX = 32;
/** Less, and a checkpoint of any size never arrives. */
const CHECKPOINT_RATE_MIN = 64 * 1024;
const CHECKPOINT_RATE_MAX = 1024 ** 4;
const LOG_COMPACT_BYTES_MIN = 64 * 1024;
const LOG_COMPACT_BYTES_MAX = 1024 ** 4;
const LOG_KEEP_ENTRIES_MAX = 100_000_000;

/** How short the log is kept; `null`: the node's own measure. */
interface LogLimits {
  /** Bytes written between two compactions. */
  readonly logCompactAfterBytes: number | null;
  /** Entries that a compaction keeps. */
  readonly logKeepEntries: number | null;
}

/** What a node brings to encryption. */
export interface EncryptionSettings {
  /** It may take part in changes of encryption, and needs a KEK. */
  readonly encryptionEnabled: boolean;
  /** Every active data key is replaced once, if this process leads. */
  readonly rotateOnStart: boolean;
  /** URIs of KEKs, the primary one first. */
  readonly keks: readonly string[];
}

/** Everything a node is told, checked and frozen. Holds no secret. */
export interface NodeConfig extends LogLimits, EncryptionSettings {
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
  /**
   * Founding members, this one among them, by name; `null`: this node alone,
   * or one that joins.
   */
  readonly initialCluster: readonly FoundingMember[] | null;
  /** Admin addresses of the cluster to join; `null`: it founds one. */
  readonly join: readonly Address[] | null;
  readonly heartbeatMs: number;
  /** Lower bound; the node draws from [min, 2 × min). */
  readonly electionMsMin: number;
  /** Strong reads by the leader's lease. */
  readonly readLease: boolean;
  /** Takes part in elections although a crash tore the end of the log. */
  readonly trustTail: boolean;
  /** Of checkpoints to other members; `null`: no limit. */
  readonly checkpointBytesPerSecond: number | null;
  readonly tls: TlsPaths | null;
  /** Authorities for what this node dials; `null`: the system's. */
  readonly tlsCaPath: string | null;
  /** Members show each other certificates; `tls` is there then. */
  readonly peerMtls: boolean;
  readonly accessTokenFile: string | null;
  readonly adminTokenFile: string | null;
  readonly peerTokenFile: string | null;
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
 * @throws {ListenerCleartextError}
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
  const peerListen = listener("peer-listen", 4513);
  const peerAdvertise = read.dialled("peer-advertise");
  const initialCluster = readInitialCluster(read, {
    node,
    peerListen,
    peerAdvertise,
  });
  return Object.freeze({
    node,
    dataDir: read.path("data-dir") ?? home().dataDir(node),
    listen: listener("listen", 4512),
    peerListen,
    adminListen: listener("admin-listen", 4514),
    advertise: read.dialled("advertise"),
    peerAdvertise: peerAdvertise ??
      initialCluster?.find(({ name }) => name === node)?.address ?? null,
    adminAdvertise: read.dialled("admin-advertise"),
    clusterName: read.text("cluster-name", CLUSTER_NAME_RULE, isClusterName),
    initialCluster,
    join: readJoin(read, initialCluster),
    heartbeatMs,
    electionMsMin:
      read.integer("election-ms", electionFloorMs, ELECTION_MS_MAX) ??
        Math.max(500, electionFloorMs),
    readLease: read.isOn("read-lease"),
    trustTail: read.isOn("trust-tail"),
    checkpointBytesPerSecond: read.size(
      "checkpoint-rate",
      CHECKPOINT_RATE_MIN,
      CHECKPOINT_RATE_MAX,
    ),
    ...readLogLimits(read),
    ...readEncryption(read),
    tls,
    tlsCaPath: read.path("tls-ca"),
    peerMtls: readPeerMtls(read, tls),
    accessTokenFile: read.path("access-token-file"),
    adminTokenFile: read.path("admin-token-file"),
    peerTokenFile: read.path("peer-token-file"),
    logLevel: read.choice("log-level", LOG_LEVELS) ?? "info",
    logFormat: read.choice("log-format", LOG_FORMATS),
  });
}

function readLogLimits(read: SettingReader): LogLimits {
  return {
    logCompactAfterBytes: read.size(
      "log-compact-after",
      LOG_COMPACT_BYTES_MIN,
      LOG_COMPACT_BYTES_MAX,
    ),
    logKeepEntries: read.integer("log-keep-entries", 1, LOG_KEEP_ENTRIES_MAX),
  };
}

/** What is given of encryption alone. @throws {ConfigInvalidError} */
export function parseEncryption(given: GivenSettings): EncryptionSettings {
  return readEncryption(new SettingReader(given));
}

function readEncryption(read: SettingReader): EncryptionSettings {
  const file = read.path("kek-file");
  const others = read.list("kek", WRAPS_MAX);
  const keks = file === null ? others : [`file:${file}`, ...others];
  if (keks.length > WRAPS_MAX || new Set(keks).size < keks.length) {
    throw read.refusal(
      "kek-file",
      `one of at most ${WRAPS_MAX} KEKs, none given twice`,
    );
  }
  return {
    encryptionEnabled: read.isOn("encryption-enabled"),
    rotateOnStart: read.isOn("encryption-rotate-on-startup"),
    keks: Object.freeze(keks),
  };
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

function readPeerMtls(read: SettingReader, tls: TlsPaths | null): boolean {
  const isOn = read.isOn("peer-mtls");
  if (isOn && tls === null) {
    throw read.refusal("peer-mtls", 'the setting "tls-cert" is missing');
  }
  if (isOn && read.path("tls-ca") === null) {
    throw read.refusal("peer-mtls", 'the setting "tls-ca" is missing');
  }
  return isOn;
}

/** A node founds a cluster with others, or joins one that is there. */
function readJoin(
  read: SettingReader,
  initialCluster: readonly FoundingMember[] | null,
): readonly Address[] | null {
  const join = read.dialledList("join", JOIN_ADDRESSES_MAX);
  if (join !== null && (initialCluster?.length ?? 0) > 1) {
    throw read.refusal(
      "join",
      'the setting "initial-cluster" names several members already',
    );
  }
  return join;
}

function checkListener(
  name: SettingName,
  address: Address,
  isCleartextAllowed: boolean,
): Address {
  if (isCleartextAllowed || isLoopback(address.hostname)) return address;
  throw new ListenerCleartextError(name, formatAddress(address));
}
