import { NodeError } from "../../base/error.ts";
import type { Clock, Timer } from "../../io/clock.ts";
import { DiskError, DiskNoSpaceError } from "../../io/errors.ts";
import type { EventLog, LogFields } from "../../io/log.ts";
import type { LogIndex, RaftId } from "../../raft/types.ts";
import type { FrameChannel } from "./channel.ts";
import { CheckpointInterruptedError, reasonOf } from "./errors.ts";
import type { Frame, Offer } from "./frame.ts";
import type { IncomingPart } from "./incoming_part.ts";
import {
  CHECKPOINT_SPACE_RESERVE_BYTES,
  CHECKPOINT_WORKING_MS,
} from "./limits.ts";
import type { CheckpointInstaller, InstallOutcome, Prepared } from "./port.ts";

/** What taking in a checkpoint asks of its node. */
export interface IntakeHost {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly installer: CheckpointInstaller;
  /** Tells whether this member follows `peer` at this moment. */
  readonly isLeader: (peer: RaftId) => boolean;
  /** What is committed here: a checkpoint up to it is not needed. */
  readonly commit: () => LogIndex;
  /** Free bytes where checkpoints and stores lie; `null` when unknown. */
  readonly freeBytes: () => Promise<number | null>;
  /**
   * Steps a verified checkpoint of `from` into the core. Owns it if the answer
   * is "installed", which means durable; else it is discarded.
   */
  readonly onPrepared: (
    prepared: Prepared,
    from: RaftId,
  ) => Promise<InstallOutcome>;
}

/** What the leader said and where it listens. */
export interface Offering {
  readonly from: RaftId;
  readonly offer: Offer;
  readonly channel: FrameChannel;
}

/** Codes of files that no other attempt will make any better. */
const WORTHLESS = [
  "STORE_CHECKPOINT_DAMAGED",
  "STORE_CHECKPOINT_UNSUPPORTED",
  "NODE_CHECKPOINT_UNSEALED",
];

/** One offer, from its acceptance to the answer that ends it. */
export class Intake {
  readonly #host: IntakeHost;
  readonly #part: IncomingPart;
  readonly #offering: Offering;
  readonly #startMs: number;
  /** Too late for another offer: the bytes are being used. */
  #isInstalling = false;

  constructor(host: IntakeHost, part: IncomingPart, offering: Offering) {
    this.#host = host;
    this.#part = part;
    this.#offering = offering;
    this.#startMs = host.clock.monotonicMs();
  }

  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  /**
   * Receives the file, verifies it and hands it over; gives what to answer.
   *
   * @throws {NodeError} When the stream ended: what arrived is kept.
   */
  async run(): Promise<Frame> {
    try {
      if (this.#host.commit() >= this.#offering.offer.index) {
        await this.#part.discard();
        return { type: "have-enough" };
      }
      const refusal = await this.#receive();
      if (refusal !== null) return refusal;
      this.#isInstalling = true;
      return await this.#install();
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      this.#tell("checkpoint_failed", { error: reasonOf(error) });
      if (error instanceof CheckpointInterruptedError) throw error;
      // Once there is space, it goes on from here. After any other failure of
      // the disk the bytes may not be those that were written.
      const isSpoiled = error instanceof DiskError &&
        !(error instanceof DiskNoSpaceError);
      if (isSpoiled || WORTHLESS.includes(error.code)) {
        await this.#part.discard();
      }
      return error.code === "STORE_CHECKPOINT_DAMAGED"
        ? { type: "damaged" }
        : { type: "failed", code: error.code };
    }
  }

