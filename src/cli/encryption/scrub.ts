import type { Command } from "@commander-js/extra-typings";
import { EXIT, type ExitCode } from "../exit_code.ts";
import {
  dryRunOption,
  longWaitOption,
  planOption,
} from "../member/change_options.ts";
import { adminOptions, jsonOption, memberArgument } from "../options.ts";
import type { Services } from "../services.ts";
import { carryOut } from "./carry_out.ts";

const HELP = `
For phase 2, once cleartext is locked. Every member copies its records into a
new file, and removes the old one, older checkpoints and every log file that
holds an entry of before; the others first, the leader last. Each goes on
serving, but for a short pause, and needs room for its records once more. What
a rebuild put aside in a data dir (*.old-TIME) is yours to remove before.

What a file system, an SSD or a snapshot of the disk keeps of removed files is
out of reach: only replacing the disk helps there. Backups are not touched.`;

/** Adds `encryption scrub`. */
export function addScrub(
  parent: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = parent.command("scrub")
    .description("remove what was written before sealing from the disks")
    .option(
      "--node <NAME>",
      "on this member, may be given again (else on all)",
      (name: string, before?: readonly string[]) => [
        ...before ?? [],
        memberArgument(name),
      ],
    )
    .addOption(longWaitOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const { node: nodes = [] } = options;
      const isInterrupted = await carryOut(services, options, {
        name: "scrub",
        facts: { nodes },
        isLong: true,
        after: [
          "what the file system or the disk itself keeps of removed files is out of reach",
        ],
        ask: (client, terms) => client.scrub(nodes, terms),
      });
      if (isInterrupted) finish(EXIT.interrupted);
    });
}
