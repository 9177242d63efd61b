import type { Bytes } from "../base/bytes.ts";
import { ConnectionLostError } from "../io/errors.ts";
import type { RemoteAddress } from "../io/http.ts";
import type { NetConnection } from "../io/net.ts";
import type { DraftCounters } from "./counters.ts";
import { type Frame, FrameReader } from "./frame.ts";
import { FRAME_BYTES_MAX, HELLO_BYTES_MAX } from "./limits.ts";

/** Frames over a connection, small ones until both ends are proven. */
export class FrameConnection {
  readonly #connection: NetConnection;
  readonly #counters: DraftCounters;
  readonly #reader = new FrameReader(HELLO_BYTES_MAX);
  readonly remoteText: string;
  readonly remote: RemoteAddress;
  /** Called with every arrival. */
  onBytes: () => void = () => {};
  /** Ends when the write before has. */
  #written: Promise<void> = Promise.resolve();
  #writes = 0;
  #isClosed = false;

  constructor(connection: NetConnection, counters: DraftCounters) {
    this.#connection = connection;
    this.#counters = counters;
    this.remote = connection.remote;
    this.remoteText = `${this.remote.hostname}:${this.remote.port}`;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether bytes wait for the system to take them. */
  get isWriting(): boolean {
    return this.#writes > 0;
  }

  /** Whether bytes came that no frame took yet. */
  get hasUnread(): boolean {
    return this.#reader.unread > 0;
  }

  /** Both ends are proven: frames may be long. */
  trust(): void {
    this.#reader.allow(FRAME_BYTES_MAX);
  }

  /**
   * The next frame; `null` at the end of the stream and after `close`.
   *
   * @throws {ConnectionLostError}
   * @throws {TransportFrameInvalidError}
   */
  async next(): Promise<Frame | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const frame = this.#reader.next();
      if (frame !== null) return frame;
      const chunk = await this.#connection.read();
      if (chunk === null) return null;
      this.#counters.bytesReceived += chunk.length;
      this.onBytes();
      this.#reader.push(chunk);
    }
  }

  /**
   * Writes after what was written before; resolves when the system took it.
   *
   * @throws {ConnectionLostError}
   */
  async write(frame: Bytes): Promise<void> {
    const before = this.#written;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#written = promise;
    this.#writes += 1;
    try {
      if (this.#writes > 1) await before;
      if (this.#isClosed) throw new ConnectionLostError(this.remoteText);
      await this.#connection.write(frame);
      this.#counters.bytesSent += frame.length;
    } finally {
      this.#writes -= 1;
      resolve();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}
