import { Argument, type Command } from "@commander-js/extra-typings";
import type { AdminClient } from "../../admin/client.ts";
import type { DataDirRebuild } from "../../app/rebuild.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import {
  addressArgument,
  adminOptions,
  jsonOption,
  memberArgument,
} from "../options.ts";
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
import { planRebuild } from "./rebuild_plan.ts";
import { acceptedRisks } from "./remove.ts";

const HELP = `
For a stopped node whose disk is damaged, lost or out of date. The old member is
removed, the name comes back under a new raft id, and the data dir is emptied:
its contents are renamed, or removed with --delete-old. Then start the node with
the line that is printed; it copies the data from the cluster.

One-way: what only this disk held is not used again. A run that was cut short is
run again with the same arguments and goes on where it was.`;

/** Adds `member rebuild`. */
export function addMemberRebuild(member: Command, services: Services): void {
  const command = member.command("rebuild")
    .description("make a member anew from the others")
    .addArgument(new Argument("<name>", "the member").argParser(memberArgument))
    .requiredOption("--data-dir <DIR>", "its data dir; its node is stopped")
    .option(
      "--peer <ADDR>",
      "what other members dial (default: what the cluster knows)",
      addressArgument,
    )
    .option("--delete-old", "remove the old contents instead of keeping them")
    .addOption(confirmOption())
    .addOption(acceptQuorumLossOption())
    .addOption(dryRunOption())
    .addOption(planOption())
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action(async (name, options) => {
      const { dataDir } = options;
      const local = await services.openRebuild({ dataDir, node: name });
      try {
        await withAdmin(
          services,
          options,
          (client) => rebuild(services, client, local, { name, ...options }),
        );
      } finally {
        await local.close();
      }
    });
}

interface RebuildOptions extends OneWayFlags, AdminOptions {
  readonly name: string;
  readonly dataDir: string;
  readonly peer?: string | undefined;
  readonly deleteOld?: true | undefined;
}

/** Every check is made before anything changes: first a dry run, then a name. */
async function rebuild(
  services: Services,
  client: AdminClient,
  local: DataDirRebuild,
  options: RebuildOptions,
): Promise<void> {
  const { name, plan: planHash = "", dryRun = false, json = false } = options;
  const terms = { planHash, accept: acceptedRisks(options) };
  const status = await client.getStatus();
  const plan = planRebuild(status, local, { ...options, node: name });
  const outcome = await plan.clusterPart(client, terms);
  const { start, after } = plan;
  const view = { change: "rebuild", member: name, after, isJson: json };
  if (dryRun) {
    const facts = { start };
    showChange(services, { ...view, outcome, isDryRun: true, facts });
    return;
  }
  const confirm = await confirmed(services, {
    given: options.confirm,
    cluster: status.cluster,
    steps: stepsOf({ outcome, after }),
    isJson: json,
  });
  await local.begin(plan.record);
  const memberId = await plan.change(client, { ...terms, confirm });
  if (options.deleteOld) await local.deleteOld();
  else await local.moveAside();
  await local.finish();
  showChange(services, {
    ...view,
    outcome: { plan: outcome.plan, changed: true, memberId },
    isDryRun: false,
    facts: { start },
  });
}
