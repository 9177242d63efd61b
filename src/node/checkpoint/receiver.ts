import { NodeError } from "../../base/error.ts";
import type { Disk } from "../../io/disk.ts";
import type { LogIndex, RaftId } from "../../raft/types.ts";
import type { PeerStream } from "../../transport/port.ts";
import { FrameChannel } from "./channel.ts";
import { CheckpointInterruptedError } from "./errors.ts";
import type { Frame, Offer } from "./frame.ts";
import { IncomingPart } from "./incoming_part.ts";
import { Intake, type IntakeHost, type Offering } from "./intake.ts";
import {
  CHECKPOINT_BYTES_MAX,
  CHECKPOINT_NOTE_BYTES,
  CHECKPOINT_STREAMS_MAX,
} from "./limits.ts";

/** What a receiver works with and asks its node. */
export interface ReceiverParts extends IntakeHost {
  readonly disk: Disk;
  /** The directory of checkpoints; is there. */
  readonly dir: string;
  /** This program is wrong, and should end. */
  readonly onFatal: (error: unknown) => void;
  /** CHECKPOINT_NOTE_BYTES unless given. */
  readonly noteBytes?: number;
}

/** The stream that is being served. */
interface Served {
  readonly intake: Intake;
  readonly channel: FrameChannel;
  readonly over: Promise<void>;
}

/**
 * Takes checkpoints from the leader: one file at a time, kept until it is
 * whole, verified as a whole, then handed to the node.
 *
 * A newer stream takes the place of an older one, whose connection may be dead
 * without anybody having noticed; not while its file is being installed.
 */
export class CheckpointReceiver {
  readonly #parts: ReceiverParts;
  readonly #part: IncomingPart;
  readonly #channels = new Set<FrameChannel>();
  readonly #running = new Set<Promise<void>>();
  #served: Served | null = null;
  /** End of the last removal. */
  #removing: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(parts: ReceiverParts, part: IncomingPart) {
    this.#parts = parts;
    this.#part = part;
  }

  /** Finds what an earlier process received. @throws {DiskError} */
  static async open(parts: ReceiverParts): Promise<CheckpointReceiver> {
    const { disk, dir, noteBytes = CHECKPOINT_NOTE_BYTES } = parts;
    const part = await IncomingPart.open({ disk, dir, noteBytes });
    if (part.index !== null && part.index <= parts.commit()) {
      await part.discard();
    }
    return new CheckpointReceiver(parts, part);
  }

  /** `null` when no part of a checkpoint is here. */
  progress(): { readonly received: number; readonly total: number } | null {
    return this.#part.progress;
  }

  /** Serves `stream` to its end and closes it; never rejects. */
  onStream(from: RaftId, stream: PeerStream): Promise<void> {
    const channel = new FrameChannel(stream, this.#parts.clock);
    if (this.#isClosed || this.#channels.size >= CHECKPOINT_STREAMS_MAX) {
      channel.close();
      return Promise.resolve();
    }
    this.#channels.add(channel);
    const running = this.#talk(from, channel).catch((error) => {
      // A stream that broke has told its sender so.
      if (!(error instanceof NodeError)) this.#parts.onFatal(error);
    }).finally(() => {
      channel.close();
      this.#channels.delete(channel);
      this.#running.delete(running);
    });
    this.#running.add(running);
    return running;
  }

  /**
   * Removes the part of a checkpoint below `index`, which nobody here needs;
   * one that is being installed is gone when that has ended.
   */
  async removeBelow(index: LogIndex): Promise<void> {
    const isBelow = () => (this.#part.index ?? index) < index;
    while (this.#served !== null && isBelow()) {
      const { intake, channel, over } = this.#served;
      if (!intake.isInstalling) {
        channel.abort(new CheckpointInterruptedError("it is not needed"));
      }
      await over;
    }
    // A part that could not be removed before is not open any more.
    const isStray = this.#part.index === null && this.#served === null;
    if (!isBelow() && !isStray) return;
    const removing = this.#removing.then(() => this.#part.discard());
    this.#removing = removing.catch(() => {});
    await removing;
  }

  /** Ends all streams; the part stays for the next process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const stopping = new CheckpointInterruptedError("this member is stopping");
    for (const channel of this.#channels) channel.abort(stopping);
    await Promise.all(this.#running);
    await this.#part.close();
  }

  async #talk(from: RaftId, channel: FrameChannel): Promise<void> {
    const offer = await channel.receive();
    if (offer.type !== "offer") {
      throw new CheckpointInterruptedError("the stream began without an offer");
    }
    await channel.farewell(await this.#answer({ from, offer, channel }));
  }

  async #answer(offering: Offering): Promise<Frame> {
    const { from, offer, channel } = offering;
    const early = this.#earlyAnswer(from, offer);
    if (early !== null) return early;
    for (;;) {
      await this.#removing;
      if (this.#served === null) break;
      const { intake, channel: older, over } = this.#served;
      if (intake.isInstalling) return { type: "busy" };
      older.abort(
        new CheckpointInterruptedError("a newer offer took its place"),
      );
      await over;
    }
    // Another one may have been installed meanwhile, or the leader be gone.
    const late = this.#earlyAnswer(from, offer);
    if (late !== null) return late;
    const intake = new Intake(this.#parts, this.#part, offering);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#served = { intake, channel, over };
    try {
      return await intake.run();
    } finally {
      this.#served = null;
      resolve();
    }
  }

  #earlyAnswer(from: RaftId, offer: Offer): Frame | null {
    const { isLeader, commit } = this.#parts;
    if (this.#isClosed) return { type: "refused", reason: "stopping" };
    if (!isLeader(from)) return { type: "refused", reason: "not-leader" };
    if (this.#served !== null && commit() >= offer.index) {
      return { type: "have-enough" };
    }
    return offer.bytes > CHECKPOINT_BYTES_MAX
      ? { type: "refused", reason: "too-large" }
      : null;
  }
}
