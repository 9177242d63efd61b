import type { Bytes } from "../base/bytes.ts";
import type { DiskFile } from "../io/disk.ts";
import {
  FRAME_HEADER_BYTES,
  frameBodyHolds,
  frameBytes,
  type FrameHeader,
  isZero,
  openFrameHeader,
} from "./frame.ts";

/** Bytes read at a time; a longer frame takes one longer read. */
const CHUNK_BYTES = 2 ** 20;

/** What stands at an offset of a segment. */
export type FrameRead =
  | {
    readonly kind: "frame";
    readonly offset: number;
    readonly until: number;
    readonly header: FrameHeader;
    /** A view, good until the next read. */
    readonly payload: Uint8Array;
  }
  /** Zeros where a header would be, or the end of the file. */
  | { readonly kind: "end"; readonly offset: number }
  /** Bytes that are no whole frame; `header` when that much is right. */
  | {
    readonly kind: "bad";
    readonly offset: number;
    readonly header: FrameHeader | null;
  };

/** Reads the frames of one segment in order, a chunk of it in memory. */
export class FrameReader {
  readonly #file: DiskFile;
  readonly #size: number;
  #offset: number;
  #chunk: Bytes = new Uint8Array(0);
  #chunkAt = 0;

  constructor(file: DiskFile, size: number, offset = 0) {
    this.#file = file;
    this.#size = size;
    this.#offset = offset;
  }

  /** Reads the frame at the current offset; stays there unless it is whole. */
  async next(): Promise<FrameRead> {
    const offset = this.#offset;
    const start = await this.#bytes(offset, FRAME_HEADER_BYTES);
    if (isZero(start)) return { kind: "end", offset };
    const header = openFrameHeader(start);
    if (header === null) return { kind: "bad", offset, header };
    const whole = frameBytes(header.payloadBytes);
    if (whole > this.#size - offset) return { kind: "bad", offset, header };
    const frame = await this.#bytes(offset, whole);
    const body = frame.subarray(FRAME_HEADER_BYTES);
    if (frame.length !== whole || !frameBodyHolds(header, body)) {
      return { kind: "bad", offset, header };
    }
    const until = offset + whole;
    this.#offset = until;
    const payload = body.subarray(0, header.payloadBytes);
    return { kind: "frame", offset, until, header, payload };
  }

  /** Up to `length` bytes at `offset`; fewer at the end of the file. */
  async #bytes(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.#size);
    const chunkEnd = this.#chunkAt + this.#chunk.length;
    if (offset < this.#chunkAt || end > chunkEnd) {
      const wanted = Math.max(end - offset, CHUNK_BYTES);
      const most = Math.min(wanted, this.#size - offset);
      this.#chunk = await this.#file.readAt(offset, most);
      this.#chunkAt = offset;
    }
    return this.#chunk.subarray(offset - this.#chunkAt, end - this.#chunkAt);
  }
}
