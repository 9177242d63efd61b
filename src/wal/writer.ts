import { assert, InvariantError } from "../base/assert.ts";
import type { Clock, Timer } from "../io/clock.ts";
import type { AnchorFile } from "./anchor.ts";
import { acceptChange, type Change, changeBytes } from "./change.ts";
import { WalClosedError, WalWriteFailedError } from "./errors.ts";
import { sealFrame } from "./frame.ts";
import {
  FrameBuffer,
  GROUP_BYTES_MAX,
  GROUP_REQUESTS_MAX,
  payloadBytesOf,
  planRequest,
  type WalRequest,
} from "./group.ts";
import type { LogState } from "./log_state.ts";
import type { LogView } from "./log_view.ts";
import { type ChainLink, segmentHeaderFrame } from "./segment.ts";
import type { SegmentFiles } from "./segment_files.ts";
import { type SegmentHeader, WAL_FORMAT } from "./segment_header.ts";

/** A batch that need not sync waits this long for one that must. */
const UNSYNCED_MS_MAX = 100;
const ANCHOR_MS = 5_000;

/** Numbers since the log was opened. */
export interface WalCounters {
  syncs: number;
  bytesWritten: number;
  batches: number;
}

/** Where the next frame goes, and what it is chained to. */
export interface WritePosition {
  readonly link: ChainLink;
  readonly offset: number;
}

interface WriterOptions {
  readonly dir: string;
  readonly nodeName: string;
  readonly walId: number;
  readonly clusterId: Uint8Array;
  readonly files: SegmentFiles;
  readonly anchor: AnchorFile;
  readonly view: LogView;
  readonly clock: Clock | null;
}

interface Queued {
  readonly request: WalRequest;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes requests durable in the order they came, as many per sync as came
 * while the sync before ran.
 *
 * 1. A request resolves after its frame's sync, and after all before it.
 * 2. `view` shows a request when it is durable, before it resolves.
 * 3. After a failed write or sync nothing is written, and all reject.
 */
export class Writer {
  readonly counters: WalCounters = { syncs: 0, bytesWritten: 0, batches: 0 };
  readonly #options: WriterOptions;
  readonly #buffer = new FrameBuffer();
  /** What is written or being written; `view` follows when it is durable. */
  readonly #ahead: LogState;
  #clusterId: Uint8Array;
  #link: ChainLink;
  #offset: number;
  #queue: Queued[] = [];
  /** How many of the queue may not wait for company. */
  #urgent = 0;
  #running = false;
  #closed = false;
  #failure: Error | null = null;
  #lazyTimer: Timer | null = null;
  #anchoredMs: number;

  constructor(options: WriterOptions, position: WritePosition) {
    this.#options = options;
    this.#clusterId = options.clusterId;
    this.#link = position.link;
    this.#offset = position.offset;
    this.#ahead = options.view.state.clone();
    this.#anchoredMs = options.clock?.monotonicMs() ?? 0;
  }

  get clusterId(): Uint8Array {
    return this.#clusterId;
  }

  /** The error that ended the log, or `null`. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** @throws {WalWriteFailedError} @throws {WalClosedError} */
  submit(request: WalRequest): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#closed) {
      return Promise.reject(new WalClosedError(this.#options.dir));
    }
    const done = new Promise<void>((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
    });
    if (this.#mayWait(request)) {
      this.#runLater();
    } else {
      this.#urgent += 1;
      this.#run();
    }
    return done;
  }

  /** Takes nothing more after this request. */
  submitLast(request: WalRequest): Promise<void> {
    const done = this.submit(request);
    this.#closed = true;
    return done;
  }

  /** Notes durably how far the log is durable. */
  async anchor(cleanShutdown: boolean): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    const { anchor, files, walId, clock } = this.#options;
    this.#anchoredMs = clock?.monotonicMs() ?? 0;
    try {
      await anchor.write({
        walId,
        cleanShutdown,
        segment: files.current.sequence,
        offset: this.#offset,
        ...this.#link,
      });
    } catch (error) {
      this.#fail(error);
      throw this.#failure;
    }
  }

