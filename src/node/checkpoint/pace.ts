import type { Clock } from "../../io/clock.ts";
import { PIECE_HEAD_BYTES } from "./frame.ts";
import { CHECKPOINT_FRAME_BYTES_MAX, CHECKPOINT_RATE_MIN } from "./limits.ts";
import { pause } from "./waiting.ts";

/** How fast checkpoints leave this member, all together. */
export class Pace {
  readonly #clock: Clock;
  readonly #rate: number | null;
  #freeAtMs = 0;

  /** `rate` in bytes a second, at least CHECKPOINT_RATE_MIN; `null`: no bound. */
  constructor(clock: Clock, rate: number | null) {
    this.#clock = clock;
    this.#rate = rate === null ? null : Math.max(rate, CHECKPOINT_RATE_MIN);
  }

  /** What one frame should carry: a frame full, or what a second allows. */
  get pieceBytes(): number {
    const full = CHECKPOINT_FRAME_BYTES_MAX - PIECE_HEAD_BYTES;
    return Math.min(full, Math.floor(this.#rate ?? full));
  }

  /** Waits for the turn of `bytes`. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#rate === null) return;
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = startMs + bytes / this.#rate * 1_000;
    const ms = startMs - nowMs;
    if (ms > 0) await pause({ clock: this.#clock, ms, signal });
  }
}
