import type { Disk } from "../../io/disk.ts";
import {
  decodeHeader,
  HEADER_PREFIX_BYTES,
  headerBytes,
} from "../../store/checkpoint/header.ts";
import {
  CheckpointDamagedError,
  CheckpointUnsupportedError,
} from "../../store/errors.ts";
import { INCOMING_NOTE, INCOMING_PART } from "../checkpoint/incoming_part.ts";
import { decodeNote, NOTE_BYTES } from "../checkpoint/note.ts";
import { OUTGOING_PREFIX } from "../checkpoint/outgoing_files.ts";
import type { CheckpointFacts } from "./facts.ts";

/**
 * Finds the newest checkpoint in `dir` by the headers alone; `null` when there
 * is none. What is not whole is none: the node removes it or goes on with it.
 */
export async function readNewestCheckpoint(
  disk: Disk,
  dir: string,
): Promise<CheckpointFacts | null> {
  if (!await disk.exists(dir)) return null;
  let newest: CheckpointFacts | null = null;
  for (const { name } of await disk.list(dir)) {
    const isOurs = name.startsWith(OUTGOING_PREFIX) ||
      (name === INCOMING_PART && await isWhole(disk, dir));
    const facts = isOurs ? await readHeader(disk, `${dir}/${name}`) : null;
    if (facts !== null && facts.index >= (newest?.index ?? 0)) newest = facts;
  }
  return newest;
}

async function isWhole(disk: Disk, dir: string): Promise<boolean> {
  const path = `${dir}/${INCOMING_NOTE}`;
  if (!await disk.exists(path)) return false;
  const note = decodeNote(await readStart(disk, path, NOTE_BYTES + 1));
  return note !== null && note.synced === note.total;
}

async function readHeader(
  disk: Disk,
  path: string,
): Promise<CheckpointFacts | null> {
  try {
    const prefix = await readStart(disk, path, HEADER_PREFIX_BYTES);
    const bytes = await readStart(disk, path, headerBytes(path, prefix));
    const { applied, fsm } = decodeHeader(path, bytes).state;
    return { path, index: applied.index, encryption: fsm.encryption };
  } catch (error) {
    const isNone = error instanceof CheckpointDamagedError ||
      error instanceof CheckpointUnsupportedError;
    if (isNone) return null;
    throw error;
  }
}

async function readStart(disk: Disk, path: string, length: number) {
  const file = await disk.open(path, "existing");
  try {
    return await file.readAt(0, length);
  } finally {
    await file.close();
  }
}