  /** Takes the file in; `null` once all of it is here. */
  async #receive(): Promise<Frame | null> {
    const { offer, channel } = this.#offering;
    const part = this.#part;
    const offset = part.receivedOf(offer);
    if (!await this.#fits(offset)) return this.#refuse("no-space");
    await part.start(offer);
    this.#tell(offset > 0 ? "checkpoint_resumed" : "checkpoint_started", {
      offset,
    });
    try {
      await channel.send({ type: "resume", offset });
      if (!await this.#takePieces(offset)) return this.#refuse("not-leader");
    } catch (error) {
      throw await this.#interrupted(error);
    }
    await part.sync();
    this.#tell("checkpoint_received", { offset });
    return null;
  }

  /** False when the sender no longer leads. */
  async #takePieces(offset: number): Promise<boolean> {
    const { from, offer, channel } = this.#offering;
    for (let received = offset;;) {
      const frame = await channel.receive();
      if (!this.#host.isLeader(from)) return false;
      if (frame.type === "end" && received === offer.bytes) return true;
      if (
        frame.type !== "piece" || frame.offset !== received ||
        received + frame.data.length > offer.bytes
      ) {
        throw new CheckpointInterruptedError("the leader sent a stray frame");
      }
      await this.#part.append(frame.data);
      received += frame.data.length;
    }
  }

  /** Saves what arrived, unless it was the disk that failed. */
  async #interrupted(error: unknown): Promise<unknown> {
    const isFull = error instanceof DiskNoSpaceError;
    if (!(error instanceof NodeError)) return error;
    if (error instanceof DiskError && !isFull) return error;
    await this.#part.sync();
    if (isFull || error instanceof CheckpointInterruptedError) return error;
    const { message } = error;
    return new CheckpointInterruptedError(`the stream broke: ${message}`);
  }

  /** The file, and the store that is built from it, beside all there is. */
  async #fits(offset: number): Promise<boolean> {
    const free = await this.#host.freeBytes();
    if (free === null) return true;
    const { bytes } = this.#offering.offer;
    return bytes - offset + bytes + CHECKPOINT_SPACE_RESERVE_BYTES <= free;
  }

  async #install(): Promise<Frame> {
    const { from, offer, channel } = this.#offering;
    const { installer, onPrepared } = this.#host;
    const working = new Working(this.#host.clock, channel);
    try {
      const prepared = await installer.prepare(this.#part.path);
      let outcome: InstallOutcome = "not-needed";
      try {
        const { index, term } = prepared.metadata;
        if (index !== offer.index || term !== offer.term) {
          this.#tell("checkpoint_failed", { error: "another checkpoint" });
          await this.#part.discard();
          return { type: "damaged" };
        }
        if (channel.isAborted) return { type: "refused", reason: "stopping" };
        outcome = await onPrepared(prepared, from);
      } finally {
        if (outcome !== "installed") await prepared.discard();
      }
      await this.#part.discard();
      this.#tell("checkpoint_installed", { outcome });
      return { type: "installed" };
    } finally {
      working.end();
    }
  }

  #refuse(reason: "no-space" | "not-leader"): Frame {
    this.#tell("checkpoint_failed", { error: reason });
    return { type: "refused", reason };
  }

  #tell(event: string, more: LogFields): void {
    const { from, offer } = this.#offering;
    const { clock, log } = this.#host;
    log.write(event === "checkpoint_failed" ? "warn" : "info", event, {
      direction: "in",
      peer: from,
      index: offer.index,
      bytes: offer.bytes,
      ms: Math.round(clock.monotonicMs() - this.#startMs),
      ...more,
    });
  }
}

/** Says now and then that this member is at work, until `end`. */
class Working {
  readonly #clock: Clock;
  readonly #channel: FrameChannel;
  #timer: Timer | null = null;

  constructor(clock: Clock, channel: FrameChannel) {
    this.#clock = clock;
    this.#channel = channel;
    this.#later();
  }

  end(): void {
    this.#timer?.cancel();
  }

  #later(): void {
    this.#timer = this.#clock.after(CHECKPOINT_WORKING_MS, () => {
      // A leader that is gone learns of the outcome in another way.
      this.#channel.send({ type: "working" }).catch(() => {});
      this.#later();
    });
  }
}
