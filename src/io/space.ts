/** Room on a file system, in bytes; 0 for what the platform hides. */
export interface Space {
  readonly freeBytes: bigint;
  readonly totalBytes: bigint;
}

/** Of the file system that `path` is on; never rejects. */
export type SpaceOf = (path: string) => Promise<Space>;

/** Length of a file, in bytes; 0 when it cannot be told; never rejects. */
export type BytesOf = (path: string) => Promise<bigint>;
