import { ConnectionLostError } from "../io/errors.ts";
import type { Clock } from "../io/clock.ts";
import type { DraftCounters } from "./counters.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { FRAME_ALIVE } from "./frame.ts";
import type { FrameConnection } from "./frame_connection.ts";
import { Keepalive } from "./keepalive.ts";
import type { SendQueue } from "./send_queue.ts";

/** What a session needs of its link. */
export interface SessionParts {
  readonly queue: SendQueue;
  readonly clock: Clock;
  readonly counters: DraftCounters;
  /** The queue has become empty. */
  readonly onDrained: () => void;
}

/** A link's messages over one proven connection, until that ends. */
export class LinkSession {
  readonly #connection: FrameConnection;
  readonly #parts: SessionParts;
  readonly #keepalive: Keepalive;
  #isFlushing = false;
  /** Ends with the flush that runs. */
  #flushed: Promise<void> = Promise.resolve();

  constructor(connection: FrameConnection, parts: SessionParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#keepalive = new Keepalive(connection, parts.clock);
  }

  /** Runs until the connection ends; says why it did. */
  async run(): Promise<string> {
    try {
      for (;;) {
        const frame = await this.#connection.next();
        if (frame === null) {
          return this.#keepalive.isSilent ? "silent" : "closed";
        }
        if (frame.type !== FRAME_ALIVE) return "malformed";
      }
    } catch (error) {
      if (error instanceof TransportFrameInvalidError) return "malformed";
      if (error instanceof ConnectionLostError) return "lost";
      throw error;
    } finally {
      this.#keepalive.stop();
      this.#connection.close();
      await this.#flushed;
    }
  }

  /** Sends what is queued, once the caller's turn has queued all it has. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#flushed = this.#flush();
  }

  /** Ends when the system took what is queued, or the connection ended. */
  drained(): Promise<void> {
    return this.#flushed;
  }

  close(): void {
    this.#connection.close();
  }

  async #flush(): Promise<void> {
    await Promise.resolve();
    const { queue, counters, onDrained } = this.#parts;
    try {
      while (!this.#connection.isClosed) {
        const batch = queue.take();
        if (batch === null) {
          onDrained();
          // The node may have answered with something to send.
          if (queue.bytes === 0) return;
          continue;
        }
        this.#keepalive.sent();
        await this.#connection.write(batch.frame);
        counters.messagesSent += batch.messageCount;
      }
    } catch (error) {
      if (!(error instanceof ConnectionLostError)) throw error;
      this.#connection.close();
    } finally {
      this.#isFlushing = false;
    }
  }
}
