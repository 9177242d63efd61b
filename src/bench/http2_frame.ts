import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, viewOf } from "../base/bytes.ts";

/** Frame types that a unary gRPC call meets. Source: RFC 9113 §6. */
export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

export const FLAG = {
  /** Of DATA and HEADERS. */
  endStream: 0x1,
  /** Of SETTINGS and PING: the same bit. */
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
} as const;

/** Largest payload before a peer allows more. */
export const FRAME_BYTES_MAX = 16_384;
const HEAD_BYTES = 9;

export interface Http2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Bytes;
}

/**
 * Writes one frame: length u24, type u8, flags u8, stream u32, payload.
 *
 * `payload` has at most FRAME_BYTES_MAX bytes.
 */
export function encodeFrame(
  { type, flags, stream, payload }: Omit<Http2Frame, "payload"> & {
    readonly payload: Uint8Array;
  },
): Bytes {
  assert(payload.length <= FRAME_BYTES_MAX, "a frame is small");
  const bytes = new Uint8Array(HEAD_BYTES + payload.length);
  const view = viewOf(bytes);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** Cuts a stream of bytes into frames. */
export class FrameCutter {
  #rest: Bytes = new Uint8Array(0);

  /**
   * The frames that `bytes` complete.
   *
   * @throws {Error} On a frame that no setting of ours allows.
   */
  push(bytes: Bytes): Http2Frame[] {
    const all = this.#rest.length === 0
      ? bytes
      : concatBytes(this.#rest, bytes);
    const view = viewOf(all);
    const frames: Http2Frame[] = [];
    let at = 0;
    while (all.length - at >= HEAD_BYTES) {
      const head = view.getUint32(at);
      const length = head >>> 8;
      if (length > FRAME_BYTES_MAX) throw new Error("HTTP/2 frame too large");
      const until = at + HEAD_BYTES + length;
      if (until > all.length) break;
      frames.push({
        type: head & 0xff,
        flags: view.getUint8(at + 4),
        stream: view.getUint32(at + 5) & 0x7fff_ffff,
        payload: all.subarray(at + HEAD_BYTES, until),
      });
      at = until;
    }
    this.#rest = all.slice(at);
    return frames;
  }
}
