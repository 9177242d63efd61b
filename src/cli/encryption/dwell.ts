import {
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import type { Clock } from "../../io/clock.ts";
import { UsageError } from "../errors.ts";
import { dryRunOption, planOption } from "../member/change_options.ts";
import { adminOptions, durationArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { carryOut } from "./carry_out.ts";
import { timeText } from "../../base/time_text.ts";

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
    .addOption(
      new Option("--until <TIME>", "until then, as 2026-12-01T08:00:00Z")
        .conflicts("for").argParser(timeArgument),
    )
    .addOption(new Option("--end", "end it now").conflicts(["for", "until"]))
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (options) => {
      const untilMs = untilOf(options, services.clock);
      const until = untilMs === 0 ? null : timeText(untilMs);
      await carryOut(services, options, {
        name: "update-rollout",
        facts: { until },
        // Counted from now, it would be another plan a second later.
        planFlags: until === null ? [] : [`--until ${until}`],
        after: until === null ? [] : [`until ${until}`],
        ask: (client, terms) => client.updateRollout(untilMs, terms),
      });
    });
}

interface DwellFlags {
  readonly for?: number | undefined;
  readonly until?: number | undefined;
  readonly end?: true | undefined;
}

const SECOND_MS = 1_000;

/** Unix ms, whole seconds; 0 for the end. @throws {UsageError} */
function untilOf(
  { for: spanMs, until, end }: DwellFlags,
  clock: Clock,
): number {
  if (until !== undefined) return until;
  if (end === true) return 0;
  if (spanMs !== undefined) {
    return Math.ceil((clock.wallMs() + spanMs) / SECOND_MS) * SECOND_MS;
  }
  throw new UsageError(
    "Cannot tell how long to dwell as none of --for, --until and --end is given",
    "Give --for 24h, or --end; `sealkv encryption status` shows the dwell",
  );
}

function timeArgument(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text);
  const untilMs = isTime ? Date.parse(text) : NaN;
  if (untilMs > 0) return untilMs;
  throw new InvalidArgumentError("Write a UTC time, as 2026-12-01T08:00:00Z.");
}
