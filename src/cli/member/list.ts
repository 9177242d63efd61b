import type { Command } from "@commander-js/extra-typings";
import type { ClusterStatus } from "../../admin/client.ts";
import { withAdmin } from "../admin_connection.ts";
import { adminOptions, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { addressLines, memberJson } from "../status_view.ts";
import { shortened, tableLines } from "../table.ts";

const NAME_COLUMNS_MAX = 30;

/** Adds `member list`. */
export function addMemberList(member: Command, services: Services): void {
  const command = member.command("list")
    .description("show the members, their ids and addresses");
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        const status = await client.getStatus();
        const { out } = services.terminal;
        out.write(options.json ? listJson(status) : listTable(status));
      })
    );
}

function listJson({ cluster, leader, members }: ClusterStatus): string {
  const json = { cluster, leader, members: members.map(memberJson) };
  return `${JSON.stringify(json)}\n`;
}

function listTable({ members }: ClusterStatus): string {
  const rows = members.map((member) => [
    member.role === "leader" ? "*" : "",
    shortened(member.name, NAME_COLUMNS_MAX),
    String(member.id),
    member.isVoter ? "voter" : "learner",
    member.up ? "yes" : "NO",
    member.hasStarted ? "yes" : "NO",
  ]);
  const header = ["", "name", "raft id", "kind", "up", "started"];
  return [
    ...tableLines([header, ...rows], new Set([2])),
    ...addressLines(members),
    "",
  ].join("\n");
}
