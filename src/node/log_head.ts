import type { Bytes } from "../base/bytes.ts";
import type { Disk } from "../io/disk.ts";
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
import { dataDirPaths } from "./data_dir.ts";

/** A header names some members; more than this is no header. */
const FRAME_BYTES_MAX = 1024 * 1024;

/** Whose log lies in a data dir. */
export interface LogHead {
  /** Name of the node. */
  readonly node: string;
  /** 16 bytes; `null` until the cluster had one. */
  readonly clusterId: Bytes | null;
}

/**
 * Reads whose log is in `dataDir`, from the newest segment whose first frame is
 * whole; `null` when there is none: the log may be damaged. Changes nothing.
 */
export async function readLogHead(
  disk: Disk,
  dataDir: string,
): Promise<LogHead | null> {
  const paths = walPaths(dataDirPaths(dataDir).wal);
  const segments = await listSegments(disk, paths);
  for (const { name } of segments.toReversed()) {
    const head = await readSegmentHead(disk, `${paths.segments}/${name}`);
    if (head !== null) return head;
  }
  return null;
}

async function readSegmentHead(
  disk: Disk,
  path: string,
): Promise<LogHead | null> {
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
    if (segment === null || !("nodeName" in segment)) return null;
    const { nodeName: node, clusterId } = segment;
    const isKnown = clusterId.some((byte) => byte !== 0);
    return { node, clusterId: isKnown ? clusterId.slice() : null };
  } finally {
    await file.close();
  }
}
