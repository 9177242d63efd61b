import type { ErrorCode } from "../base/error_code.ts";
import { NodeError } from "../base/error.ts";

/** What was being done to the path, for the message of a `DiskError`. */
export type DiskAction =
  | "open"
  | "create"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "rename"
  | "remove"
  | "list"
  | "stat"
  | "lock"
  | "make";

/** A file or directory operation that the operating system refused. */
export abstract class DiskError extends NodeError {
  constructor(
    rule: string,
    readonly action: DiskAction,
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot ${action} "${path}" ${rule}`, options);
  }
}

/** The file system, or the quota on it, is full. */
export class DiskNoSpaceError extends DiskError {
  override readonly name = "DiskNoSpaceError";
  override readonly code: ErrorCode = "IO_NO_SPACE";
  override readonly remedy =
    "Free space on this file system, then start the node again: `sealkv serve`";

  constructor(action: DiskAction, path: string, options?: ErrorOptions) {
    super("as the disk has no space left", action, path, options);
  }
}

export class DiskNotFoundError extends DiskError {
  override readonly name = "DiskNotFoundError";
  override readonly code: ErrorCode = "IO_NOT_FOUND";
  override readonly remedy =
    "Check that the data directory is mounted and complete";

  constructor(action: DiskAction, path: string, options?: ErrorOptions) {
    super("as it does not exist", action, path, options);
  }
}

export class DiskExistsError extends DiskError {
  override readonly name = "DiskExistsError";
  override readonly code: ErrorCode = "IO_ALREADY_EXISTS";
  override readonly remedy =
    "Check that no other program writes to the data directory";

  constructor(action: DiskAction, path: string, options?: ErrorOptions) {
    super("as it exists already", action, path, options);
  }
}

export class DiskDeniedError extends DiskError {
  override readonly name = "DiskDeniedError";
  override readonly code: ErrorCode = "IO_PERMISSION_DENIED";
  override readonly remedy =
    "Give the user that runs the node read and write access to this path";

  constructor(action: DiskAction, path: string, options?: ErrorOptions) {
    super("as this user may not", action, path, options);
  }
}

/** Any other failure: damaged device, broken mount, failed sync. */
export class DiskFailedError extends DiskError {
  override readonly name = "DiskFailedError";
  override readonly code: ErrorCode = "IO_FAILED";
  override readonly remedy =
    "Check the device and the kernel log (`dmesg`) before using it again";

  constructor(action: DiskAction, path: string, options?: ErrorOptions) {
    super("as the system reports a failure", action, path, options);
  }
}

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

/** A small file could not be read or made. */
export class FileError extends NodeError {
  override readonly name = "FileError";
  override readonly code = "IO_FILE_FAILED";
  override readonly remedy =
    "Check that the path exists, is a file, and that this user may use it";

  constructor(
    readonly action: "read" | "create" | "append to",
    readonly path: string,
    rule: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot ${action} the file "${path}" as ${rule}`, options);
  }
}
