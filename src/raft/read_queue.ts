import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { Message } from "./message.ts";
import { jointIndex, type VoterHalves } from "./quorum.ts";
import type { LogIndex, RaftId } from "./types.ts";

/** A read that waits for a quorum to confirm that its leader still leads. */
export interface PendingRead {
  readonly request: Message;
  /** Commit index when the read arrived. */
  readonly index: LogIndex;
}

const POSITION_BYTES = 8;

/**
 * Reads of one leadership in order of arrival.
 *
 * Heartbeats carry the position of the newest read, a count that only grows
 * and that the leader makes itself: an answer confirms every read up to the
 * position it echoes. What callers call their reads never serves as proof, so
 * a token that is used twice confirms nothing early.
 */
export class ReadQueue {
  #reads: PendingRead[] = [];
  #confirmed = 0;
  readonly #acked = new Map<RaftId, number>();

  get length(): number {
    return this.#reads.length;
  }

  /** Position of the newest read, counted from the start of the leadership. */
  get position(): number {
    return this.#confirmed + this.#reads.length;
  }

  add(read: PendingRead): void {
    this.#reads.push(read);
  }

  /** What a heartbeat carries; empty while no read waits. */
  context(): Bytes {
    return this.#reads.length === 0
      ? EMPTY_BYTES
      : encodePosition(this.position);
  }

  /** Takes note that `id` has seen `position`. */
  ack(id: RaftId, position: number): void {
    if (position > this.position) return;
    if (position > (this.#acked.get(id) ?? 0)) this.#acked.set(id, position);
  }

  /** Removes and returns the reads that a quorum of `halves` confirmed. */
  release(halves: VoterHalves): readonly PendingRead[] {
    const seen = jointIndex(halves, (id) => this.#acked.get(id) ?? 0);
    const count = Math.min(seen, this.position) - this.#confirmed;
    if (count <= 0) return [];
    this.#confirmed += count;
    return this.#reads.splice(0, count);
  }
}

/** Writes a position as u64 little-endian. */
export function encodePosition(position: number): Bytes {
  const bytes = new Uint8Array(POSITION_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, position % 2 ** 32, true);
  view.setUint32(4, Math.floor(position / 2 ** 32), true);
  return bytes;
}

/** Reads what `encodePosition` wrote; `null` for anything else. */
export function decodePosition(bytes: Uint8Array): number | null {
  if (bytes.length !== POSITION_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, POSITION_BYTES);
  const position = view.getUint32(4, true) * 2 ** 32 +
    view.getUint32(0, true);
  return Number.isSafeInteger(position) ? position : null;
}
