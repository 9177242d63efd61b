import type { EncryptionSettings } from "../config.ts";
import { type DiskPorts, onDiskPorts } from "../disk_ports.ts";
import { keySettings } from "../key_settings.ts";
import type { Kek } from "../../keys/port.ts";
import { createBackup, type CreateOptions } from "./create.ts";
import type { BackupFacts } from "./facts.ts";
import {
  restoreBackup,
  type RestoreOptions,
  type RestoreOutcome,
} from "./restore.ts";
import { verifyBackup } from "./verify.ts";

/** `createBackup` on the real disk. @throws {NodeError} As it does. */
export async function createDiskBackup(
  settings: EncryptionSettings,
  options: Omit<CreateOptions, "keks">,
): Promise<BackupFacts> {
  return await withKeks(
    settings,
    (ports, keks) => createBackup(ports, { ...options, keks }),
  );
}

/** `verifyBackup` on the real disk. @throws {NodeError} As it does. */
export async function verifyDiskBackup(
  settings: EncryptionSettings,
  path: string,
): Promise<BackupFacts> {
  return await withKeks(
    settings,
    (ports, keks) => verifyBackup(ports, { path, keks }),
  );
}

/** `restoreBackup` on the real disk. @throws {NodeError} As it does. */
export async function restoreDiskBackup(
  settings: EncryptionSettings,
  options: Omit<RestoreOptions, "keks" | "isEncrypting">,
): Promise<RestoreOutcome> {
  const { encryptionEnabled: isEncrypting } = settings;
  return await withKeks(
    settings,
    (ports, keks) => restoreBackup(ports, { ...options, keks, isEncrypting }),
  );
}

async function withKeks<Result>(
  settings: EncryptionSettings,
  use: (ports: DiskPorts, keks: readonly Kek[]) => Promise<Result>,
): Promise<Result> {
  return await onDiskPorts(async (ports) =>
    await use(ports, await keySettings(settings, ports).openKeks())
  );
}
