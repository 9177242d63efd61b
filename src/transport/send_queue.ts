import type { Bytes } from "../base/bytes.ts";
import { encodeBatch, type Outgoing } from "./batch.ts";
import {
  BATCH_BYTES_TARGET,
  LINK_QUEUE_BYTES_MAX,
  LINK_RESERVE_BYTES,
  SMALL_BYTES_MAX,
} from "./limits.ts";

/** Below this many taken items the array is not worth moving. */
const TAKEN_MAX = 1024;

/** What waits for one link, in order, bounded by bytes. */
export class SendQueue {
  #items: Outgoing[] = [];
  #head = 0;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes `item`; false when there is no room for one of its size. */
  offer(item: Outgoing): boolean {
    const bytesMax = item.bytes <= SMALL_BYTES_MAX
      ? LINK_QUEUE_BYTES_MAX + LINK_RESERVE_BYTES
      : LINK_QUEUE_BYTES_MAX;
    if (this.#bytes + item.bytes > bytesMax) return false;
    this.#items.push(item);
    this.#bytes += item.bytes;
    return true;
  }

  /** The next items as one frame, at least one of them; `null` for none. */
  take(): { readonly frame: Bytes; readonly messageCount: number } | null {
    const parts: Outgoing[] = [];
    let bytes = 0;
    let messageCount = 0;
    for (;;) {
      const item = this.#items[this.#head];
      if (item === undefined) break;
      if (bytes > 0 && bytes + item.bytes > BATCH_BYTES_TARGET) break;
      parts.push(item);
      bytes += item.bytes;
      if (item.kind === "message") messageCount += 1;
      this.#head += 1;
    }
    if (parts.length === 0) return null;
    this.#bytes -= bytes;
    this.#forgetTaken();
    return { frame: encodeBatch(parts, bytes), messageCount };
  }

  /** Forgets everything; returns how many messages that were. */
  clear(): number {
    const count = this.#items.slice(this.#head)
      .filter((item) => item.kind === "message").length;
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return count;
  }

  #forgetTaken(): void {
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head > TAKEN_MAX && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
