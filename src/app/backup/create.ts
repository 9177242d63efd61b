import { NO_KEY } from "../../base/data_key.ts";
import { parentOf } from "../../base/path.ts";
import type { Disk } from "../../io/disk.ts";
import { DiskExistsError } from "../../io/errors.ts";
import type { Kek } from "../../keys/port.ts";
import { streamKeyId } from "../../store/checkpoint/header.ts";
import { BackupExistsError } from "./errors.ts";
import { type BackupFacts, backupFacts } from "./facts.ts";
import { withBackup } from "./open_backup.ts";
import { verifyBackup } from "./verify.ts";

/** What the file is called until all of it is here. */
const PARTIAL = ".partial";

export interface CreateOptions {
  /** Where the backup is to be. */
  readonly path: string;
  /** As a member sends it; whole when it ends without an error. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Open a sealed one as far as they do; may be none. */
  readonly keks: readonly Kek[];
}

/**
 * Keeps a backup as the file `path`: durable, readable by its owner alone, and
 * there only once it was read back from the disk and found whole. A sealed one
 * is opened where `keks` do, else only what is around its chunks is checked.
 *
 * @throws {BackupExistsError} A file is there; nothing was changed.
 * @throws {NodeError} What the stream, the disk and `verifyBackup` throw;
 * nothing is left then.
 */
export async function createBackup(
  { disk }: { readonly disk: Disk },
  { path, pieces, keks }: CreateOptions,
): Promise<BackupFacts> {
  const partial = `${path}${PARTIAL}`;
  if (await disk.exists(path)) throw new BackupExistsError(path);
  await claim(disk, partial);
  try {
    await write(disk, partial, pieces);
    const facts = await check(disk, partial, keks);
    // Whoever made the name meanwhile keeps his file.
    await claim(disk, path);
    await disk.rename(partial, path);
    await disk.syncDir(parentOf(path));
    return { ...facts, path };
  } catch (error) {
    // Why it failed matters more than why its rest stays.
    await disk.remove(partial).catch(() => {});
    throw error;
  }
}

/** Makes an empty file, its owner's alone. @throws {BackupExistsError} */
async function claim(disk: Disk, path: string): Promise<void> {
  try {
    await (await disk.open(path, "create")).close();
  } catch (error) {
    if (error instanceof DiskExistsError) throw new BackupExistsError(path);
    throw error;
  }
}

async function write(
  disk: Disk,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await disk.open(path, "existing");
  try {
    let at = 0;
    for await (const piece of pieces) {
      await file.writeAt(at, piece);
      at += piece.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function check(
  disk: Disk,
  path: string,
  keks: readonly Kek[],
): Promise<BackupFacts> {
  const { header, fileBytes } = await withBackup(
    disk,
    path,
    (backup) => backup.walk(),
  );
  const { state, databases } = header;
  const isOpenable = streamKeyId(state) === NO_KEY || keks.length > 0;
  if (isOpenable) return await verifyBackup({ disk }, { path, keks });
  return backupFacts(state, {
    ...{ path, bytes: fileBytes, databases },
    ...{ verified: "header", records: null },
  });
}
