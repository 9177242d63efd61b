import { assert } from "../base/assert.ts";
import type { LogIndex, SnapshotMetadata } from "../raft/types.ts";
import {
  acceptChange,
  type Change,
  changeBytes,
  type PersistBatch,
  planBatch,
  planCleanShutdown,
  planFloor,
  planMark,
  writeChange,
} from "./change.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
} from "./frame.ts";
import type { LogState } from "./log_state.ts";
import { RecordWriter } from "./record.ts";

/** A group takes what is queued up to these. */
export const GROUP_BYTES_MAX = 4 * 2 ** 20;
export const GROUP_REQUESTS_MAX = 512;

/** What a caller wants to be durable. */
export type WalRequest =
  | { readonly kind: "batch"; readonly batch: PersistBatch }
  | { readonly kind: "mark"; readonly metadata: SnapshotMetadata }
  | { readonly kind: "floor"; readonly until: LogIndex }
  | { readonly kind: "clean-shutdown" }
  /** Starts a new segment; from its header on the log has `clusterId`, if any. */
  | { readonly kind: "roll"; readonly clusterId: Uint8Array | null };

/** Plans `request` on top of `state` and takes it into `state`. */
export function planRequest(state: LogState, request: WalRequest): Change {
  const change = planned(state, request);
  const broken = acceptChange(state, change);
  assert(broken === null, broken ?? "a change keeps the rules of the log");
  return change;
}

function planned(state: LogState, request: WalRequest): Change {
  switch (request.kind) {
    case "batch":
      return planBatch(state, request.batch);
    case "mark":
      return planMark(state, request.metadata);
    case "floor":
      return planFloor(state, request.until);
    case "clean-shutdown":
      return planCleanShutdown();
    case "roll":
      assert(false, "a roll is no part of a frame");
  }
}

/** The changes of one frame. */
interface Group {
  readonly changes: readonly Change[];
  readonly payloadBytes: number;
}

/**
 * Lays the frames of one log out, all in one buffer that grows: only one
 * frame is on its way at a time.
 */
export class FrameBuffer {
  #bytes = new Uint8Array(64 * 2 ** 10);

  /** The frame around `group`, its header still to be sealed. */
  layOut(group: Group): Uint8Array {
    const { payloadBytes } = group;
    assert(payloadBytes <= FRAME_PAYLOAD_BYTES_MAX, "a group fits a frame");
    const length = frameBytes(payloadBytes);
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    }
    const frame = this.#bytes.subarray(0, length);
    const writer = new RecordWriter(frame, FRAME_HEADER_BYTES);
    for (const change of group.changes) writeChange(writer, change);
    assert(
      writer.at === FRAME_HEADER_BYTES + payloadBytes,
      "a payload takes the bytes it was measured at",
    );
    return frame;
  }
}

/** Bytes `changes` take together. */
export function payloadBytesOf(changes: readonly Change[]): number {
  let bytes = 0;
  for (const change of changes) bytes += changeBytes(change);
  return bytes;
}
