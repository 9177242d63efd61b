import type { Command } from "@commander-js/extra-typings";
import type { BackupFacts } from "../../app/backup/facts.ts";
import { shellWord } from "../../base/shell.ts";
import { withAdmin } from "../admin_connection.ts";
import { adminOptions, configOption, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { factsJson, factsLines } from "./facts_view.ts";
import { addKekOptions } from "./kek_settings.ts";

const HELP = `
A consistent copy of all records while writes go on, from the first member that
answers, sealed from the storage cutover on. The file is made for you alone, and
is there only once it was read back whole: a sealed one as far as that goes
without its keys, or all of it with --kek; what does not open is not kept.

Keep the KEK where the backups are not: whoever has both has the data, and
without it nobody does.`;

/** Adds `backup create`. */
export function addBackupCreate(parent: Command, services: Services): void {
  const command = adminOptions(
    parent.command("create")
      .description("copy a running cluster to a new file")
      .requiredOption(
        "--out <FILE>",
        "the file to make; never one that is there",
      )
      .addOption(configOption()),
  );
  const readKeks = addKekOptions(command, services);
  command.addOption(jsonOption()).addHelpText("after", HELP)
    .action(async ({ out: path, config = null, json = false, ...admin }) => {
      const settings = await readKeks(config);
      const facts = await withAdmin(
        services,
        admin,
        (client) =>
          services.createBackup(settings, { path, pieces: client.backup() }),
      );
      services.terminal.out.write(json ? jsonOf(facts) : textOf(facts));
    });
}

function jsonOf(facts: BackupFacts): string {
  return `${JSON.stringify(factsJson(facts))}\n`;
}

function textOf(facts: BackupFacts): string {
  const path = shellWord(facts.path);
  const lines = [
    `made ${facts.path}`,
    ...factsLines(facts),
    ...facts.verified === "all"
      ? ["all of it was read back"]
      : [`open it to be sure: sealkv backup verify ${path} --kek URI`],
  ];
  return `${lines.join("\n")}\n`;
}
