import { parentOf } from "../base/path.ts";
import type { Disk } from "../io/disk.ts";
import { oldSuffix } from "./old_suffix.ts";

const PIECE_BYTES = 65_536;

/**
 * Copies the file at `path`, durably, to a name of its own beside it; returns
 * that, or `null` when there is no such file.
 */
export async function keepOldFile(
  disk: Disk,
  path: string,
  wallMs: number,
): Promise<string | null> {
  if (!await disk.exists(path)) return null;
  const suffix = oldSuffix(wallMs);
  let kept = `${path}${suffix}`;
  for (let turn = 2; await disk.exists(kept); turn += 1) {
    kept = `${path}.${turn}${suffix}`;
  }
  const from = await disk.open(path, "existing");
  try {
    const to = await disk.open(kept, "create");
    try {
      const size = await from.size();
      for (let at = 0; at < size; at += PIECE_BYTES) {
        await to.writeAt(at, await from.readAt(at, PIECE_BYTES));
      }
      await to.sync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
  await disk.syncDir(parentOf(path));
  return kept;
}
