import type { Clock, Timer } from "../io/clock.ts";
import { encodeFrame, FRAME_ALIVE } from "./frame.ts";
import type { FrameConnection } from "./frame_connection.ts";
import { KEEPALIVE_MS, SILENT_INTERVALS_MAX } from "./limits.ts";

const ALIVE = encodeFrame(FRAME_ALIVE);

/**
 * Notices that the other end is gone without a word: a cable pulled, a machine
 * stopped, a partition.
 *
 * Each end sends something at least every KEEPALIVE_MS and closes a connection
 * on which nothing came for SILENT_INTERVALS_MAX of them. Intervals are
 * counted, not time: a process that stood still itself blames nobody.
 */
export class Keepalive {
  readonly #connection: FrameConnection;
  readonly #clock: Clock;
  #timer: Timer;
  #silentIntervals = 0;
  #hasSent = false;
  /** While nobody reads, silence says nothing. */
  isPaused = false;
  /** Whether it closed the connection. */
  isSilent = false;

  constructor(connection: FrameConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    connection.onBytes = () => this.#silentIntervals = 0;
    this.#timer = clock.after(KEEPALIVE_MS, () => this.#tick());
  }

  /** Something else was sent: this interval needs no sign of life. */
  sent(): void {
    this.#hasSent = true;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #tick(): void {
    if (this.#connection.isClosed) return;
    if (this.isPaused) this.#silentIntervals = 0;
    else this.#silentIntervals += 1;
    if (this.#silentIntervals > SILENT_INTERVALS_MAX) {
      this.isSilent = true;
      this.#connection.close();
      return;
    }
    if (!this.#hasSent && !this.#connection.isWriting) {
      // Whoever reads this connection notices what this write would.
      this.#connection.write(ALIVE).catch(() => this.#connection.close());
    }
    this.#hasSent = false;
    this.#timer = this.#clock.after(KEEPALIVE_MS, () => this.#tick());
  }
}
