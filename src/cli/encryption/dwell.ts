import { type Command, Option } from "@commander-js/extra-typings";
import { UsageError } from "../errors.ts";
import { dryRunOption, planOption } from "../member/change_options.ts";
import { adminOptions, durationArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { carryOut } from "./carry_out.ts";
import { timeText } from "./time_text.ts";

const HELP = `
Until it is over the one-way steps after phase 1 are refused: seal-cleartext,
enable-raft-envelope and retire-dek, unless one is given --accept-short-dwell.
A new one takes the place of the one before. It changes nothing else.`;

/** Adds `encryption dwell`. */
export function addDwell(parent: Command, services: Services): void {
  const command = parent.command("dwell")
    .description("hold back later one-way steps for a time")
    .addOption(
      new Option("--for <DURATION>", "from now on, as 24h or 7d")
        .argParser(durationArgument),
    )
    .addOption(new Option("--end", "end it now").conflicts("for"))
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const { for: spanMs, end } = options;
      if (spanMs === undefined && end !== true) {
        throw new UsageError(
          "Cannot tell how long to dwell as neither --for nor --end is given",
          "Give --for 24h, or --end; `sealkv encryption status` shows the dwell",
        );
      }
      const untilMs = spanMs === undefined
        ? 0
        : services.clock.wallMs() + spanMs;
      const until = untilMs === 0 ? null : timeText(BigInt(untilMs));
      await carryOut(services, options, {
        name: "dwell",
        facts: { until },
        after: until === null ? [] : [`until ${until}`],
        ask: (client, terms) => client.updateRollout(untilMs, terms),
      });
    });
}
