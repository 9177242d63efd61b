import type { Command } from "@commander-js/extra-typings";
import {
  acceptShortDwellOption,
  acceptUnrewrittenOption,
  confirmOption,
  dryRunOption,
  planOption,
} from "../member/change_options.ts";
import { adminOptions, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { acceptedRisks } from "./accepted_risks.ts";
import { carryOut } from "./carry_out.ts";

const STORAGE_HELP = `
Phase 1. Every member must prove first that it can take part; the first keys are
drawn when there are none. From the entry of this step on every member seals
each record that it writes.

ONE-WAY. There is no way back to cleartext but a dump and a reload into a new
cluster. A lost KEK is lost data from then on: keep a copy of it apart from the
data disks before. Records of before stay cleartext until a rewrite has passed.`;

const RAFT_HELP = `
Phase 2. Writes wait for one commit and none fails; from the entry of this step
on every log entry is sealed. When it ends with exit code 8 it was given up on
before anything changed: give it again.

ONE-WAY, as phase 1. Log entries of before stay on the disks as they are, some
with values in cleartext, until \`sealkv encryption scrub\`.`;

/** Adds `encryption enable-storage-envelope`. */
export function addEnableStorage(parent: Command, services: Services): void {
  const command = parent.command("enable-storage-envelope")
    .description("seal every record that is written from now on (one-way)")
    .addOption(confirmOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", STORAGE_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      await carryOut(services, options, {
        name: "enable-storage-envelope",
        oneWay: [
          "one-way: back to cleartext only by a dump and a reload into a new cluster",
          "from then on a lost KEK is lost data: keep a copy apart from the data disks",
        ],
        after: [
          "what was written before is still cleartext, and stays so until it is rewritten: `sealkv encryption rewrite --follow`",
        ],
        ask: (client, terms) => client.enableStorageEnvelope(terms),
      });
    });
}

/** Adds `encryption enable-raft-envelope`. */
export function addEnableRaft(parent: Command, services: Services): void {
  const command = parent.command("enable-raft-envelope")
    .description("seal every log entry from now on (one-way)")
    .addOption(confirmOption())
    .addOption(acceptUnrewrittenOption())
    .addOption(acceptShortDwellOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", RAFT_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      await carryOut(services, options, {
        name: "enable-raft-envelope",
        ...acceptedRisks(options),
        oneWay: [
          "one-way: no log entry is written in cleartext any more, for the life of the cluster",
        ],
        after: [
          "what the log and old files held before is still on the disks: `sealkv encryption scrub` removes it",
        ],
        ask: (client, terms) => client.enableRaftEnvelope(terms),
      });
    });
}
