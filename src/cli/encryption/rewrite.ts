import {
  type Command,
  InvalidArgumentError,
  Option,
} from "@commander-js/extra-typings";
import type { AdminClient } from "../../admin/client.ts";
import { parseSize } from "../../base/size.ts";
import { withAdmin } from "../admin_connection.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { dryRunOption, planOption } from "../member/change_options.ts";
import { adminOptions, durationArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { carryOutBy, type Step, type StepFlags } from "./carry_out.ts";
import { followRewrite } from "./rewrite_follow.ts";

const HELP = `
Seals anew, on every member, each record that is cleartext or under an older
key; values and versionstamps stay as they are. The members do it by themselves
in the background, give way to writes, and go on after a restart. Once given it
stays in force: after a rotate-dek they begin again by themselves. Given again,
it begins anew, at the rate given.

  sealkv encryption rewrite --rate 8MiB --follow   start it and look on
  sealkv encryption rewrite --pause                stop for now
  sealkv encryption rewrite --resume --rate 32MiB  go on, at another rate
  sealkv encryption rewrite --resume --follow      go on, or just look on again

--follow and --wait look on until every member is done; with --wait it ends with
exit code 7 when they are not. Ctrl-C ends the look, not the rewrite.`;

interface RewriteFlags extends StepFlags {
  readonly rate?: number | undefined;
  readonly pause?: true | undefined;
  readonly resume?: true | undefined;
  readonly follow?: true | undefined;
}

/** Adds `encryption rewrite`. */
export function addRewrite(
  parent: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = parent.command("rewrite")
    .description("seal anew what is cleartext or under an older key")
    .addOption(
      new Option(
        "--rate <SIZE>",
        "bytes of values a second on each member, as 8MiB; 0 for no bound " +
          "(else none, or with --resume the one of before)",
      ).argParser(rateArgument),
    )
    .addOption(
      new Option("--pause", "stop it for now on every member")
        .conflicts(["resume", "rate", "follow", "wait"]),
    )
    .option(
      "--resume",
      "go on with the one that was paused, or change its rate",
    )
    .option("--follow", "look on until every member is done")
    .addOption(
      new Option(
        "--wait <DURATION>",
        "look on for at most this long",
      ).argParser(durationArgument),
    )
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        const isInterrupted = await rewrite(services, client, options);
        if (isInterrupted) finish(EXIT.interrupted);
      })
    );
}

async function rewrite(
  services: Services,
  client: AdminClient,
  options: RewriteFlags,
): Promise<boolean> {
  const isFollowed = options.follow === true || options.wait !== undefined;
  const step = stepOf(options, isFollowed);
  await carryOutBy(services, client, { options, step });
  if (options.dryRun === true || !isFollowed) return false;
  return await followRewrite(services, client, {
    waitMs: options.wait ?? null,
    isJson: options.json === true,
  });
}

function stepOf({ rate, pause, resume }: RewriteFlags, isFollowed: boolean) {
  const after = isFollowed
    ? []
    : ["`sealkv encryption status` shows how far members are"];
  if (pause === true) {
    return {
      name: "pause-rewrite",
      ask: (client, terms) => client.pauseRewrite(terms),
    } satisfies Step;
  }
  const facts = { bytesPerSecond: rate === undefined ? null : String(rate) };
  return resume === true
    ? {
      ...{ name: "resume-rewrite", facts, after },
      ask: (client, terms) => client.resumeRewrite(rate ?? null, terms),
    } satisfies Step
    : {
      ...{ name: "start-rewrite", facts, after },
      ask: (client, terms) => client.startRewrite(rate ?? 0, terms),
    } satisfies Step;
}

/** Less would not end. */
const RATE_MIN = 1_024;

/** An argument parser for bytes a second. */
export function rateArgument(text: string): number {
  const rate = text === "0" ? 0 : parseSize(text);
  if (rate === 0 || rate !== null && rate >= RATE_MIN) return rate;
  throw new InvalidArgumentError("Write 512KiB, 8MiB or 1GiB; 0 for no bound.");
}
