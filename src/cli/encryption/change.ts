import { type Command, Option } from "@commander-js/extra-typings";
import { SEALING_PURPOSES } from "../../base/data_key.ts";
import { dryRunOption, planOption } from "../member/change_options.ts";
import { adminOptions, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { carryOut } from "./carry_out.ts";

const BOOTSTRAP_HELP = `
Draws three keys: one for records, one for the log, one for the node's own
files. Nothing is sealed yet. Every member must prove first that it can open
them; start each with --encryption-enabled and --kek before.`;

const ROTATE_HELP = `
What is sealed from then on is sealed with the new key; the old one stays for
what it sealed.`;

const REWRAP_HELP = `
How a KEK is rotated: start every node with the new and the old one, rewrap
under the new one, then start them without the old one. The data keys stay as
they are. \`sealkv encryption status --json\` shows the ids of KEKs whole.`;

/** Adds `encryption bootstrap`. */
export function addBootstrap(encryption: Command, services: Services): void {
  const command = encryption.command("bootstrap")
    .description("draw the first data keys")
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", BOOTSTRAP_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      await carryOut(services, options, {
        name: "bootstrap",
        ask: (client, terms) => client.bootstrap(terms),
      });
    });
}

/** Adds `encryption rotate-dek`. */
export function addRotateDek(encryption: Command, services: Services): void {
  const purposeOption = new Option("--purpose <PURPOSE>", "what the key is for")
    .choices(SEALING_PURPOSES)
    .makeOptionMandatory();
  const command = encryption.command("rotate-dek")
    .description("draw a data key that takes the place of the active one")
    .addOption(purposeOption)
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", ROTATE_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const { purpose } = options;
      await carryOut(services, options, {
        name: "rotate-dek",
        facts: { purpose },
        ask: (client, terms) => client.rotateDek(purpose, terms),
      });
    });
}

/** Adds `encryption rewrap-deks`. */
export function addRewrapDeks(encryption: Command, services: Services): void {
  const command = encryption.command("rewrap-deks")
    .description("wrap all data keys under other KEKs")
    .option(
      "--to <KEK_ID>",
      "a KEK of the leader, may be given again (else its first --kek)",
      (id: string, before?: readonly string[]) => [...before ?? [], id],
    )
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", REWRAP_HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const { to: keks = [] } = options;
      await carryOut(services, options, {
        name: "rewrap-deks",
        facts: { keks },
        ask: (client, terms) => client.rewrapDeks(keks, terms),
      });
    });
}
