import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, equalBytes } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import type { Versionstamp } from "../fsm/types.ts";
import type { NodePort, ReadEntry, ReadRange } from "../node/port.ts";
import { encodeWatchFrame } from "./encode_reply.ts";

const KEY_END = new Uint8Array(1);

export interface WatcherOptions {
  readonly node: NodePort;
  readonly database: string;
  readonly keys: readonly Uint8Array[];
  /** Called once, whoever ended it. */
  readonly onEnd: () => void;
  /** Called with what is not a NodeError. */
  readonly onFault: (error: unknown) => void;
}

/**
 * One subscriber: what it was told last, and whether that may be outdated.
 *
 * Written as a difference against what the subscriber knows: changes set a
 * flag, and when the subscriber has room the current state is read and sent if
 * it differs. Nothing is queued for a slow subscriber but one frame.
 */
export class Watcher {
  readonly #options: WatcherOptions;
  readonly #ranges: readonly ReadRange[];
  /** Versionstamps last sent, `null` for no entry; `null` before the first. */
  #known: readonly (Versionstamp | null)[] | null = null;
  #registration: { cancel(): void } | null = null;
  #controller: ReadableStreamDefaultController<Bytes> | null = null;
  #dirty = false;
  #reading = false;
  #ended = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#ranges = options.keys.map((key) => ({
      start: key,
      end: concatBytes(key, KEY_END),
      limit: 1,
      reverse: false,
    }));
  }

  /**
   * Registers, then reads, so that no change falls between. The stream starts
   * with the state of all keys.
   *
   * @throws {NodeError} What the node throws; the watcher has ended then.
   */
  async open(): Promise<ReadableStream<Bytes>> {
    const { node, database, keys } = this.#options;
    this.#registration = node.watch(database, keys, () => this.#onChange());
    try {
      const first = this.#frame(await this.#read(true));
      assert(first !== null, "the first message tells all keys");
      return new ReadableStream<Bytes>({
        start: (controller) => {
          this.#controller = controller;
          controller.enqueue(first);
          // It may have been ended while reading.
          if (this.#ended) controller.close();
        },
        pull: () => this.#send(),
        cancel: () => this.end(),
      });
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Sends `frame` if the subscriber has room; false if it has not. */
  offer(frame: Bytes): boolean {
    if (!this.#hasRoom()) return false;
    this.#controller?.enqueue(frame);
    return true;
  }

  /** Ends the stream cleanly, after what is queued. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#registration?.cancel();
    this.#options.onEnd();
    try {
      this.#controller?.close();
    } catch (error) {
      // A stream that its reader cancelled cannot be closed once more.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  #onChange(): void {
    this.#dirty = true;
    if (this.#controller !== null && !this.#reading) void this.#send();
  }

  #hasRoom(): boolean {
    return !this.#ended && (this.#controller?.desiredSize ?? 0) > 0;
  }

  async #send(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#dirty && this.#hasRoom()) {
        this.#dirty = false;
        const frame = this.#frame(await this.#read(false));
        if (frame !== null && !this.#ended) this.#controller?.enqueue(frame);
      }
    } catch (error) {
      // The client comes back and hears the status then.
      this.end();
      if (!(error instanceof NodeError)) this.#options.onFault(error);
    } finally {
      this.#reading = false;
    }
  }

  async #read(strong: boolean): Promise<readonly (ReadEntry | null)[]> {
    const { node, database } = this.#options;
    const found = await node.read({ database, ranges: this.#ranges, strong });
    return found.map((entries) => entries[0] ?? null);
  }

  /** The frame that brings the subscriber to `entries`; `null` if it is. */
  #frame(entries: readonly (ReadEntry | null)[]): Bytes | null {
    const known = this.#known;
    const isKnown = known !== null &&
      entries.every((entry, i) => sameStamp(known[i] ?? null, entry));
    if (isKnown) return null;
    this.#known = entries.map((entry) => entry?.versionstamp ?? null);
    return encodeWatchFrame(entries);
  }
}

function sameStamp(
  known: Versionstamp | null,
  entry: ReadEntry | null,
): boolean {
  if (known === null || entry === null) {
    return known === null && entry === null;
  }
  return equalBytes(known, entry.versionstamp);
}
