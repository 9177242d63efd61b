import { type Command, Option } from "@commander-js/extra-typings";
import { LADDER_STEPS } from "../../rollout/step.ts";
import { withAdmin } from "../admin_connection.ts";
import { rateArgument } from "../encryption/rewrite.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit_code.ts";
import {
  acceptShortDwellOption,
  acceptUnrewrittenOption,
  dryRunOption,
} from "../member/change_options.ts";
import { adminOptions, durationArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { choicesOf } from "./choices.ts";
import { openRollout } from "./wizard.ts";

const HELP = `
On a terminal, without --plan and --apply, it opens the wizard: steps, checks,
what each does and cannot take back; leave it and come back at any time.

  sealkv rollout --plan                    done, next, and what is in the way
  sealkv rollout --apply --confirm NAME    take step after step, unattended

--apply stops at the first check that fails (exit code 3) and at the first
command that does, but for one that was lost with its leader: once nothing of
it shows under the next one, it is given anew. Given again, it goes on.
--plan ends with 0 even where a step is blocked. A transcript is a script: run
on another cluster, it comes to the same end.`;

/** Adds `rollout`. */
export function addRollout(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = addOptions(
    program.command("rollout")
      .description("turn encryption on, step by step, with every check"),
  );
  adminOptions(command).addOption(jsonOption())
    .action(async (options, parsed) => {
      const isStepGiven = parsed.getOptionValueSource("untilStep") === "cli";
      refuseIdle({ ...options, untilStep: isStepGiven });
      const choices = choicesOf(options, services.clock);
      const isJson = options.json === true;
      if (options.plan === true) {
        const { printPlan } = await import("./plan.ts");
        await withAdmin(
          services,
          options,
          (client) => printPlan(services, client, { choices, isJson }),
        );
        return;
      }
      const take = options.apply === true
        ? (await import("./apply.ts")).applyPlan
        : openRollout;
      finish(await take(services, options, choices));
    });
}

/**
 * Nobody who gives one of these wants a wizard or a plan that heeds none.
 *
 * @throws {UsageError}
 */
function refuseIdle(flags: {
  readonly plan?: true | undefined;
  readonly apply?: true | undefined;
  readonly json?: true | undefined;
  readonly confirm?: string | undefined;
  readonly untilStep: boolean;
  readonly wait?: number | undefined;
  readonly dryRun?: true | undefined;
}): void {
  if (flags.apply === true) return;
  const idle = [
    ...flags.confirm === undefined ? [] : ["--confirm"],
    ...flags.untilStep ? ["--until-step"] : [],
    ...flags.wait === undefined ? [] : ["--wait"],
    ...flags.dryRun === true ? ["--dry-run"] : [],
  ];
  const [flag] = idle;
  if (flag !== undefined) {
    throw new UsageError(
      `Cannot use ${flag} as it is for --apply, which is not given`,
      `Add --apply, or leave out ${idle.join(", ")}`,
    );
  }
  if (flags.json === true && flags.plan !== true) {
    throw new UsageError(
      "Cannot use --json as the wizard writes none",
      "Add --plan or --apply",
    );
  }
}

function addOptions(command: Command) {
  return command
    .addOption(
      new Option("--plan", "print the steps, their checks and their commands")
        .conflicts(["apply", "readOnly", "transcript"]),
    )
    .addOption(
      new Option("--apply", "take the steps, unattended").conflicts("readOnly"),
    )
    .option("--confirm <CLUSTER>", "for --apply: the cluster's name")
    .addOption(
      new Option("--until-step <STEP>", "for --apply: the last step to take")
        .choices(LADDER_STEPS).default("scrub" as const),
    )
    .addOption(
      new Option("--dwell <DURATION>", "hold back the steps after the rewrite")
        .argParser(durationArgument),
    )
    .addOption(
      new Option(
        "--wait <DURATION>",
        "for --apply: wait for the end of a dwell, at most this long (else " +
          "stop there)",
      ).argParser(durationArgument),
    )
    .addOption(
      new Option(
        "--rate <SIZE>",
        "bound of the rewrite on each member, bytes of values a second",
      ).argParser(rateArgument),
    )
    .addOption(acceptShortDwellOption())
    .addOption(acceptUnrewrittenOption())
    .option("--read-only", "open the wizard to look only")
    .option(
      "--transcript <FILE>",
      "write down what is done, as a script (else the wizard alone does, in " +
        "sealkv-rollout-CLUSTER.sh)",
    )
    .addOption(dryRunOption())
    .addHelpText("after", HELP);
}
