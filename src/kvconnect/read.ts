import { present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Clock, Timer } from "../io/clock.ts";
import type { NodePort, ReadRange } from "../node/port.ts";
import { encodeReadReply, readReplySize } from "./encode_reply.ts";
import {
  READ_ENTRIES_CONCURRENT_MAX,
  READ_ENTRIES_SMALL,
  REPLY_CHUNK_BYTES,
  REPLY_STALL_MS,
} from "./limits.ts";
import { ReadGate } from "./read_gate.ts";
import { protobufReply } from "./replies.ts";

/** Answers snapshot reads; large ones wait for each other and are streamed. */
export class Reads {
  readonly #node: NodePort;
  readonly #clock: Clock;
  readonly #gate = new ReadGate(READ_ENTRIES_CONCURRENT_MAX);

  constructor(node: NodePort, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  /** Entries held by large reads in progress. */
  get entriesHeld(): number {
    return this.#gate.entries;
  }

  /**
   * Reads strongly. A reply never holds fewer entries than there are up to the
   * limit: Deno takes a short page for the last.
   *
   * @throws {NodeError} What the node throws.
   */
  async answer(
    database: string,
    ranges: readonly ReadRange[],
  ): Promise<Response> {
    let entries = 0;
    for (const range of ranges) entries += range.limit;
    const held = entries > READ_ENTRIES_SMALL ? entries : 0;
    if (held > 0) await this.#gate.enter(held);
    let inside = true;
    const leave = () => {
      if (inside) this.#gate.leave(held);
      inside = false;
    };
    try {
      const found = await this.#node.read({
        database,
        ranges,
        strong: true,
      });
      const size = readReplySize(found);
      const chunks = encodeReadReply(found, size);
      if (size > REPLY_CHUNK_BYTES) {
        return protobufReply(streamOf(chunks, this.#clock, leave));
      }
      leave();
      const whole = chunks.next().value;
      return protobufReply(present(whole, "a reply has a chunk"));
    } catch (error) {
      leave();
      throw error;
    }
  }
}

/**
 * Streams `chunks` as they are taken; cuts a stream nobody takes. The HTTP
 * server cancels the stream when its client is gone, even before the reply.
 */
function streamOf(
  chunks: Generator<Bytes, undefined>,
  clock: Clock,
  onEnd: () => void,
): ReadableStream<Bytes> {
  let stall: Timer | null = null;
  const end = () => {
    stall?.cancel();
    onEnd();
  };
  return new ReadableStream<Bytes>({
    pull(controller) {
      stall?.cancel();
      const next = chunks.next();
      if (next.done === true) {
        end();
        controller.close();
        return;
      }
      controller.enqueue(next.value);
      stall = clock.after(REPLY_STALL_MS, () => {
        end();
        controller.error(new DOMException("Reply not taken", "TimeoutError"));
      });
    },
    cancel: end,
  });
}
