import type { Command } from "@commander-js/extra-typings";
import type {
  AdminClient,
  ClusterStatus,
  StatusEvent,
} from "../admin/client.ts";
import { type AdminOptions, withAdmin } from "./admin_connection.ts";
import { lookAtRewrite, type RewriteLook } from "./encryption/rewrite_look.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { untilInterrupted } from "./interrupt.ts";
import { unknownMember } from "./member_choice.ts";
import { adminOptions, jsonOption } from "./options.ts";
import type { Services } from "./services.ts";
import { statusJson, statusLine, statusScreen } from "./status_view.ts";
import { wantsColor } from "./terminal.ts";

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

interface StatusOptions extends AdminOptions {
  readonly watch?: true | undefined;
  readonly node?: string | undefined;
  readonly json?: true | undefined;
}

/** Adds `status`. */
export function addStatus(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = program.command("status")
    .description("show the members of the cluster and how they do")
    .option("--watch", "show every change of it, until stopped")
    .option("--node <NAME>", "show this member only");
  adminOptions(command).addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        // A first look that fails is an error, a later one is a line.
        const first = await client.getStatus();
        if (!options.watch) {
          const look = await lookAtRewrite(client, {
            clock: services.clock,
            isLed: first.leader !== "",
            node: options.node,
          });
          return show(services, { status: first, look }, options);
        }
        const isStopped = await untilInterrupted(
          services.process,
          (signals) => watch(services, client, options, signals.first),
        );
        if (isStopped) finish(EXIT.interrupted);
      })
    );
}

async function watch(
  services: Services,
  client: AdminClient,
  options: StatusOptions,
  stopped: Promise<"stopped">,
): Promise<void> {
  const stop = new AbortController();
  stopped.then(() => stop.abort());
  for await (const event of client.watchStatus(stop.signal)) {
    if (event.kind === "status") {
      show(services, { status: event.status, look: null }, options);
    } else services.terminal.err.write(silenceLine(event));
  }
}

function silenceLine(event: StatusEvent & { readonly kind: "silence" }) {
  const age = Math.ceil(event.sinceMs / 1_000);
  return `no answer, last one ${age} s ago: ${event.reason}\n`;
}

interface Shown {
  readonly status: ClusterStatus;
  readonly look: RewriteLook | null;
}

function show(
  services: Services,
  { status, look }: Shown,
  options: StatusOptions,
): void {
  const { out, env } = services.terminal;
  const members = membersOf(status, options.node);
  const view: ClusterStatus = { ...status, members };
  if (options.json) out.write(statusJson(view, look));
  else if (!options.watch) {
    const isColored = wantsColor(out, env);
    out.write(statusScreen(view, { isColored, look }));
  } else if (out.isTerminal && env("TERM") !== "dumb") {
    const isColored = wantsColor(out, env);
    out.write(CLEAR_SCREEN + statusScreen(view, { isColored }));
  } else for (const member of members) out.write(statusLine(view, member));
}

function membersOf(status: ClusterStatus, node: string | undefined) {
  if (node === undefined) return status.members;
  const members = status.members.filter(({ name }) => name === node);
  if (members.length > 0) return members;
  throw unknownMember(node, status.members.map(({ name }) => name));
}
