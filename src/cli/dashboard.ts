import {
  type Command,
  InvalidArgumentError,
} from "@commander-js/extra-typings";
import { withAdmin } from "./admin_connection.ts";
import type { ExitCode } from "./exit_code.ts";
import { adminOptions, durationArgument } from "./options.ts";
import { loadScreens, screenWorld } from "./screens.ts";
import type { Services } from "./services.ts";

const HELP = `
Members, traffic, keys, what is under way and what was asked for, on one screen
that fits 60x18 and more. It only looks; "?" there shows its keys. A member that
does not answer within 2s has no figures. Without a terminal use
\`sealkv status --watch\`, \`sealkv encryption status\` or \`/metrics\`.`;
/** One member that hangs must not hold up what others say. */
const ANSWER_MS_MAX = 2_000;
const INTERVAL_MS = 1_000;
/** More often is nothing but load. */
const INTERVAL_MS_MIN = 100;

/** Adds `dashboard`. */
export function addDashboard(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = program.command("dashboard")
    .description("look at a cluster as it runs, on a full screen")
    .option(
      "--interval <DURATION>",
      "time between two looks, from 100ms on",
      intervalArgument,
      INTERVAL_MS,
    );
  adminOptions(command).addHelpText("after", HELP)
    .action(async (options) => {
      const { openDashboard } = await loadScreens(services, {
        what: "the dashboard",
        instead:
          "Use `sealkv status --watch` instead, or open it on a terminal",
      });
      const timeout = Math.min(options.timeout, ANSWER_MS_MAX);
      await withAdmin(services, { ...options, timeout }, async (client) => {
        const { admin, interval: intervalMs } = options;
        const world = screenWorld(services, { client, admin });
        const { exitCode } = await openDashboard(world, { intervalMs });
        finish(exitCode);
      });
    });
}

function intervalArgument(text: string): number {
  const intervalMs = durationArgument(text);
  if (intervalMs >= INTERVAL_MS_MIN) return intervalMs;
  throw new InvalidArgumentError(`Write ${INTERVAL_MS_MIN}ms or more.`);
}
