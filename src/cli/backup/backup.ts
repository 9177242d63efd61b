import type { Command } from "@commander-js/extra-typings";
import type { Services } from "../services.ts";
import { addBackupCreate } from "./create.ts";
import { addBackupRestore } from "./restore.ts";
import { addBackupVerify } from "./verify.ts";

/** Adds `backup` and the commands below it. */
export function addBackup(program: Command, services: Services): void {
  const backup = program.command("backup")
    .description("copy a cluster to a file, and found one from it");
  addBackupCreate(backup, services);
  addBackupVerify(backup, services);
  addBackupRestore(backup, services);
}
