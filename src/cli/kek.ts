import type { Command } from "@commander-js/extra-typings";
import { jsonOption } from "./options.ts";
import type { Services } from "./services.ts";

const GENERATE_HELP = `
32 random bytes that only you can read. Keep a copy where the nodes' disks are
not: without it, sealed data cannot be opened by anyone. Give every node its own
copy of the same file.`;
const ID_HELP = `
Two files with the same id hold the same KEK. Run it on the copy that is kept
apart, to be sure that it is the right one: \`sealkv encryption status\` shows the
ids that members have. The id tells nothing of the key.`;

/** Adds `kek` and the commands below it. */
export function addKek(program: Command, services: Services): void {
  const kek = program.command("kek")
    .description("make and tell apart keys that wrap the data keys");
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
  kek.command("id")
    .description("print the id of the KEK in a file")
    .argument("<file>", "a KEK file that only you can read")
    .addOption(jsonOption())
    .addHelpText("after", ID_HELP)
    .action(async (path, { json }) => {
      const id = await services.kekFileId(path);
      const line = json ? JSON.stringify({ id, path }) : id;
      services.terminal.out.write(`${line}\n`);
    });
}
