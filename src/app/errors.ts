import { NodeError } from "../base/error.ts";

/** A setting has a value that cannot be used. */
export class ConfigInvalidError extends NodeError {
  override readonly name = "ConfigInvalidError";
  override readonly code = "APP_CONFIG_INVALID";
  override readonly remedy: string;

  /** `source` says where the value came from: a flag, a variable or a file. */
  constructor(
    readonly setting: string,
    readonly given: string,
    rule: string,
    readonly source: string,
  ) {
    super(
      `Cannot use the setting "${setting}" as ${rule}: ` +
        `current value is ${JSON.stringify(given)} from ${source}`,
    );
    this.remedy = `Change ${source}; \`sealkv help serve\` lists every setting`;
  }
}

/** The file behind `--config` cannot be used. */
export class ConfigFileInvalidError extends NodeError {
  override readonly name = "ConfigFileInvalidError";
  override readonly code = "APP_CONFIG_FILE_INVALID";
  override readonly remedy =
    "Write one JSON object whose keys are flag names without dashes in front, " +
    "as `sealkv help serve` lists them";

  constructor(readonly path: string, rule: string, options?: ErrorOptions) {
    super(`Cannot use the configuration file "${path}" as ${rule}`, options);
  }
}

/** A listener would carry tokens and values in cleartext between machines. */
export class ListenerCleartextError extends NodeError {
  override readonly name = "ListenerCleartextError";
  override readonly code = "APP_LISTENER_CLEARTEXT";
  override readonly remedy =
    "Give --tls-cert and --tls-key, or --insecure when the network is trusted";

  constructor(readonly setting: string, readonly address: string) {
    super(
      `Cannot listen as "${setting}" is not a loopback address and has no ` +
        `TLS: current value is "${address}"`,
    );
  }
}

/** A token is too weak or could not travel in a header. */
export class TokenInvalidError extends NodeError {
  override readonly name = "TokenInvalidError";
  override readonly code = "APP_TOKEN_INVALID";
  override readonly remedy: string;

  constructor(readonly source: string, rule: string) {
    super(`Cannot use the token from ${source} as ${rule}`);
    this.remedy =
      `Put another token into ${source}, for example 32 random hex digits`;
  }
}

/** A token is asked for and there is none. */
export class TokenMissingError extends NodeError {
  override readonly name = "TokenMissingError";
  override readonly code = "APP_TOKEN_MISSING";
  override readonly remedy: string;

  constructor(
    readonly purpose: "access" | "admin" | "peer",
    places: readonly string[],
  ) {
    super(`Cannot find the ${purpose} token as none is configured`);
    this.remedy = `Provide it in one of: ${places.join(", ")}`;
  }
}

/** Nothing says where this user's data lives. */
export class DataHomeUnknownError extends NodeError {
  override readonly name = "DataHomeUnknownError";
  override readonly code = "APP_DATA_HOME_UNKNOWN";
  override readonly remedy =
    "Set HOME or XDG_DATA_HOME to an absolute path, or give --data-dir, " +
    "--access-token-file, --admin-token-file and --peer-token-file";

  constructor() {
    super(
      "Cannot find the user's data home as no absolute path is in " +
        "XDG_DATA_HOME, LOCALAPPDATA or HOME",
    );
  }
}

/** The data dir that is to be rebuilt is another node's. */
export class RebuildConflictError extends NodeError {
  override readonly name = "RebuildConflictError";
  override readonly code = "APP_REBUILD_CONFLICT";
  override readonly remedy =
    "Give the data dir of the member that is to be rebuilt; nothing was changed";

  constructor(
    readonly path: string,
    readonly member: string,
    readonly owner: string,
  ) {
    super(
      `Cannot rebuild "${member}" in "${path}" as it is of another node: ` +
        `current value is "${owner}"`,
    );
  }
}
