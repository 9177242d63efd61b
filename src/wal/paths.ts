/** Where the parts of a log lie below its directory. */
export interface WalPaths {
  /** The directory given: `raft/` of a data dir. */
  readonly dir: string;
  /** Segments, spares and torn tails. */
  readonly segments: string;
  readonly anchor: string;
  readonly lock: string;
}

export function walPaths(dir: string): WalPaths {
  return {
    dir,
    segments: `${dir}/wal`,
    anchor: `${dir}/anchor`,
    lock: `${dir}/LOCK`,
  };
}
