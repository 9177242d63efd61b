import { NodeError } from "../base/error.ts";

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
