import type { Bytes } from "../base/bytes.ts";

/** Small whole files: configuration, tokens, certificates. Never the log. */
export interface Files {
  /**
   * Reads all of `path`, opened for reading only; `null` when it is not there.
   *
   * @throws {FileError} When it cannot be read or is longer than `bytesMax`.
   */
  read(path: string, bytesMax: number): Promise<FileContent | null>;
  /**
   * Makes a new file (0600) with all of `bytes`, and its directories (0700).
   *
   * All or nothing: a reader sees the whole file or none. False, and nothing
   * changed, when `path` exists.
   *
   * @throws {FileError}
   */
  createPrivate(path: string, bytes: Bytes): Promise<boolean>;
}

export interface FileContent {
  readonly bytes: Bytes;
  /** Any user of this machine may read it; false where that is unknown. */
  readonly isOpenToOthers: boolean;
}
