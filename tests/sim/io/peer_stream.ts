import type { Bytes } from "../../../src/base/bytes.ts";
import { ConnectionLostError } from "../../../src/io/errors.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import type { PeerStream } from "../../../src/transport/port.ts";

/** Frames that a side may be ahead of its reader: the system's buffers. */
const WINDOW_FRAMES = 2;

/** What may go wrong between two sides, over all streams of a test. */
export class StreamFaults {
  /** Frames written since the start, in both directions. */
  frames = 0;
  /** The stream of this frame, counted from 1, breaks with it. */
  breakAt = Infinity;
  /** May change a frame on its way. */
  damage: ((frame: Bytes, count: number) => void) | null = null;
}

/** One direction: frames in order, then the end. */
class Lane {
  readonly frames: Bytes[] = [];
  isClosed = false;
  isBroken = false;
  #waiting: (() => void)[] = [];

  change(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.isBroken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    if (this.isBroken) throw new ConnectionLostError("peer");
  }
}

/** Two ends of one connection, in memory. */
export class StreamPair {
  readonly near: PeerStream;
  readonly far: PeerStream;
  readonly #lanes: readonly [Lane, Lane] = [new Lane(), new Lane()];

  /** `near` is used by `nearId` and leads to `farId`. */
  constructor(faults: StreamFaults, nearId: RaftId, farId: RaftId) {
    const [out, back] = this.#lanes;
    this.near = this.#end(faults, { peer: farId, out, back });
    this.far = this.#end(faults, {
      peer: nearId,
      out: back,
      back: out,
    });
  }

  /** Both sides lose what is on its way. */
  break(): void {
    for (const lane of this.#lanes) {
      lane.isBroken = true;
      lane.change();
    }
  }

  #end(
    faults: StreamFaults,
    { peer, out, back }: {
      peer: RaftId;
      out: Lane;
      back: Lane;
    },
  ): PeerStream {
    let isClosed = false;
    return {
      peer,
      write: async (frame) => {
        await null;
        if (isClosed || back.isClosed) throw new ConnectionLostError("peer");
        faults.frames += 1;
        if (faults.frames === faults.breakAt) this.break();
        const copy = frame.slice();
        faults.damage?.(copy, faults.frames);
        out.frames.push(copy);
        out.change();
        await out.until(() => out.frames.length <= WINDOW_FRAMES);
      },
      read: async () => {
        await back.until(
          () => (isClosed || back.frames.length > 0 || back.isClosed),
        );
        const frame = isClosed ? undefined : back.frames.shift();
        back.change();
        return frame ?? null;
      },
      close: () => {
        isClosed = true;
        out.isClosed = true;
        // Who closes over unread bytes resets: what it said last is lost too.
        if (back.frames.length > 0) out.frames.length = 0;
        back.frames.length = 0;
        out.change();
        back.change();
      },
    };
  }
}
