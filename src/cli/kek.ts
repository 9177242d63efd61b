import type { Command } from "@commander-js/extra-typings";
import { jsonOption } from "./options.ts";
import type { Services } from "./services.ts";

const GENERATE_HELP = `
32 random bytes that only you can read. Keep a copy where the nodes' disks are
not: without it, sealed data cannot be opened by anyone. Give every node its own
copy of the same file.`;

/** Adds `kek` and the commands below it. */
export function addKek(program: Command, services: Services): void {
  const kek = program.command("kek")
    .description("make keys that wrap the data keys");
  kek.command("generate")
    .description("make a KEK file; one that is there stays as it is")
    .requiredOption("--out <FILE>", "the file to make")
    .addOption(jsonOption())
    .addHelpText("after", GENERATE_HELP)
    .action(async ({ out: path, json }) => {
      const { id } = await services.generateKek(path);
      const uri = `file:${path}`;
      services.terminal.out.write(
        json
          ? `${JSON.stringify({ id, kek: uri, path })}\n`
          : `made ${path}\nid ${id}\ngive it to a node: --kek ${uri}\n`,
      );
    });
}
