import { type Bytes, equalBytes, utf8 } from "../base/bytes.ts";
import { parentOf } from "../base/path.ts";
import type { Disk } from "../io/disk.ts";
import { DiskError } from "../io/errors.ts";
import {
  FilesystemUnsupportedError,
  SidecarMalformedError,
  SidecarWriteFailedError,
} from "./errors.ts";
import {
  parseSidecar,
  SIDECAR_BYTES_MAX,
  type SidecarFound,
} from "./sidecar.ts";

const PROBE_NAME = "probe";
const PROBE_BYTES = utf8("written, renamed and synced\n");

/** The file of a sidecar; `dir` is `<data-dir>/encryption`. */
export function sidecarPath(dir: string): string {
  return `${dir}/keys.json`;
}

/**
 * Reads the sidecar in `dir`, its MAC not checked; `null` when there is none.
 *
 * @throws {SidecarMalformedError}
 * @throws {DiskError} When it cannot be read.
 */
export async function readSidecar(
  disk: Disk,
  dir: string,
): Promise<SidecarFound | null> {
  const path = sidecarPath(dir);
  if (!await disk.exists(path)) return null;
  const file = await disk.open(path, "existing");
  try {
    const size = await file.size();
    if (size > SIDECAR_BYTES_MAX) {
      const rule = `it has at most ${SIDECAR_BYTES_MAX} bytes`;
      throw new SidecarMalformedError(path, "", `${rule}: ${size} are there`);
    }
    return parseSidecar(path, textOf(path, await file.readAt(0, size)));
  } finally {
    await file.close();
  }
}

function textOf(path: string, bytes: Bytes): string {
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return utf8.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new SidecarMalformedError(path, "", "it must be UTF-8 text");
  }
}

/**
 * Replaces the sidecar in `dir` by `text`, durably: a crash leaves the one
 * before or this one, whole.
 *
 * @throws {SidecarWriteFailedError} Either of them may be there then.
 */
export async function writeSidecar(
  disk: Disk,
  dir: string,
  text: string,
): Promise<void> {
  const path = sidecarPath(dir);
  try {
    await replaceFile(disk, path, utf8(text));
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new SidecarWriteFailedError(path, { cause });
  }
}

/**
 * Does to a file in `dir` what a sidecar needs, and removes it.
 *
 * @throws {FilesystemUnsupportedError} When anything of it fails.
 */
export async function probeFilesystem(disk: Disk, dir: string): Promise<void> {
  const path = `${dir}/${PROBE_NAME}`;
  try {
    await replaceFile(disk, path, PROBE_BYTES);
    const found = await readBack(disk, path, PROBE_BYTES.length + 1);
    await disk.remove(path);
    await disk.syncDir(dir);
    if (!equalBytes(found, PROBE_BYTES)) {
      throw new FilesystemUnsupportedError(dir);
    }
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new FilesystemUnsupportedError(dir, { cause });
  }
}

async function readBack(
  disk: Disk,
  path: string,
  length: number,
): Promise<Bytes> {
  const file = await disk.open(path, "existing");
  try {
    return await file.readAt(0, length);
  } finally {
    await file.close();
  }
}

/** The bytes are durable before they get the name, the name at the end. */
async function replaceFile(
  disk: Disk,
  path: string,
  bytes: Bytes,
): Promise<void> {
  const dir = parentOf(path);
  // Made by a start that a crash cut short, its name may not be durable yet.
  if (!await disk.exists(dir)) await disk.makeDir(dir);
  await disk.syncDir(parentOf(dir));
  const draft = `${path}.tmp`;
  await disk.remove(draft);
  const file = await disk.open(draft, "create");
  try {
    await file.writeAt(0, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(draft, path);
  await disk.syncDir(dir);
}
