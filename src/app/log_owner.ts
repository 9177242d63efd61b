import type { Disk } from "../io/disk.ts";
import { dataDirPaths } from "../node/data_dir.ts";
import {
  FRAME_HEADER_BYTES,
  frameBodyHolds,
  frameBytes,
  openFrameHeader,
} from "../wal/frame.ts";
import { walPaths } from "../wal/paths.ts";
import { decodeRecords } from "../wal/record.ts";
import { decodeSegmentHeader } from "../wal/segment_header.ts";
import { listSegments } from "../wal/segment_files.ts";

/** A header names some members; more than this is no header. */
const FRAME_BYTES_MAX = 1024 * 1024;

/**
 * The name of the node whose log is in `dataDir`, from the newest segment whose
 * first frame is whole; `null` when there is none: the log may be damaged.
 */
export async function readLogOwner(
  disk: Disk,
  dataDir: string,
): Promise<string | null> {
  const paths = walPaths(dataDirPaths(dataDir).wal);
  const segments = await listSegments(disk, paths);
  for (const { name } of segments.toReversed()) {
    const owner = await readSegmentOwner(disk, `${paths.segments}/${name}`);
    if (owner !== null) return owner;
  }
  return null;
}

async function readSegmentOwner(
  disk: Disk,
  path: string,
): Promise<string | null> {
  const file = await disk.open(path, "existing");
  try {
    const header = openFrameHeader(await file.readAt(0, FRAME_HEADER_BYTES));
    if (header === null) return null;
    const { payloadBytes } = header;
    const bytes = frameBytes(payloadBytes) - FRAME_HEADER_BYTES;
    if (bytes > FRAME_BYTES_MAX) return null;
    const body = await file.readAt(FRAME_HEADER_BYTES, bytes);
    if (body.length < bytes || !frameBodyHolds(header, body)) return null;
    const [first] = decodeRecords(body.subarray(0, payloadBytes)) ?? [];
    if (first?.kind !== "segment-header") return null;
    const segment = decodeSegmentHeader(first.body);
    return segment !== null && "nodeName" in segment ? segment.nodeName : null;
  } finally {
    await file.close();
  }
}
