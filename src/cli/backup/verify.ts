import { Argument, type Command } from "@commander-js/extra-typings";
import { configOption, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { factsJson, factsLines } from "./facts_view.ts";
import { addKekOptions } from "./kek_settings.ts";

const HELP = `
Needs no cluster and changes nothing. Reads all of the file: every chunk opens,
none is left out, moved or cut off, every record has its form. A sealed one
needs a KEK that its keys are wrapped under; without one the answer is no.

Ends with 0 for a backup that can be restored, 3 when its keys do not open, 74
when it is damaged, and then says where.`;

/** Adds `backup verify`. */
export function addBackupVerify(parent: Command, services: Services): void {
  const command = parent.command("verify")
    .description("read all of a backup, without a cluster")
    .addOption(configOption());
  const readKeks = addKekOptions(command, services);
  command.addArgument(new Argument("<file>", "the backup"))
    .addOption(jsonOption()).addHelpText("after", HELP)
    .action(async (file, { config = null, json = false }) => {
      const facts = await services.verifyBackup(await readKeks(config), file);
      services.terminal.out.write(
        json
          ? `${JSON.stringify(factsJson(facts))}\n`
          : `${file} is whole\n${factsLines(facts).join("\n")}\n`,
      );
    });
}