  #runLater(): void {
    const { clock } = this.#options;
    if (this.#running || this.#lazyTimer !== null || clock === null) return;
    this.#lazyTimer = clock.after(UNSYNCED_MS_MAX, () => {
      this.#urgent += 1;
      this.#run();
    });
  }

  #run(): void {
    this.#lazyTimer?.cancel();
    this.#lazyTimer = null;
    if (this.#running) return;
    this.#running = true;
    this.#drain().catch((error) => this.#fail(error));
  }

  async #drain(): Promise<void> {
    // What is submitted in the same turn joins the first group.
    await null;
    while (this.#urgent > 0 && this.#failure === null) {
      const first = this.#queue[0]?.request;
      if (first?.kind === "roll") {
        await this.#rollTo(first.clusterId ?? this.#clusterId);
        this.#settle(1);
      } else {
        await this.#writeGroup();
      }
    }
    this.#running = false;
    if (this.#queue.length > 0) this.#runLater();
  }

  async #writeGroup(): Promise<void> {
    const changes = this.#planGroup();
    const payloadBytes = payloadBytesOf(changes);
    if (payloadBytes > 0) {
      await this.#writeFrame(changes, payloadBytes);
      if (this.#failure !== null) return;
      this.#anchorNowAndThen();
    }
    this.counters.batches += changes.length;
    this.#settle(changes.length);
  }

  #settle(count: number): void {
    for (const { request, resolve } of this.#queue.splice(0, count)) {
      if (!this.#mayWait(request)) this.#urgent -= 1;
      resolve();
    }
    if (this.#queue.length === 0) this.#urgent = 0;
  }

  /** A hard state that only commits has no promise waiting for it. */
  #mayWait(request: WalRequest): boolean {
    if (this.#options.clock === null || request.kind !== "batch") return false;
    const { mustSync, entries, snapshot } = request.batch;
    return !mustSync && entries.length === 0 && snapshot === undefined;
  }

  /** Plans the requests that go into one frame, without unqueueing them. */
  #planGroup(): Change[] {
    const changes: Change[] = [];
    let bytes = 0;
    for (const { request } of this.#queue) {
      if (request.kind === "roll") break;
      if (changes.length === GROUP_REQUESTS_MAX) break;
      if (changes.length > 0 && bytes + leastBytes(request) > GROUP_BYTES_MAX) {
        break;
      }
      const change = planRequest(this.#ahead, request);
      bytes += changeBytes(change);
      changes.push(change);
    }
    return changes;
  }

  async #writeFrame(
    changes: readonly Change[],
    payloadBytes: number,
  ): Promise<void> {
    const { files, view, walId } = this.#options;
    const frame = this.#buffer.layOut({ changes, payloadBytes });
    if (this.#offset + frame.length > files.capacity) {
      await this.#roll(frame.length, this.#clusterId);
    }
    const frameSeq = this.#link.frameSeq + 1;
    const frameCrc = sealFrame(frame, {
      payloadBytes,
      frameSeq,
      durableSeq: this.#link.frameSeq,
      walId,
      previousCrc: this.#link.frameCrc,
    });
    const at = this.#offset;
    await files.file.writeAndSync(at, frame);
    if (this.#failure !== null) return;
    this.#count(frame.length);
    this.#link = { frameSeq, frameCrc };
    this.#offset = at + frame.length;
    for (const change of changes) {
      const broken = acceptChange(view, change);
      assert(broken === null, broken ?? "the view follows what is written");
    }
    view.placeFrame(files.current.sequence, at);
  }

  async #rollTo(clusterId: Uint8Array): Promise<void> {
    await this.#roll(0, clusterId);
    this.#clusterId = clusterId;
  }

  /** Switches to the next segment. All written before it is durable. */
  async #roll(room: number, clusterId: Uint8Array): Promise<void> {
    const { files, view, walId, nodeName } = this.#options;
    const options = { nodeName, clusterId };
    const sequence = files.current.sequence + 1;
    const header = headerOf(options, view.state, sequence);
    const { frame, link } = segmentHeaderFrame(header, walId, this.#link);
    await files.roll(header.nextIndex, frame, room);
    this.#count(frame.length);
    this.#link = link;
    this.#offset = frame.length;
    view.places.note(sequence, 0, header.nextIndex);
    await this.anchor(false);
  }

  #anchorNowAndThen(): void {
    const { clock } = this.#options;
    if (clock === null || this.#closed) return;
    if (clock.monotonicMs() - this.#anchoredMs < ANCHOR_MS) return;
    // A failure has ended the log by the time it is thrown.
    this.anchor(false).catch(() => {});
  }

  #count(bytes: number): void {
    this.counters.syncs += 1;
    this.counters.bytesWritten += bytes;
  }

  /** Ends the log for good: what is durable is no longer known. */
  #fail(cause: unknown): void {
    this.#running = false;
    if (this.#failure === null) {
      this.#failure = cause instanceof InvariantError
        ? cause
        : new WalWriteFailedError(this.#options.dir, { cause });
    }
    this.#lazyTimer?.cancel();
    this.#lazyTimer = null;
    const queue = this.#queue;
    this.#queue = [];
    this.#urgent = 0;
    for (const waiting of queue) waiting.reject(this.#failure);
  }
}

function leastBytes(request: WalRequest): number {
  if (request.kind !== "batch") return 0;
  let bytes = 0;
  for (const { data } of request.batch.entries) bytes += data.length;
  return bytes;
}

/** The header of segment `sequence` after all that `state` holds. */
export function headerOf(
  options: Pick<WriterOptions, "nodeName" | "clusterId">,
  state: LogState,
  sequence: number,
): SegmentHeader {
  return {
    format: WAL_FORMAT,
    clusterId: options.clusterId,
    nodeName: options.nodeName,
    sequence,
    nextIndex: state.lastIndex + 1,
    lastTerm: state.lastTerm,
    hardState: state.hardState,
    floor: state.floor,
    mark: { install: false, metadata: state.mark },
  };
}
