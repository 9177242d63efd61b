import type { ServerProcesses } from "../bench/servers.ts";

/** Servers that a bench started, each in a directory of its own. */
export interface BenchCluster {
  readonly name: string;
  /** HOST:PORT that clients use, one for each member. */
  readonly addresses: readonly string[];
  readonly processes: ServerProcesses;
  /** Position of the leader. @throws {Error} While there is none. */
  leader(): Promise<number>;
  /** `kill -9`; resolves when the process is gone. */
  kill(member: number): Promise<void>;
  /** Starts a killed member again; resolves when it takes part. */
  revive(member: number): Promise<void>;
  /** MiB of each member; `null` where the system does not tell. */
  residentMib(): Promise<readonly (number | null)[]>;
  stop(): Promise<void>;
}
