import type { Clock } from "../io/clock.ts";
import type { Files } from "../io/files.ts";
import type { HttpClientPort } from "../io/http.ts";
import type { ProcessPort } from "../io/process.ts";
import type { Random } from "../io/random.ts";

/** The world as KEK providers need it. They close none of it. */
export interface KekPorts {
  readonly files: Files;
  readonly process: ProcessPort;
  readonly random: Random;
  /** Verifies the certificates of providers. */
  readonly http: HttpClientPort;
  readonly clock: Clock;
}
