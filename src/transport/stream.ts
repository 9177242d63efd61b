import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import { ConnectionLostError } from "../io/errors.ts";
import type { RaftId } from "../raft/types.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import {
  encodeFrame,
  type Frame,
  FRAME_ALIVE,
  FRAME_STREAM,
  FRAME_STREAM_END,
} from "./frame.ts";
import type { FrameConnection } from "./frame_connection.ts";
import { Keepalive } from "./keepalive.ts";
import {
  STREAM_FRAME_BYTES_MAX,
  STREAM_FRAMES_AHEAD,
  STREAM_LINGER_MS_MAX,
} from "./limits.ts";
import type { PeerStream } from "./port.ts";

/**
 * A bulk transfer over a proven connection of its own.
 *
 * Reads STREAM_FRAMES_AHEAD frames ahead and no more, so a slow reader holds
 * the writer back. An end without the other side's word is an error: a
 * transfer that broke never looks complete.
 */
export class FrameStream implements PeerStream {
  readonly peer: RaftId;
  readonly #connection: FrameConnection;
  readonly #clock: Clock;
  readonly #keepalive: Keepalive;
  readonly #frames: Bytes[] = [];
  /** How the other side's frames ended; `null` while they have not. */
  #end: "whole" | NodeError | null = null;
  #isClosed = false;
  /** Wakes who waits in `read`. */
  #arrived: () => void = () => {};
  /** Wakes the pump. */
  #taken: () => void = () => {};
  /** Ends with the connection. */
  readonly ended: Promise<void>;

  constructor(peer: RaftId, connection: FrameConnection, clock: Clock) {
    this.peer = peer;
    this.#connection = connection;
    this.#clock = clock;
    this.#keepalive = new Keepalive(connection, clock);
    this.ended = this.#pump();
  }

  async write(frame: Uint8Array): Promise<void> {
    assert(
      frame.length > 0 && frame.length <= STREAM_FRAME_BYTES_MAX,
      "a frame of a stream has 1 byte to 1 MiB",
    );
    if (this.#isClosed) {
      throw new ConnectionLostError(this.#connection.remoteText);
    }
    this.#keepalive.sent();
    await this.#connection.write(encodeFrame(FRAME_STREAM, frame));
  }

  async read(): Promise<Bytes | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#taken();
        return frame;
      }
      if (this.#end === "whole") return null;
      if (this.#end !== null) throw this.#end;
      await new Promise<void>((resolve) => this.#arrived = resolve);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The pump discards what still comes until the other side has read our end
    // and closes: unread bytes would reset the connection before that.
    const late = this.#clock.after(STREAM_LINGER_MS_MAX, () => this.abandon());
    this.ended.then(() => late.cancel());
    this.#connection.write(encodeFrame(FRAME_STREAM_END))
      .catch(() => this.abandon());
    this.#arrived();
    this.#taken();
  }

  /** Ends it without a word. */
  abandon(): void {
    this.#isClosed = true;
    this.#connection.close();
    this.#arrived();
    this.#taken();
  }

  /** Takes frames in until either side has closed, then ends the connection. */
  async #pump(): Promise<void> {
    try {
      while (this.#end === null) {
        await this.#room();
        this.#end = this.#take(await this.#connection.next());
        this.#arrived();
      }
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      this.#end = error;
    } finally {
      this.#keepalive.stop();
      this.#connection.close();
      this.#arrived();
    }
  }

  /** Ends when another frame may be read ahead. */
  async #room(): Promise<void> {
    while (!this.#isClosed && this.#frames.length >= STREAM_FRAMES_AHEAD) {
      this.#keepalive.isPaused = true;
      await new Promise<void>((resolve) => this.#taken = resolve);
      this.#keepalive.isPaused = false;
    }
  }

  /** Keeps a frame for `read`; tells whether and how the stream ended. */
  #take(frame: Frame | null): "whole" | NodeError | null {
    switch (frame?.type) {
      case undefined:
        return new ConnectionLostError(this.#connection.remoteText);
      case FRAME_STREAM_END:
        return "whole";
      case FRAME_ALIVE:
        return null;
      case FRAME_STREAM:
        if (!this.#isClosed) this.#frames.push(bounded(frame));
        return null;
      default:
        throw new TransportFrameInvalidError(
          `type ${frame?.type} in a stream`,
        );
    }
  }
}

function bounded({ body }: Frame): Bytes {
  if (body.length > 0 && body.length <= STREAM_FRAME_BYTES_MAX) return body;
  throw new TransportFrameInvalidError(`${body.length} bytes in a stream`);
}
