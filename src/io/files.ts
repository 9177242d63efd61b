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
  /**
   * Adds `bytes` to the end of `path`, made (0600) when it is not there; durable
   * when it resolves.
   *
   * @throws {FileError}
   */
  append(path: string, bytes: Bytes): Promise<void>;
  /**
   * Looks at a file that holds a secret: opens `path` once, follows links,
   * tells what the open file is, and reads its first `bytesMax` bytes and not
   * one more. `null` when it is not there. Never waits: only a regular file is
   * read, so a pipe cannot hang it.
   *
   * @throws {FileError} When it cannot be opened or read.
   */
  readPrivate(path: string, bytesMax: number): Promise<PrivateFile | null>;
}

export interface FileContent {
  readonly bytes: Bytes;
  /** Any user of this machine may read it; false where that is unknown. */
  readonly isOpenToOthers: boolean;
}

/** Of the open file itself, so nothing can change between look and use. */
export interface PrivateFile {
  /** Empty unless it is regular. The caller's own: wipe it. */
  readonly bytes: Bytes;
  readonly isRegular: boolean;
  /** Permission bits, 0 to 0o7777; `null` where the system has none. */
  readonly mode: number | null;
}
