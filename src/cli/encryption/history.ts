import type { Command } from "@commander-js/extra-typings";
import type { ClusterEvent } from "../../admin/client.ts";
import { withAdmin } from "../admin_connection.ts";
import { adminOptions, countArgument, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { shortened, tableLines } from "../table.ts";
import { wantsColor } from "../terminal.ts";
import { paint } from "../status_view.ts";
import { wrapped } from "../wrap.ts";
import { timeText } from "../../base/time_text.ts";

const HELP = `
What was asked for, by whom, and what became of it, oldest first. Who asked is
what the caller said of itself; the audit log of the leader has its address too,
and every call that never reached this record. The cluster keeps the last 200.`;
const LIMIT_MAX = 10_000;
const ACTOR_COLUMNS_MAX = 24;
const INDENT = " ".repeat(22);

/** Adds `encryption history`. */
export function addHistory(parent: Command, services: Services): void {
  const command = parent.command("history")
    .description("show who changed what, when, and what became of it")
    .option(
      "--limit <COUNT>",
      "the newest ones only",
      countArgument(1, LIMIT_MAX),
    )
    .addHelpText("after", HELP);
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        const { out, env } = services.terminal;
        const events = (await client.events())
          .slice(-(options.limit ?? LIMIT_MAX));
        out.write(
          options.json === true
            ? events.map(eventJson).join("")
            : historyScreen(events, wantsColor(out, env)),
        );
      })
    );
}

function eventJson(event: ClusterEvent): string {
  const { index, atMs, actor, action, planHash, result, entry, detail } = event;
  const json = {
    index: String(index),
    time: timeText(atMs),
    actor,
    action,
    plan: planHash,
    result,
    entry: String(entry),
    detail,
  };
  return `${JSON.stringify(json)}\n`;
}

/** Two lines an event: what, and by whom. */
function historyScreen(
  events: readonly ClusterEvent[],
  isColored: boolean,
): string {
  if (events.length === 0) return "nothing was asked for yet\n";
  const heads = tableLines(events.map(({ atMs, action, result, entry }) => [
    timeText(atMs),
    action,
    resultText(result),
    entry === 0n ? "" : `entry ${entry}`,
  ]));
  return events.flatMap(({ actor, planHash, detail, result }, position) => {
    const head = heads[position] ?? "";
    const who = shortened(actor || "nobody named", ACTOR_COLUMNS_MAX);
    const plan = planHash === "" ? "" : `, plan ${planHash}`;
    const more = detail === "" ? "" : `, ${detail}`;
    return [
      isColored && result !== "done" && result !== "unchanged"
        ? paint(head, "31")
        : head,
      ...wrapped(`${INDENT}by ${who}${plan}${more}`),
    ];
  }).join("\n") + "\n";
}

function resultText(result: ClusterEvent["result"]): string {
  switch (result) {
    case "refused":
      return "REFUSED";
    case "unknown":
      return "UNKNOWN";
    default:
      return result;
  }
}
