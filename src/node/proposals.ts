import type { AtomicWrite, Change, WriteReply } from "../fsm/types.ts";
import { OverloadedError } from "./errors.ts";
import {
  GROUP_BYTES_MAX,
  GROUP_CHANGES_MAX,
  GROUP_KEY_BYTES_MAX,
  WAITING_BYTES_MAX,
  WAITING_WRITES_MAX,
} from "./limits.ts";

/** What one write adds to a proposal and to the store's atomic. */
export interface WriteSize {
  /** At least 1: a write that only checks takes room too. */
  readonly changes: number;
  readonly keyBytes: number;
  readonly bytes: number;
}

interface PendingWrite {
  readonly write: AtomicWrite;
  readonly size: WriteSize;
  readonly settle: {
    readonly resolve: (reply: WriteReply) => void;
    readonly reject: (error: Error) => void;
  };
}

export interface ProposalBatch {
  readonly id: number;
  readonly writes: readonly AtomicWrite[];
}

/**
 * Clients' writes on their way: waiting for a proposal, then in flight under
 * the proposal's id until the entry is applied here.
 */
export class Proposals {
  #waiting: PendingWrite[] = [];
  #waitingBytes = 0;
  #nextId: number;
  #idleWaiters: (() => void)[] = [];
  readonly #inFlight = new Map<number, readonly PendingWrite[]>();

  /**
   * `firstId` differs between two starts of a node, so that an entry replayed
   * from the log never answers a new caller.
   */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  /** @throws {OverloadedError} When too much is waiting. */
  add(write: AtomicWrite): Promise<WriteReply> {
    const size = sizeOfWrite(write);
    if (
      this.#waiting.length >= WAITING_WRITES_MAX ||
      this.#waitingBytes + size.bytes > WAITING_BYTES_MAX
    ) {
      throw new OverloadedError("writes", this.#waiting.length);
    }
    this.#waitingBytes += size.bytes;
    const { promise, resolve, reject } = Promise.withResolvers<WriteReply>();
    this.#waiting.push({ write, size, settle: { resolve, reject } });
    return promise;
  }

  /** Moves the longest prefix that fits one proposal into flight. */
  takeBatch(): ProposalBatch | null {
    const first = this.#waiting[0];
    if (first === undefined) return null;
    let { changes, keyBytes, bytes } = first.size;
    let count = 1;
    for (; count < this.#waiting.length; count += 1) {
      const size = (this.#waiting[count] as PendingWrite).size;
      changes += size.changes;
      keyBytes += size.keyBytes;
      bytes += size.bytes;
      if (!fitsGroup({ changes, keyBytes, bytes })) break;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    for (const pending of batch) this.#waitingBytes -= pending.size.bytes;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#inFlight.set(id, batch);
    return { id, writes: batch.map((pending) => pending.write) };
  }

  /** Resolves when no write waits or is in flight. */
  idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idleWaiters.push(resolve);
    this.#wakeIdle();
    return promise;
  }

  /** Answers the callers of proposal `id`, if they wait here. */
  resolve(id: number, replies: readonly WriteReply[]): void {
    const batch = this.#inFlight.get(id);
    if (batch === undefined) return;
    this.#inFlight.delete(id);
    replies.forEach((reply, i) => batch[i]?.settle.resolve(reply));
    this.#wakeIdle();
  }

  /** Fails proposal `id`, which the core refused: nothing was changed. */
  refuse(id: number, error: Error): void {
    const batch = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    for (const pending of batch ?? []) pending.settle.reject(error);
    this.#wakeIdle();
  }

  /** Fails what waits with `waiting` and what is in flight with `inFlight`. */
  failAll(waiting: Error, inFlight: Error): void {
    for (const pending of this.#waiting) pending.settle.reject(waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const id of [...this.#inFlight.keys()]) this.refuse(id, inFlight);
    this.#wakeIdle();
  }

  #wakeIdle(): void {
    if (this.#waiting.length > 0 || this.#inFlight.size > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters = [];
  }
}

/** Tells whether that much fits one proposal and one atomic of the store. */
export function fitsGroup(size: WriteSize): boolean {
  return size.changes <= GROUP_CHANGES_MAX && size.bytes <= GROUP_BYTES_MAX &&
    size.keyBytes <= GROUP_KEY_BYTES_MAX;
}

/** Measures `write`; a row's own overhead is in the group limits. */
export function sizeOfWrite(write: AtomicWrite): WriteSize {
  let keyBytes = 0;
  let bytes = 0;
  for (const check of write.checks) bytes += check.key.length;
  for (const change of write.changes) {
    keyBytes += change.key.length;
    bytes += change.key.length + valueBytes(change);
  }
  return { changes: Math.max(write.changes.length, 1), keyBytes, bytes };
}

function valueBytes(change: Change): number {
  return change.kind === "delete" ? 0 : change.value.data.length;
}
