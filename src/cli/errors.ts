import { NodeError } from "../base/error.ts";

/** The command line itself is wrong. */
export class UsageError extends NodeError {
  override readonly name = "UsageError";
  override readonly code = "CLI_USAGE";

  constructor(message: string, override readonly remedy: string) {
    super(message);
  }
}

/** An argument, option or input that parses as text but means nothing. */
export class InputInvalidError extends NodeError {
  override readonly name = "InputInvalidError";
  override readonly code = "CLI_INPUT_INVALID";
  override readonly remedy: string;

  constructor(
    readonly what: string,
    rule: string,
    remedy = "Correct the input; `sealkv help` shows the forms",
    options?: ErrorOptions,
  ) {
    super(`Cannot read ${what} as ${rule}`, options);
    this.remedy = remedy;
  }
}

/** A line of an import is no record. */
export class ImportLineInvalidError extends NodeError {
  override readonly name = "ImportLineInvalidError";
  override readonly code = "CLI_IMPORT_LINE_INVALID";
  override readonly remedy =
    "Correct the line and import the whole file again: a record that is " +
    "there already is only written again; `sealkv kv import --dry-run` " +
    "checks a file and writes nothing";

  constructor(
    readonly line: number,
    /** Records written before this line. */
    readonly writtenCount: number,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot import line ${line} as it is no record: ` +
        `${writtenCount} records before it are written`,
      options,
    );
  }
}

/** A value of a type that the line format does not carry. */
export class ValueUnsupportedError extends NodeError {
  override readonly name = "ValueUnsupportedError";
  override readonly code = "CLI_VALUE_UNSUPPORTED";
  override readonly remedy =
    "Copy this record with a program that uses Deno.openKv";

  constructor(readonly what: string) {
    super(`Cannot write the value as JSON as it contains ${what}`);
  }
}

/** `kv get` of a key that has no value. */
export class KeyNotFoundError extends NodeError {
  override readonly name = "KeyNotFoundError";
  override readonly code = "CLI_KEY_NOT_FOUND";
  override readonly remedy =
    "Check the key and its part types: `sealkv kv list --prefix KEY` shows " +
    "what is there";

  constructor() {
    super("Cannot get the key as it has no value");
  }
}

/** `--if-versionstamp` did not hold; nothing was written. */
export class CheckFailedError extends NodeError {
  override readonly name = "CheckFailedError";
  override readonly code = "CLI_CHECK_FAILED";
  override readonly remedy =
    "Read the key again with `sealkv kv get KEY --json` and use its " +
    "versionstamp";

  constructor() {
    super("Cannot write the key as its versionstamp is another one");
  }
}

/** Nobody answered in time. */
export class NoAnswerError extends NodeError {
  override readonly name = "NoAnswerError";
  override readonly code = "CLI_NO_ANSWER";
  override readonly remedy =
    "Check that the node runs (`sealkv status`) and that --url names its " +
    "--listen address";

  constructor(readonly url: string, rule: string, options?: ErrorOptions) {
    super(`Cannot reach the database at "${url}" as ${rule}`, options);
  }
}

/** The database answered and refused. */
export class DatabaseRefusedError extends NodeError {
  override readonly name = "DatabaseRefusedError";
  override readonly code = "CLI_DATABASE_REFUSED";
  override readonly remedy =
    "Change what the cause names, within the limits of Deno KV";

  constructor(readonly action: string, options?: ErrorOptions) {
    super(`Cannot ${action} as the database refuses it`, options);
  }
}

/** The database does not know the token. */
export class TokenRefusedError extends NodeError {
  override readonly name = "TokenRefusedError";
  override readonly code = "CLI_TOKEN_REFUSED";
  override readonly remedy =
    "Give the node's access token in SEALKV_ACCESS_TOKEN or with " +
    "--access-token-file";

  constructor(readonly url: string, readonly source: string) {
    super(
      `Cannot use the database at "${url}" as it refuses the token ` +
        `from ${source}`,
    );
  }
}

/** A program that a command started ended before its time. */
export class ProgramEndedError extends NodeError {
  override readonly name = "ProgramEndedError";
  override readonly code = "CLI_PROGRAM_ENDED";
  override readonly remedy =
    "Do what the cause, its last words, asks for, then run the command again";

  constructor(
    readonly program: string,
    readonly exitCode: number,
    lastWords: string,
  ) {
    super(
      `Cannot go on as "${program}" ended: current value is exit code ${exitCode}`,
      { cause: new Error(lastWords.trim() || "it said nothing") },
    );
  }
}

/** A command runs a program that is not installed. */
export class ProgramMissingError extends NodeError {
  override readonly name = "ProgramMissingError";
  override readonly code = "CLI_PROGRAM_MISSING";
  override readonly remedy =
    "Install it (etcd on Debian: `apt-get install etcd-server etcd-client`), " +
    "or leave out what asks for it, as --against etcd does";

  constructor(readonly program: string, options?: ErrorOptions) {
    super(
      `Cannot run "${program}" as no program of that name is installed`,
      options,
    );
  }
}

/** A demo did not come to the end that it is there to show. */
export class DemoFailedError extends NodeError {
  override readonly name = "DemoFailedError";
  override readonly code = "CLI_DEMO_FAILED";
  override readonly remedy =
    "Run `sealkv demo --auto --keep` and report what it prints with the " +
    "directory that it keeps: nothing in it is secret";

  constructor(readonly complaints: readonly string[]) {
    super(
      "Cannot call the demo a success as the end is not as it should be: " +
        `current value is "${complaints.join(", ")}"`,
    );
  }
}

/** Standard output or error takes no more, and not because its reader left. */
export class OutputFailedError extends NodeError {
  override readonly name = "OutputFailedError";
  override readonly code = "CLI_OUTPUT_FAILED";
  override readonly remedy =
    "Make room where the output goes, then run the command again";

  constructor(options?: ErrorOptions) {
    super("Cannot write the output as the system refuses it", options);
  }
}

/** A one-way step without the cluster's name, or with another one. */
export class UnconfirmedError extends NodeError {
  override readonly name = "UnconfirmedError";
  override readonly code = "CLI_UNCONFIRMED";
  override readonly remedy: string;

  constructor(readonly given: string, readonly cluster: string) {
    super(
      "Cannot take a one-way step as it is not confirmed by the cluster's " +
        `name: current value is "${given}"`,
    );
    this.remedy = `Look at the plan with --dry-run, then give --confirm ` +
      `${cluster}; nothing was changed`;
  }
}

/** A rebuild of a member that the cluster hears from. */
export class MemberRunningError extends NodeError {
  override readonly name = "MemberRunningError";
  override readonly code = "CLI_MEMBER_RUNNING";
  override readonly remedy =
    "Stop its `sealkv serve` and wait until `sealkv status` shows it down; " +
    "nothing was changed";

  constructor(readonly member: string) {
    super(`Cannot rebuild "${member}" as it runs`);
  }
}

/** The change is made and what follows it is not over within `--wait`. */
export class UnfinishedError extends NodeError {
  override readonly name = "UnfinishedError";
  override readonly code = "CLI_UNFINISHED";

  constructor(
    readonly what: string,
    readonly state: string,
    override readonly remedy: string,
  ) {
    super(`Cannot see ${what} in time: current value is ${state}`);
  }
}
