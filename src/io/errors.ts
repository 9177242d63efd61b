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
