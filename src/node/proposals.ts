import type { AtomicWrite, Change, WriteReply } from "../fsm/types.ts";
import type { Term } from "../raft/types.ts";
import {
  NotReadyError,
  OutcomeUnknownError,
  OverloadedError,
} from "./errors.ts";
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
  /** Dense, in the order of arrival. */
  readonly order: number;
  readonly write: AtomicWrite;
  readonly size: WriteSize;
  /** Monotonic ms. */
  readonly addedMs: number;
  readonly settle: {
    readonly resolve: (reply: WriteReply) => void;
    readonly reject: (error: Error) => void;
  };
}

/** One proposal under way: its entry, if there is one, has this term. */
interface InFlight {
  readonly term: Term;
  readonly batch: readonly PendingWrite[];
}

export interface ProposalBatch {
  readonly id: number;
  readonly writes: readonly AtomicWrite[];
}

/**
 * Clients' writes on their way: waiting for a proposal, then in flight under
 * the proposal's id until the entry is applied here.
 *
 * A proposal is made for one term: its entry carries that term or does not
 * exist. Once an entry of a later term is applied here, every entry of the
 * earlier ones that ever will be is applied too (Raft §5.4.2), so what is
 * unanswered by then did not take place, and waits for a proposal again. No
 * write is lost to a change of leaders, and none takes place twice.
 */
export class Proposals {
  #waiting: PendingWrite[] = [];
  #waitingBytes = 0;
  #nextId: number;
  #nextOrder = 0;
  #idleWaiters: (() => void)[] = [];
  readonly #inFlight = new Map<number, InFlight>();

  /**
   * `firstId` differs between two starts of a node and between members, so that
   * an entry of somebody else never answers a caller here.
   */
  constructor(firstId: number) {
    this.#nextId = firstId;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** @throws {OverloadedError} When too much is waiting. */
  add(write: AtomicWrite, nowMs: number): Promise<WriteReply> {
    const size = sizeOfWrite(write);
    if (
      this.#waiting.length >= WAITING_WRITES_MAX ||
      this.#waitingBytes + size.bytes > WAITING_BYTES_MAX
    ) {
      throw new OverloadedError("writes", this.#waiting.length);
    }
    const { promise, resolve, reject } = Promise.withResolvers<WriteReply>();
    const settle = { resolve, reject };
    this.#waitingBytes += size.bytes;
    const order = this.#nextOrder;
    this.#nextOrder += 1;
    this.#waiting.push({ order, write, size, addedMs: nowMs, settle });
    return promise;
  }

  /** Moves the longest prefix that fits one proposal into flight, for `term`. */
  takeBatch(term: Term): ProposalBatch | null {
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
    const id = this.takeId();
    this.#inFlight.set(id, { term, batch });
    return { id, writes: batch.map((pending) => pending.write) };
  }

  /** An id for a proposal of another kind; nobody waits for it here. */
  takeId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
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
    const flight = this.#inFlight.get(id);
    if (flight === undefined) return;
    this.#inFlight.delete(id);
    replies.forEach((reply, i) => flight.batch[i]?.settle.resolve(reply));
    this.#wakeIdle();
  }

  /** Proposal `id` was refused and left no entry: its writes wait again. */
  putBack(id: number): void {
    const flight = this.#inFlight.get(id);
    if (flight === undefined) return;
    this.#inFlight.delete(id);
    this.#putBack(flight.batch);
  }

  /**
   * An entry of `term` is applied here, and all answers up to it are given:
   * what was proposed for earlier terms waits again.
   */
  termApplied(term: Term): void {
    if (this.#inFlight.size === 0) return;
    const gone: PendingWrite[] = [];
    for (const [id, flight] of this.#inFlight) {
      if (flight.term >= term) continue;
      this.#inFlight.delete(id);
      gone.push(...flight.batch);
    }
    if (gone.length > 0) this.#putBack(gone);
  }

  /**
   * Gives up on writes added before `untilMs`: those in a proposal may still
   * take place, those that wait never do.
   */
  expire(untilMs: number): void {
    let count = 0;
    while ((this.#waiting[count]?.addedMs ?? Infinity) < untilMs) count += 1;
    for (const pending of this.#waiting.splice(0, count)) {
      this.#waitingBytes -= pending.size.bytes;
      const why = "no leader took the write in time";
      pending.settle.reject(new NotReadyError(why));
    }
    for (const [id, { batch }] of this.#inFlight) {
      if ((batch[0]?.addedMs ?? Infinity) < untilMs) this.#forget(id);
    }
    this.#wakeIdle();
  }

  /** Entries were passed over here: what is in flight may be among them. */
  passedOver(): void {
    for (const id of [...this.#inFlight.keys()]) this.#forget(id);
    this.#wakeIdle();
  }

  /** Fails what waits as not done and what is in flight as unknown. */
  failAll(waiting: Error): void {
    for (const pending of this.#waiting) pending.settle.reject(waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.passedOver();
  }

  #forget(id: number): void {
    const error = new OutcomeUnknownError();
    for (const pending of this.#inFlight.get(id)?.batch ?? []) {
      pending.settle.reject(error);
    }
    this.#inFlight.delete(id);
  }

  /** Before what came later, whichever batch comes back first. */
  #putBack(batch: readonly PendingWrite[]): void {
    for (const pending of batch) this.#waitingBytes += pending.size.bytes;
    const waiting = [...batch, ...this.#waiting];
    this.#waiting = waiting.sort((a, b) => a.order - b.order);
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
