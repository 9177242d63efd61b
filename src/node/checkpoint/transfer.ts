import { unreachable } from "../../base/assert.ts";
import { EMPTY_BYTES } from "../../base/bytes.ts";
import { NodeError } from "../../base/error.ts";
import type { Clock } from "../../io/clock.ts";
import type { Disk } from "../../io/disk.ts";
import { DiskError } from "../../io/errors.ts";
import type { EventLog, LogFields } from "../../io/log.ts";
import type { LogIndex, RaftId } from "../../raft/types.ts";
import type { PeerStream } from "../../transport/port.ts";
import type { Backoff } from "./backoff.ts";
import { FrameChannel } from "./channel.ts";
import { deliver, type Delivery } from "./delivery.ts";
import { CheckpointInterruptedError, reasonOf } from "./errors.ts";
import type { Holds } from "./holds.ts";
import { CHECKPOINT_ATTEMPTS_MAX, CHECKPOINT_STALL_MS } from "./limits.ts";
import type { OutgoingFiles } from "./outgoing_files.ts";
import type { Pace } from "./pace.ts";
import type { CheckpointFile, SendOutcome, TransferStatus } from "./port.ts";
import { pause, within } from "./waiting.ts";

/** What a transfer asks of its node. */
export interface TransferHost {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Opens a stream to `peer`. @throws {NodeError} When it is not there. */
  readonly openStream: (peer: RaftId) => Promise<PeerStream>;
  /** First entry that this member's log holds. */
  readonly firstIndex: () => LogIndex;
  /** Files of a lower index are not sent any more. */
  readonly floor: () => LogIndex;
}

/** What all transfers of a member share. */
export interface TransferParts {
  readonly host: TransferHost;
  readonly files: OutgoingFiles;
  readonly holds: Holds;
  readonly backoff: Backoff;
  readonly pace: Pace;
  readonly counters: SenderCounters;
}

/** Counts since the sender was opened. */
export interface SenderCounters {
  attempts: number;
  /** Bytes of files handed to streams, those sent again too. */
  bytesSent: number;
}

/** A checkpoint's way to one member, through as many streams as it takes. */
export class Transfer {
  readonly peer: RaftId;
  readonly #parts: TransferParts;
  /** The member needs the state of this index or a later one. */
  readonly #wanted: LogIndex;
  readonly #cut = new AbortController();
  readonly #startMs: number;
  #file: CheckpointFile | null = null;
  #sent = 0;
  /** Where the member began last, of the file of this digest. */
  #resumed = { digest: EMPTY_BYTES, offset: 0 };
  /** Attempts in a row that brought nothing. */
  #failures = 0;

