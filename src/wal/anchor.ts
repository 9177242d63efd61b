import { concatBytes, getUint64, setUint64, viewOf } from "../base/bytes.ts";
import { crc32c } from "../base/crc32c.ts";
import type { Disk, DiskFile } from "../io/disk.ts";

/*
 * Two slots of 4 KiB, written in turn, so that one is always whole.
 *
 *     offset  bytes  field
 *     0       4      magic "SKWA"
 *     4       4      format = 1
 *     8       8      generation; the slot is generation mod 2
 *     16      4      log id
 *     20      4      1 after a clean shutdown, else 0
 *     24      8      segment sequence
 *     32      8      offset behind the frame
 *     40      8      frame sequence
 *     48      4      header CRC of the frame
 *     52      4      CRC-32C of bytes 0..52
 *     56      4040   zeros
 */
const MAGIC = 0x534b5741;
const FORMAT = 1;
const SLOT_BYTES = 4096;
const CRC_AT = 52;

/** The newest frame, and all before it, are known to be durable. */
export interface Anchor {
  readonly walId: number;
  readonly cleanShutdown: boolean;
  readonly segment: number;
  readonly offset: number;
  readonly frameSeq: number;
  readonly frameCrc: number;
}

/** Fills one slot. */
export function encodeAnchor(anchor: Anchor, generation: number): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  const view = viewOf(slot);
  view.setUint32(0, MAGIC);
  view.setUint32(4, FORMAT);
  setUint64(view, 8, generation);
  view.setUint32(16, anchor.walId);
  view.setUint32(20, anchor.cleanShutdown ? 1 : 0);
  setUint64(view, 24, anchor.segment);
  setUint64(view, 32, anchor.offset);
  setUint64(view, 40, anchor.frameSeq);
  view.setUint32(48, anchor.frameCrc);
  view.setUint32(CRC_AT, crc32c(slot.subarray(0, CRC_AT)));
  return slot;
}

/** Reads one slot; `null` when it is not whole. */
export function decodeAnchor(
  slot: Uint8Array,
): { readonly anchor: Anchor; readonly generation: number } | null {
  if (slot.length < CRC_AT + 4) return null;
  const view = viewOf(slot);
  if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== FORMAT) return null;
  if (crc32c(slot.subarray(0, CRC_AT)) !== view.getUint32(CRC_AT)) return null;
  const generation = getUint64(view, 8);
  const clean = view.getUint32(20);
  const segment = getUint64(view, 24);
  const offset = getUint64(view, 32);
  const frameSeq = getUint64(view, 40);
  if (generation === null || segment === null || clean > 1) return null;
  if (offset === null || frameSeq === null) return null;
  const anchor = {
    walId: view.getUint32(16),
    cleanShutdown: clean === 1,
    segment,
    offset,
    frameSeq,
    frameCrc: view.getUint32(48),
  };
  return { anchor, generation };
}

/**
 * A lower bound on what was durable, kept beside the log: it tells a torn
 * tail from a lost one without a second sync per group.
 */
export class AnchorFile {
  readonly #file: DiskFile;
  #generation: number;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: DiskFile, generation: number) {
    this.#file = file;
    this.#generation = generation;
  }

  /** Reads the best slot of `path`; `null` when no slot is whole. */
  static async read(disk: Disk, path: string): Promise<Anchor | null> {
    const file = await openIfThere(disk, path);
    if (file === null) return null;
    const best = await bestSlot(file);
    await file.close();
    return best?.anchor ?? null;
  }

  /** Opens `path`, making it when absent; its name is durable afterwards. */
  static async open(
    disk: Disk,
    dir: string,
    path: string,
  ): Promise<AnchorFile> {
    const there = await openIfThere(disk, path);
    if (there !== null && await there.size() === SLOT_BYTES * 2) {
      const best = await bestSlot(there);
      return new AnchorFile(there, best?.generation ?? 0);
    }
    await there?.close();
    await disk.remove(path);
    const file = await disk.open(path, "create");
    try {
      const empty = new Uint8Array(SLOT_BYTES);
      await file.writeAt(0, concatBytes(empty, empty));
      await file.sync();
      await disk.syncDir(dir);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new AnchorFile(file, 0);
  }

  /** Writes the slot whose turn it is, durably and in order. */
  write(anchor: Anchor): Promise<void> {
    this.#generation += 1;
    const generation = this.#generation;
    const written = this.#last.then(() =>
      this.#file.writeAndSync(
        generation % 2 * SLOT_BYTES,
        encodeAnchor(anchor, generation),
      )
    );
    this.#last = written.catch(() => {});
    return written;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }
}

async function openIfThere(
  disk: Disk,
  path: string,
): Promise<DiskFile | null> {
  return await disk.exists(path) ? disk.open(path, "existing") : null;
}

async function bestSlot(file: DiskFile) {
  const bytes = await file.readAt(0, SLOT_BYTES * 2);
  const even = decodeAnchor(bytes.subarray(0, SLOT_BYTES));
  const odd = decodeAnchor(bytes.subarray(SLOT_BYTES));
  if (even === null || odd === null) return even ?? odd;
  return even.generation > odd.generation ? even : odd;
}
