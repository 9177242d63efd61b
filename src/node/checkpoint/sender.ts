import type { LogIndex, RaftId } from "../../raft/types.ts";
import { Backoff } from "./backoff.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import { type HoldHost, Holds } from "./holds.ts";
import {
  CHECKPOINT_GRACE_MS,
  CHECKPOINT_KEEP_MS,
  CHECKPOINT_SENDS_MAX,
} from "./limits.ts";
import { Line } from "./line.ts";
import { OutgoingFiles, type OutgoingParts } from "./outgoing_files.ts";
import { Pace } from "./pace.ts";
import type { LogHold, SendOutcome, TransferStatus } from "./port.ts";
import {
  type SenderCounters,
  Transfer,
  type TransferHost,
} from "./transfer.ts";

/** What a sender works with and asks its node. */
export interface SenderParts extends TransferHost, OutgoingParts, HoldHost {
  /** Bytes a second of all sends together; no bound unless given. */
  readonly bytesPerSecond?: number;
}

interface Running {
  readonly transfer: Transfer;
  readonly outcome: Promise<SendOutcome>;
}

/**
 * Brings checkpoints to members that are too far behind for the log, while
 * this member leads.
 *
 * What a member needs after its checkpoint is held back from compaction.
 */
export class CheckpointSender implements LogHold {
  readonly #parts: SenderParts;
  readonly #files: OutgoingFiles;
  readonly #holds: Holds;
  readonly #backoff = new Backoff();
  readonly #pace: Pace;
  readonly #line = new Line(CHECKPOINT_SENDS_MAX);
  readonly #running = new Map<RaftId, Running>();
  /** Those that run, and those aborted that have yet to notice. */
  readonly #unended = new Set<Promise<SendOutcome>>();
  readonly #counters: SenderCounters = { attempts: 0, bytesSent: 0 };
  #isClosed = false;

  private constructor(parts: SenderParts, files: OutgoingFiles) {
    this.#parts = parts;
    this.#files = files;
    this.#holds = new Holds(parts);
    this.#pace = new Pace(parts.clock, parts.bytesPerSecond ?? null);
  }

  /** Removes what an earlier process left. @throws {DiskError} */
  static async open(parts: SenderParts): Promise<CheckpointSender> {
    return new CheckpointSender(parts, await OutgoingFiles.open(parts));
  }

  get counters(): Readonly<SenderCounters> {
    return this.#counters;
  }

  /**
   * Brings `peer` a checkpoint of `wanted` or a later index: called for each
   * MSG_SNAP of the core. Joins the transfer to `peer` that is under way: the
   * core asks again when it has waited for long.
   *
   * Rejects only when this program is wrong.
   */
  send(peer: RaftId, wanted: LogIndex): Promise<SendOutcome> {
    const known = this.#running.get(peer);
    if (known !== undefined) return known.outcome;
    if (this.#isClosed) return Promise.resolve("failed");
    const transfer = new Transfer(
      {
        host: this.#parts,
        files: this.#files,
        holds: this.#holds,
        backoff: this.#backoff,
        pace: this.#pace,
        counters: this.#counters,
      },
      peer,
      wanted,
    );
    const outcome = this.#run(transfer);
    this.#running.set(peer, { transfer, outcome });
    this.#unended.add(outcome);
    const end = () => {
      this.#unended.delete(outcome);
      if (this.#running.get(peer)?.transfer !== transfer) return;
      this.#running.delete(peer);
    };
    outcome.then(end, end);
    return outcome;
  }

  /** This member no longer leads: ends all sends as failed. */
  stepDown(): void {
    this.#abort("this member does not lead any more");
  }

  /**
   * Resolves once no file of an index below `index` is left; transfers of such
   * go on with another one, as `floor` tells them.
   */
  async removeBelow(index: LogIndex): Promise<void> {
    await this.#files.removeBelow(index);
  }

  /** Ends all sends, and once they have ended, removes their files. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#abort("this member is stopping");
    await Promise.allSettled(this.#unended);
    await this.#files.close();
  }

  /** Those on their way and those that wait in line. */
  transfers(): readonly TransferStatus[] {
    return [...this.#running.values()].map(({ transfer }) => transfer.status);
  }

  retainFrom(): LogIndex | null {
    return this.#holds.retainFrom();
  }

  drop(bytes: number): void {
    const index = this.#holds.retainFrom();
    this.#holds.clear();
    this.#parts.log.write("warn", "checkpoint_hold_dropped", { index, bytes });
  }

  async #run(transfer: Transfer): Promise<SendOutcome> {
    const { peer, signal } = transfer;
    if (!await this.#line.enter(signal)) return "failed";
    try {
      const outcome = await transfer.run();
      const ms = outcome === "delivered"
        ? CHECKPOINT_GRACE_MS
        : CHECKPOINT_KEEP_MS;
      if (!signal.aborted) this.#holds.linger(peer, ms);
      return outcome;
    } finally {
      this.#line.leave();
      // Nobody leads here: nobody will want the file again.
      if (signal.aborted) this.#files.removeIdle();
    }
  }

  #abort(why: string): void {
    const error = new CheckpointInterruptedError(why);
    for (const { transfer } of this.#running.values()) transfer.abort(error);
    this.#running.clear();
    this.#holds.clear();
    this.#backoff.clear();
    this.#files.removeIdle();
  }
}
