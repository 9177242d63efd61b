import { type Command, Option } from "@commander-js/extra-typings";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { countArgument } from "../options.ts";
import type { Services } from "../services.ts";
import { BASE_PORT_MAX } from "./place.ts";

const HELP = `
Starts three nodes on this machine, makes them a key, and has a program write
to them all the time. The wizard then takes you through turning encryption on,
while a pane shows in which files the program's text is to be found. In the end
it is in none. Everything is gone again when you leave.

--auto takes all steps by itself and prints what was found before and after; so
it does where there is no terminal. It exits with 0 only when the text was on
every disk before and is on none after, and every read and write went well.

With --dir a demo is kept, and goes on where it was the next time.`;

/** Adds `demo`. */
export function addDemo(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  program.command("demo")
    .description("see encryption turned on, on three nodes of this machine")
    .option("--auto", "take all steps unattended and print the evidence")
    .option("--keep", "keep the directory when it ends")
    .option("--dir <DIR>", "keep everything there (default: a temporary one)")
    .addOption(
      new Option(
        "--base-port <PORT>",
        "use ports of 127.0.0.1 from this one on (default: free ones)",
      ).argParser(countArgument(1, BASE_PORT_MAX)),
    )
    .addHelpText("after", HELP)
    .action(async ({ auto, keep, dir, basePort }) => {
      const isUnattended = auto === true || !services.screen.isTerminal;
      if (isUnattended && auto !== true) {
        services.terminal.err.write(
          "There is no terminal to open the wizard on: as with --auto, all " +
            "steps are taken.\n",
        );
      }
      const { runDemo } = await import("./run_demo.ts");
      const code = await runDemo(services, {
        isUnattended,
        isKept: keep === true || dir !== undefined,
        dir: dir ?? null,
        basePort: basePort ?? null,
      });
      if (code !== EXIT.done) finish(code);
    });
}
