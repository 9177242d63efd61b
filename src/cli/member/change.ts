import { Argument, type Command } from "@commander-js/extra-typings";
import { withAdmin } from "../admin_connection.ts";
import { adminOptions, jsonOption, memberArgument } from "../options.ts";
import type { Services } from "../services.ts";
import { dryRunOption, planOption } from "./change_options.ts";
import { showChange } from "./change_view.ts";

/** Adds `member promote`. */
export function addMemberPromote(member: Command, services: Services): void {
  const command = member.command("promote")
    .description("give a learner that has caught up a vote")
    .addArgument(
      new Argument("<name>", "the learner").argParser(memberArgument),
    )
    .addOption(dryRunOption())
    .addOption(planOption());
  adminOptions(command).addOption(jsonOption())
    .action((name, options) =>
      withAdmin(services, options, async (client) => {
        const { dryRun = false, plan: planHash = "", json = false } = options;
        showChange(services, {
          change: "promote",
          member: name,
          outcome: await client.promoteMember(name, { dryRun, planHash }),
          isDryRun: dryRun,
          isJson: json,
        });
      })
    );
}

/** Adds `member transfer-leader`. */
export function addTransferLeader(member: Command, services: Services): void {
  const command = member.command("transfer-leader")
    .description("hand the leadership to another voter")
    .addArgument(
      new Argument("[name]", "the next leader (else who is furthest)")
        .argParser(memberArgument),
    )
    .addOption(dryRunOption())
    .addOption(planOption());
  adminOptions(command).addOption(jsonOption())
    .action((name = "", options) =>
      withAdmin(services, options, async (client) => {
        const { dryRun = false, plan: planHash = "", json = false } = options;
        showChange(services, {
          change: "transfer-leader",
          member: name,
          outcome: await client.transferLeader(name, { dryRun, planHash }),
          isDryRun: dryRun,
          isJson: json,
        });
      })
    );
}
