/** One setting of a node: a flag, a variable and a key of the file. */
export interface Setting {
  /** Stands for the value in help; `null` for a switch. */
  readonly placeholder: string | null;
  /** What help says that the default is; "" for nothing to say. */
  readonly fallback: string;
  readonly help: string;
  /**
   * Takes several values: the flag several times, the variable with commas or
   * line breaks between, an array in the file.
   */
  readonly isList: boolean;
}

/**
 * Every setting of `serve`, in the order of its help.
 *
 * `--listen` is also `SEALKV_LISTEN` and the key "listen" of the file.
 */
export const SETTINGS = {
  "node": setting("NAME", "n1", "name of this node"),
  "data-dir": setting(
    "DIR",
    "the user's data home",
    "where the node keeps everything",
  ),
  "listen": setting("ADDR", "127.0.0.1:4512", "where clients connect"),
  "peer-listen": setting(
    "ADDR",
    "127.0.0.1:4513",
    "where other members connect",
  ),
  "admin-listen": setting("ADDR", "127.0.0.1:4514", "where operators connect"),
  "advertise": setting(
    "ADDR",
    "--listen",
    "what clients dial; makes endpoints absolute",
  ),
  "peer-advertise": setting("ADDR", "--peer-listen", "what other members dial"),
  "admin-advertise": setting("ADDR", "--admin-listen", "what operators dial"),
  "initial-cluster": setting(
    "NAME=ADDR,…",
    "this node alone",
    "founding members of a new cluster, the same text on each",
  ),
  "join": setting(
    "ADDR,…",
    "",
    "admin addresses of the cluster that was told to add this node",
  ),
  "cluster-name": setting(
    "NAME",
    "sealkv- and four hex digits",
    "name of a new cluster",
  ),
  "heartbeat-ms": setting("MS", "50", "time between heartbeats"),
  "election-ms": setting("MS", "500", "least silence before an election"),
  "read-lease": setting(
    null,
    "",
    "answer strong reads by the leader's lease: trusts clocks to run alike",
  ),
  "checkpoint-rate": setting(
    "SIZE",
    "no limit",
    "bytes a second of a checkpoint to another member, as 50MiB",
  ),
  "log-compact-after": setting(
    "SIZE",
    "32MiB",
    "bytes of log after which entries in the store are let go",
  ),
  "log-keep-entries": setting(
    "COUNT",
    "5000",
    "entries kept for members that are a little behind",
  ),
  "trust-tail": setting(
    null,
    "",
    "vote although a crash tore the log's end, when another voter is lost",
  ),
  "encryption-enabled": setting(
    null,
    "",
    "take part in encryption at rest; needs a KEK",
  ),
  "encryption-rotate-on-startup": setting(
    null,
    "",
    "replace every active data key once, if this process leads",
  ),
  "kek": list(
    "URI",
    "key-encryption key, the primary one first, as file:PATH; repeatable",
  ),
  "kek-file": setting("PATH", "", "file:PATH, in front of every --kek"),
  "tls-cert": setting("FILE", "", "certificate chain for all listeners, PEM"),
  "tls-key": setting("FILE", "", "private key of --tls-cert, PEM"),
  "tls-ca": setting(
    "FILE",
    "the system's",
    "authorities that this node trusts, PEM",
  ),
  "peer-mtls": setting(
    null,
    "",
    "demand certificates of other members too; Deno 2.9 or later",
  ),
  "insecure": setting(null, "", "allow listeners beyond loopback without TLS"),
  "access-token-file": setting(
    "FILE",
    "one it makes",
    "token that clients show",
  ),
  "admin-token-file": setting(
    "FILE",
    "one it makes",
    "token that operators show",
  ),
  "peer-token-file": setting(
    "FILE",
    "one it makes",
    "token that members show each other",
  ),
  "log-level": setting("LEVEL", "info", "least severe event to log"),
  "log-format": setting(
    "FORMAT",
    "pretty on a terminal, else json",
    "form of the event log",
  ),
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.freeze(
  Object.keys(SETTINGS),
) as readonly SettingName[];

export function isSettingName(text: string): text is SettingName {
  return Object.hasOwn(SETTINGS, text);
}

/** The environment twin of a flag: `peer-listen` → `SEALKV_PEER_LISTEN`. */
export function variableOf(name: SettingName | "config"): string {
  return `SEALKV_${name.replaceAll("-", "_").toUpperCase()}`;
}

export const LOG_FORMATS = ["json", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

function setting(
  placeholder: string | null,
  fallback: string,
  help: string,
): Setting {
  return Object.freeze({ placeholder, fallback, help, isList: false });
}

function list(placeholder: string, help: string): Setting {
  return Object.freeze({ placeholder, fallback: "", help, isList: true });
}
