import { Argument, type Command } from "@commander-js/extra-typings";
import type { AdminClient, ChangeOptions } from "../../admin/client.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import { adminOptions, jsonOption, memberArgument } from "../options.ts";
import type { Services } from "../services.ts";
import {
  acceptQuorumLossOption,
  confirmOption,
  dryRunOption,
  type OneWayFlags,
  planOption,
} from "./change_options.ts";
import { showChange, stepsOf } from "./change_view.ts";
import { confirmed } from "./confirm.ts";

const HELP = `
One-way: the member's raft id is never used again. A leader hands over first.
Stop the node afterwards; its data dir is of no use to the cluster any more.`;

/** Adds `member remove`. */
export function addMemberRemove(member: Command, services: Services): void {
  const command = member.command("remove")
    .description("remove a member for good")
    .addArgument(new Argument("<name>", "the member").argParser(memberArgument))
    .addOption(confirmOption())
    .addOption(acceptQuorumLossOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action((name, options) =>
      withAdmin(
        services,
        options,
        (client) => removeMember(services, client, { name, ...options }),
      )
    );
}

interface RemoveOptions extends OneWayFlags, AdminOptions {
  readonly name: string;
}

/** Every check is made before anything changes: first a dry run, then a name. */
async function removeMember(
  services: Services,
  client: AdminClient,
  options: RemoveOptions,
): Promise<void> {
  const { name, plan: planHash = "", dryRun = false, json = false } = options;
  const accept = acceptedRisks(options);
  const { cluster, leader } = await client.getStatus();
  const planned = await client.removeMember(name, {
    dryRun: true,
    planHash,
    accept,
  });
  const isLeader = name === leader;
  const before = isLeader
    ? [`hand the leadership of ${name} to the voter that is furthest`]
    : [];
  const view = { change: "remove", member: name, before, isJson: json };
  if (dryRun) {
    showChange(services, { ...view, outcome: planned, isDryRun: true });
    return;
  }
  const confirm = await confirmed(services, {
    given: options.confirm,
    cluster,
    steps: stepsOf({ before, outcome: planned }),
    isJson: json,
  });
  if (isLeader) await client.transferLeader("");
  // The plan was of the cluster under its old leader.
  const terms = { confirm, accept, planHash: isLeader ? "" : planHash };
  const outcome = await client.removeMember(name, terms);
  const { plan } = planned;
  showChange(services, {
    ...view,
    outcome: { ...outcome, plan },
    isDryRun: false,
  });
}

export function acceptedRisks(
  { acceptQuorumLoss }: OneWayFlags,
): NonNullable<ChangeOptions["accept"]> {
  return acceptQuorumLoss === true ? ["quorum-loss"] : [];
}
