import type { Command } from "@commander-js/extra-typings";
import type { ExitCode } from "../exit_code.ts";
import type { Services } from "../services.ts";
import { addBootstrap, addRewrapDeks, addRotateDek } from "./change.ts";
import { addDisable } from "./disable.ts";
import { addDwell } from "./dwell.ts";
import { addEnableRaft, addEnableStorage } from "./enable.ts";
import { addHistory } from "./history.ts";
import { addRetireDek, addSealCleartext } from "./one_way.ts";
import { addResyncSidecar } from "./resync_sidecar.ts";
import { addRewrite } from "./rewrite.ts";
import { addScrub } from "./scrub.ts";
import { addEncryptionStatus } from "./status.ts";

/** Adds `encryption` and the commands below it. */
export function addEncryption(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const encryption = program.command("encryption")
    .description("turn encryption on, step by step, and keep its keys");
  encryption.commandsGroup("Look:");
  addEncryptionStatus(encryption, services, finish);
  addHistory(encryption, services);
  encryption.commandsGroup("Turn it on, in this order:");
  addBootstrap(encryption, services);
  addEnableStorage(encryption, services);
  addDwell(encryption, services);
  addRewrite(encryption, services, finish);
  addSealCleartext(encryption, services, finish);
  addEnableRaft(encryption, services);
  addScrub(encryption, services, finish);
  encryption.commandsGroup("Keep it:");
  addRotateDek(encryption, services);
  addRewrapDeks(encryption, services);
  addRetireDek(encryption, services, finish);
  addResyncSidecar(encryption, services);
  addDisable(encryption);
}
