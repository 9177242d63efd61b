import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { buildProgram } from "../../../src/cli/program.ts";
import { fakeServices } from "./fake_services.ts";

export function programOfTests(): CommandUnknownOpts {
  return buildProgram(fakeServices({}), () => {});
}

/** Every command that help shows, as "kv get"; groups too. */
export function commandPaths(
  command: CommandUnknownOpts,
  above = "",
): readonly string[] {
  return command.createHelp().visibleCommands(command)
    .filter((child) => child.name() !== "help")
    .flatMap((child) => {
      const path = `${above}${child.name()}`;
      return [path, ...commandPaths(child, `${path} `)];
    });
}

/** Every flag of a command and of those below it. */
export function flagsOf(command: CommandUnknownOpts): ReadonlySet<string> {
  return new Set([
    "--help",
    ...command.options.flatMap(({ long }) => long ?? []),
    ...command.commands.flatMap((child) => [...flagsOf(child)]),
  ]);
}
