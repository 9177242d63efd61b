import { NodeError } from "../base/error.ts";
import { shellWord } from "../base/shell.ts";

/** First word of a KEK URI. */
export const KEK_SCHEMES = [
  "file",
  "env",
  "exec",
  "vault-transit",
  "aws-kms",
] as const;
export type KekScheme = (typeof KEK_SCHEMES)[number];

/**
 * A KEK URI that is not understood.
 *
 * Never shows what was given: it may be a key that was pasted there.
 */
export class KekSourceInvalidError extends NodeError {
  override readonly name = "KekSourceInvalidError";
  override readonly code = "KEYS_KEK_SOURCE_INVALID";
  override readonly remedy =
    "Give --kek one of file:PATH, env:NAME, exec:COMMAND, " +
    "vault-transit:KEY?addr=https://HOST:PORT and aws-kms:KEY-ARN";

  constructor(
    /** `null` when it starts like none of them. */
    readonly scheme: KekScheme | null,
    readonly rule: string,
  ) {
    super(
      scheme === null
        ? `Cannot use the KEK URI as ${rule}`
        : `Cannot use the "${scheme}:" KEK URI as ${rule}`,
    );
  }
}

/** The file of a KEK, or of the token that reaches one, is open to others. */
export class InsecureKekFileError extends NodeError {
  override readonly name = "InsecureKekFileError";
  override readonly code = "KEYS_KEK_INSECURE";
  override readonly remedy: string;

  constructor(
    readonly path: string,
    /** Permission bits; `null` when it is no regular file. */
    readonly mode: number | null,
  ) {
    super(
      mode === null
        ? `Cannot use the secret file "${path}" as it must be a regular file: ` +
          "current value is a pipe, a directory or a device"
        : `Cannot use the secret file "${path}" as nobody but its owner may ` +
          `have access: current value is mode ${octal(mode)}`,
    );
    this.remedy = mode === null
      ? "Name a regular file that its owner alone can read"
      : `chmod 600 ${shellWord(path)}`;
  }
}

/** Why a KEK cannot be used just now. */
export type KekTrouble =
  /** No such file, variable, program, credentials or key. */
  | "missing"
  /** There, but not a KEK. */
  | "malformed"
  /** The provider's own word: no access. */
  | "denied"
  /** The provider refuses for another reason. */
  | "refused"
  /** No connection, or no answer in time. */
  | "unreachable"
  /** Too many requests, or an error of the provider's own. */
  | "busy"
  /** An answer that is not the provider's protocol. */
  | "garbled";

/** A KEK, or the provider that keeps it, does not do its work just now. */
export class KekUnavailableError extends NodeError {
  override readonly name = "KekUnavailableError";
  override readonly code = "KEYS_KEK_UNAVAILABLE";
  override readonly remedy: string;

  constructor(
    /** Names the KEK: its id, or where it was to come from. No secret. */
    readonly kek: string,
    readonly trouble: KekTrouble,
    rule: string,
    remedy: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use the KEK "${kek}" as ${rule}`, options);
    this.remedy = `${remedy}; docs/keks.md says what each kind of KEK needs`;
  }
}

/** A KEK does not open a wrap: another KEK's, another place's, or damaged. */
export class WrapRejectedError extends NodeError {
  override readonly name = "WrapRejectedError";
  override readonly code = "KEYS_WRAP_REJECTED";
  override readonly remedy =
    "Start the node with the KEK that the key was wrapped under as well: " +
    "`sealkv encryption status` names it";

  constructor(readonly kek: string, options?: ErrorOptions) {
    super(
      `Cannot open a wrap with the KEK "${kek}" as it is another KEK's, ` +
        "was made for another place, or is damaged",
      options,
    );
  }
}

/** There is a file where a new KEK was to be kept. */
export class KekExistsError extends NodeError {
  override readonly name = "KekExistsError";
  override readonly code = "KEYS_KEK_EXISTS";
  override readonly remedy =
    "Give a path where no file is: `sealkv kek generate --out FILE`; a KEK is " +
    "never overwritten, as what it wraps would be lost";

  constructor(readonly path: string) {
    super(`Cannot make the KEK file "${path}" as it exists already`);
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
