import type { Disk } from "../../io/disk.ts";
import { type Segment, tornName } from "../segment.ts";
import type { TornTail } from "./tail.ts";

const CHUNK_BYTES = 2 ** 20;

/**
 * Saves a torn tail beside its segment, then zeroes it, both durably.
 *
 * Left-over bytes behind a shorter new frame would look like a torn one.
 * Returns the name of the copy.
 */
export async function repairTail(
  disk: Disk,
  dir: string,
  segment: Segment,
  torn: TornTail,
): Promise<string> {
  const copyName = tornName(segment, torn.offset);
  const file = await disk.open(`${dir}/${segment.name}`, "existing");
  try {
    await disk.remove(`${dir}/${copyName}`);
    const copy = await disk.open(`${dir}/${copyName}`, "create");
    for (let at = torn.offset; at < torn.until; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, torn.until - at);
      await copy.writeAt(at - torn.offset, await file.readAt(at, length));
    }
    await copy.sync();
    await copy.close();
    await disk.syncDir(dir);
    for (let at = torn.offset; at < torn.until; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, torn.until - at);
      await file.writeAt(at, new Uint8Array(length));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return copyName;
}
