import { NodeError } from "../base/error.ts";

/** No connection could be made to an address. */
export class ConnectError extends NodeError {
  override readonly name = "ConnectError";
  override readonly code = "IO_CONNECT_FAILED";
  override readonly remedy =
    "Check that the other side runs, listens on this address and, with TLS, " +
    "has a certificate for this name";

  constructor(readonly address: string, options?: ErrorOptions) {
    super(`Cannot connect to "${address}"`, options);
  }
}

/** A connection broke before its end. */
export class ConnectionLostError extends NodeError {
  override readonly name = "ConnectionLostError";
  override readonly code = "IO_CONNECTION_LOST";
  override readonly remedy =
    "Check the network between the two sides; the connection is made again";

  constructor(readonly address: string, options?: ErrorOptions) {
    super(`Cannot go on with the connection to "${address}"`, options);
  }
}

/** A program that this one runs did not do its work. */
export class ExecError extends NodeError {
  override readonly name = "ExecError";
  override readonly code = "IO_EXEC_FAILED";
  override readonly remedy =
    "Run the program by hand as the same user and correct what it reports";

  constructor(readonly program: string, rule: string, options?: ErrorOptions) {
    super(`Cannot use the program "${program}" as ${rule}`, options);
  }
}

/** A small file could not be read or made. */
export class FileError extends NodeError {
  override readonly name = "FileError";
  override readonly code = "IO_FILE_FAILED";
  override readonly remedy =
    "Check that the path exists, is a file, and that this user may use it";

  constructor(
    readonly action: "read" | "create",
    readonly path: string,
    rule: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot ${action} the file "${path}" as ${rule}`, options);
  }
}

/** An address could not be bound, or no longer takes connections. */
export class ListenError extends NodeError {
  override readonly name = "ListenError";
  override readonly code = "IO_LISTEN_FAILED";
  override readonly remedy =
    "Stop what else uses this address, or give another one with --listen, " +
    "--peer-listen or --admin-listen";

  constructor(readonly address: string, options?: ErrorOptions) {
    super(`Cannot listen on "${address}"`, options);
  }
}
