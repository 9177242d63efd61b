import type { Disk } from "../../io/disk.ts";
import type { Kek } from "../../keys/port.ts";
import { type BackupFacts, backupFacts } from "./facts.ts";
import { withBackup } from "./open_backup.ts";

/**
 * Reads all of a backup, with no cluster: every chunk opens, nothing is left
 * out, moved or cut off, and every record has its form.
 *
 * @throws {BackupDamagedError}
 * @throws {BackupKeysMissingError} Sealed, and none of `keks` opens it.
 * @throws {NodeError} STORE_CHECKPOINT_UNSUPPORTED, KEYS_KEK_UNAVAILABLE, and
 * what the disk throws.
 */
export async function verifyBackup(
  { disk }: { readonly disk: Disk },
  { path, keks }: { readonly path: string; readonly keks: readonly Kek[] },
): Promise<BackupFacts> {
  return await withBackup(disk, path, async (backup) => {
    const { state, records, bytes } = await (await backup.open(keks)).verify();
    const databases = state.fsm.databases.size;
    const verified = "all";
    return backupFacts(state, { path, bytes, verified, records, databases });
  });
}