  constructor(parts: TransferParts, peer: RaftId, wanted: LogIndex) {
    this.#parts = parts;
    this.peer = peer;
    this.#wanted = wanted;
    this.#startMs = parts.host.clock.monotonicMs();
  }

  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  get status(): TransferStatus {
    const total = this.#file?.bytes ?? 0;
    return { peer: this.peer, sent: this.#sent, total };
  }

  /** Ends it as failed. */
  abort(error: Error): void {
    this.#cut.abort(error);
  }

  /** Tries until it is decided. Rejects only when this program is wrong. */
  async run(): Promise<SendOutcome> {
    const { host, backoff } = this.#parts;
    const { signal, peer } = this;
    while (this.#failures < CHECKPOINT_ATTEMPTS_MAX) {
      if (signal.aborted) return "failed";
      const ms = backoff.delayMs(peer);
      try {
        if (ms > 0) await pause({ clock: host.clock, ms, signal });
        if (await this.#attempt()) {
          backoff.succeeded(peer);
          return "delivered";
        }
        this.#failures = CHECKPOINT_ATTEMPTS_MAX;
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        this.#tell("checkpoint_failed", { error: reasonOf(error) });
        this.#failures += 1;
      }
      backoff.failed(peer);
    }
    return "failed";
  }

  /** One file, one stream. False when another attempt is of no use. */
  async #attempt(): Promise<boolean> {
    const { files, holds, counters } = this.#parts;
    counters.attempts += 1;
    // What a file that is made after this will at least be of.
    holds.begin(this.peer, this.#wanted);
    const file = await files.acquire((each) => this.#suits(each));
    try {
      if (this.signal.aborted) throw this.signal.reason;
      this.#file = file;
      holds.begin(this.peer, file.index);
      return this.#judge(file, await this.#overStream(file));
    } catch (error) {
      if (error instanceof DiskError) files.spoil(file);
      throw error;
    } finally {
      this.#file = null;
      this.#sent = 0;
      files.release(file);
    }
  }

  async #overStream(checkpoint: CheckpointFile): Promise<Delivery> {
    const { host, pace, counters } = this.#parts;
    const { signal } = this;
    const file = await host.disk.open(checkpoint.path, "existing");
    const opened: FrameChannel[] = [];
    const onAbort = () => opened[0]?.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      const channel = new FrameChannel(await this.#connect(), host.clock);
      opened.push(channel);
      this.#tell("checkpoint_offered", {});
      return await deliver({
        channel,
        checkpoint,
        file,
        pace,
        signal,
        isUseful: () => this.#suits(checkpoint),
        onResume: (offset) => this.#onResume(checkpoint, offset),
        onSent: (bytes) => {
          this.#sent += bytes;
          counters.bytesSent += bytes;
        },
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      opened[0]?.close();
      await file.close();
    }
  }

  async #connect(): Promise<PeerStream> {
    const { clock, openStream } = this.#parts.host;
    const { signal } = this;
    const opening = openStream(this.peer);
    try {
      return await within(opening, { clock, ms: CHECKPOINT_STALL_MS, signal });
    } catch (error) {
      opening.then((stream) => stream.close(), () => {});
      throw error;
    }
  }

  #onResume({ digest }: CheckpointFile, offset: number): void {
    const last = this.#resumed;
    if (last.digest === digest && offset > last.offset) {
      this.#failures = 0;
      this.#parts.backoff.succeeded(this.peer);
    }
    this.#resumed = { digest, offset };
    this.#sent = offset;
    this.#tell(offset > 0 ? "checkpoint_resumed" : "checkpoint_started", {
      offset,
    });
  }

  /** True when the member has what it needs. */
  #judge(file: CheckpointFile, delivery: Delivery): boolean {
    switch (delivery.type) {
      case "installed":
      case "have-enough":
        this.#tell("checkpoint_installed", { outcome: delivery.type });
        return true;
      case "busy":
        throw new CheckpointInterruptedError("the member is installing one");
      case "useless":
        throw new CheckpointInterruptedError(
          "the log or a cutover has left the file behind",
        );
      case "damaged":
        // Begun from zero, it arrived as it was read here.
        if (this.#resumed.offset === 0) this.#parts.files.spoil(file);
        throw new CheckpointInterruptedError("the member got a damaged file");
      case "refused":
        this.#tell("checkpoint_failed", { error: delivery.reason });
        return false;
      case "failed":
        this.#tell("checkpoint_failed", { error: delivery.code });
        return false;
      default:
        return unreachable(delivery);
    }
  }

  /** The core can go on from it, and the member finds itself in it. */
  #suits({ index, confState }: CheckpointFile): boolean {
    const { voters, votersOutgoing, learners } = confState;
    return index >= Math.max(this.#wanted, this.#parts.host.floor()) &&
      index + 1 >= this.#parts.host.firstIndex() &&
      [voters, votersOutgoing, learners].some((ids) => ids.includes(this.peer));
  }

  #tell(event: string, more: LogFields): void {
    const { clock, log } = this.#parts.host;
    log.write(event === "checkpoint_failed" ? "warn" : "info", event, {
      direction: "out",
      peer: this.peer,
      index: this.#file?.index ?? this.#wanted,
      bytes: this.#file?.bytes ?? 0,
      ms: Math.round(clock.monotonicMs() - this.#startMs),
      ...more,
    });
  }
}
