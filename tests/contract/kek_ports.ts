import { denoClock } from "../../src/io/deno/clock.ts";
import { denoFiles } from "../../src/io/deno/files.ts";
import { denoHttpClient } from "../../src/io/deno/http.ts";
import { denoProcess } from "../../src/io/deno/process.ts";
import { denoRandom } from "../../src/io/deno/random.ts";
import type { Clock } from "../../src/io/clock.ts";
import type { ProcessPort } from "../../src/io/process.ts";
import type { KekPorts } from "../../src/keys/kek_ports.ts";

/** Above this a delay is a limit on an answer, below it a wait between tries. */
const LIMIT_MS_MIN = 1_000;
const WAITS_PER_MS = 100;

export interface KekPortOptions {
  /** Instead of this machine's. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What limits on answers are shortened to. */
  readonly limitMs?: number;
  /** Added to the wall clock. */
  readonly clockOffMs?: number;
  /** PEM of an authority to trust as well. */
  readonly ca?: string;
}

/** Real files, programs and sockets; time in a hurry; a given environment. */
export function kekPorts(options: KekPortOptions = {}): KekPorts & {
  readonly variables: Map<string, string>;
  close(): void;
} {
  const { ca } = options;
  const http = denoHttpClient(ca === undefined ? {} : { ca });
  const variables = new Map(Object.entries(options.variables ?? {}));
  const process: ProcessPort = {
    ...denoProcess(),
    env: (name) => variables.get(name),
    deleteEnv: (name) => void variables.delete(name),
  };
  return {
    files: denoFiles(),
    process,
    random: denoRandom(),
    http,
    clock: hurriedClock(options),
    variables,
    close: () => http.close(),
  };
}

function hurriedClock({ limitMs, clockOffMs = 0 }: KekPortOptions): Clock {
  const clock = denoClock();
  return {
    ...clock,
    wallMs: () => clock.wallMs() + clockOffMs,
    after: (delayMs, task) =>
      clock.after(
        delayMs < LIMIT_MS_MIN ? delayMs / WAITS_PER_MS : limitMs ?? delayMs,
        task,
      ),
  };
}
