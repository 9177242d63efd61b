import type { Bytes } from "../base/bytes.ts";

export const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** This process, and programs it runs. */
export interface ProcessPort {
  env(name: string): string | undefined;
  /** Forgets a secret that came by environment. */
  deleteEnv(name: string): void;
  /** Calls `handler` on each stop signal until cancelled. */
  onStopSignal(handler: (signal: StopSignal) => void): { cancel(): void };
  /** Runs a program to its end, without a shell. @throws {ExecError} */
  exec(command: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Resident set of this process in bytes. */
  residentBytes(): number;
}

export interface ExecOptions {
  readonly timeoutMs: number;
  /** Standard output beyond this ends the program. */
  readonly stdoutBytesMax: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Bytes;
  readonly stderr: string;
}
