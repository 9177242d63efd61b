import {
  NO_KEY,
  SEALING_PURPOSES,
  type SealingPurpose,
} from "../../base/data_key.ts";
import { NodeError } from "../../base/error.ts";
import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { WornKeysHost } from "./worn_keys.ts";

export interface StartRotationHost
  extends Pick<WornKeysHost, "state" | "isFree" | "rotate"> {
  readonly clock: Clock;
  readonly log: EventLog;
  /** `--encryption-rotate-on-startup` is given. */
  readonly isWanted: boolean;
  /** Whether all is applied that was committed when this process started. */
  isCaughtUp(): boolean;
  leads(): boolean;
}

/** Not to be told of: the leader is about to be able to. */
const SOON: readonly string[] = [
  "NODE_NOT_READY",
  "NODE_NOT_LEADER",
  "NODE_CHANGE_UNDER_WAY",
  "NODE_MEMBER_CHANGE_REFUSED",
];
/** A rotation that failed is asked for again. */
const ROTATE_AGAIN_MS = 60_000;

/**
 * Rotates every active purpose once in the life of a process, if it was started
 * to and leads: before its clients are let in, or when it comes to lead later.
 *
 * A request, not a promise: it lapses with the process, and without keys.
 */
export class StartRotation {
  readonly #host: StartRotationHost;
  #left: readonly SealingPurpose[];
  #isRunning = false;
  /** It has failed once: clients need not wait for it any longer. */
  #hasFailed = false;
  #againMs = -Infinity;

  constructor(host: StartRotationHost) {
    this.#host = host;
    this.#left = host.isWanted ? SEALING_PURPOSES : [];
  }

  /** Whether clients are to wait. */
  get isAwaited(): boolean {
    return this.#left.length > 0 && !this.#hasFailed && this.#host.leads();
  }

  /** Begins what is to be done now. For ticks. */
  begin(): void {
    const { clock, isFree, isCaughtUp, state } = this.#host;
    if (this.#left.length === 0 || this.#isRunning || !isCaughtUp()) return;
    if (state().stateKey === NO_KEY) {
      if (this.#host.leads()) this.#left = [];
      return;
    }
    if (!isFree() || clock.monotonicMs() < this.#againMs) return;
    this.#isRunning = true;
    void this.#run().finally(() => void (this.#isRunning = false));
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#host;
    for (const purpose of this.#left) {
      try {
        const index = await this.#host.rotate(purpose);
        this.#left = this.#left.filter((one) => one !== purpose);
        log.write("info", "encryption_key_rotated", { purpose, index });
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        const { code } = error;
        if (SOON.includes(code)) return;
        this.#hasFailed = true;
        this.#againMs = clock.monotonicMs() + ROTATE_AGAIN_MS;
        log.write("warn", "encryption_rotation_failed", { purpose, code });
        return;
      }
    }
  }
}
