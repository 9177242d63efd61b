import type { Command } from "@commander-js/extra-typings";
import type { Services } from "../services.ts";
import { addBootstrap, addRewrapDeks, addRotateDek } from "./change.ts";
import { addDisable } from "./disable.ts";
import { addResyncSidecar } from "./resync_sidecar.ts";
import { addEncryptionStatus } from "./status.ts";

/** Adds `encryption` and the commands below it. */
export function addEncryption(program: Command, services: Services): void {
  const encryption = program.command("encryption")
    .description("show and change the keys of the cluster");
  addEncryptionStatus(encryption, services);
  addBootstrap(encryption, services);
  addRotateDek(encryption, services);
  addRewrapDeks(encryption, services);
  addResyncSidecar(encryption, services);
  addDisable(encryption);
}
