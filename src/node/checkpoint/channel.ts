import type { Clock } from "../../io/clock.ts";
import type { PeerStream } from "../../transport/port.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import { decodeFrame, encodeFrame, type Frame } from "./frame.ts";
import { CHECKPOINT_LINGER_MS, CHECKPOINT_STALL_MS } from "./limits.ts";
import { within } from "./waiting.ts";

/**
 * Frames over one stream, none of them waited for longer than a stall.
 *
 * All methods reject once `abort` was called, with its error.
 */
export class FrameChannel {
  readonly #stream: PeerStream;
  readonly #clock: Clock;
  readonly #cut = new AbortController();
  #next: Promise<Frame> | null = null;

  constructor(stream: PeerStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** This side has called `abort`. */
  get isAborted(): boolean {
    return this.#cut.signal.aborted;
  }

  /** Resolves when the system took it. */
  send(frame: Frame): Promise<void> {
    return within(this.#stream.write(encodeFrame(frame)), this.#patience());
  }

  /** The next frame. @throws {CheckpointInterruptedError} At the end. */
  async receive(): Promise<Frame> {
    const next = this.next();
    this.#next = null;
    return await within(next, this.#patience());
  }

  /** As `receive`, but waits for ever and leaves the frame to `receive`. */
  next(): Promise<Frame> {
    if (this.#next === null) {
      this.#next = this.#read();
      // Who asked may have given up when it fails.
      this.#next.catch(() => {});
    }
    return this.#next;
  }

  /**
   * Says `frame`, the last one, and lets the other side close: unread bytes
   * would make the system throw the answer away.
   */
  async farewell(frame: Frame): Promise<void> {
    await this.send(frame);
    const drained = async () => {
      while (await this.#stream.read() !== null);
    };
    await within(drained(), this.#patience(CHECKPOINT_LINGER_MS));
  }

  abort(error: Error): void {
    this.#cut.abort(error);
    this.close();
  }

  close(): void {
    this.#stream.close();
  }

  async #read(): Promise<Frame> {
    const bytes = await this.#stream.read();
    if (bytes === null) {
      throw new CheckpointInterruptedError("the other side closed");
    }
    return decodeFrame(bytes);
  }

  #patience(ms = CHECKPOINT_STALL_MS) {
    return { clock: this.#clock, ms, signal: this.#cut.signal };
  }
}
