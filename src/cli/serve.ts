import type { Command } from "@commander-js/extra-typings";
import { formatAddress } from "../base/address.ts";
import { parseConfig } from "../app/config.ts";
import { dataHome } from "../app/data_home.ts";
import { collectSettings, type FlagTexts } from "../app/given.ts";
import type { RunningNode } from "../app/running_node.ts";
import { SETTING_NAMES } from "../app/settings.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { type StopSignals, untilInterrupted } from "./interrupt.ts";
import { configOption, jsonOption } from "./options.ts";
import type { Services } from "./services.ts";
import { addSettingOptions } from "./setting_options.ts";

const HELP = `
Without flags: one node on loopback, which keeps its data and the tokens it
makes under the user's data home.

Every flag --some-name is also the variable SEALKV_SOME_NAME and the key
"some-name" of the --config file. A flag wins over a variable, a variable over
the file. SEALKV_KEK has commas or line breaks between several KEKs, the key
"kek" is an array then. Tokens come from files, or from SEALKV_ACCESS_TOKEN,
SEALKV_ADMIN_TOKEN and SEALKV_PEER_TOKEN; never from the command line.

A cluster: give every founding member the same --initial-cluster. A member that
\`sealkv member add\` announced starts with --join instead.

When the node can serve its clients it prints one line on standard output:
ready {"listen":"HOST:PORT","peer":"HOST:PORT","admin":"HOST:PORT"}
Events go to standard error. SIGINT and SIGTERM stop it in order; a second one
at once.`;

/** Adds `serve`. */
export function addServe(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  const command = program.command("serve")
    .description("run a node")
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP);
  const readFlags = addSettingOptions(command, SETTING_NAMES);
  command.action(async ({ config: configPath, json }) => {
    const flags = json === true
      ? { "log-format": "json", ...readFlags() }
      : readFlags();
    await serve(services, flags, configPath ?? null, finish);
  });
}

async function serve(
  services: Services,
  flags: FlagTexts,
  configPath: string | null,
  finish: (code: ExitCode) => void,
): Promise<void> {
  const { terminal, files, process } = services;
  const { env } = terminal;
  const given = await collectSettings({ flags, configPath, env, files });
  const config = parseConfig(given, () => dataHome(env));
  const starting = services.startNode(config);
  await untilInterrupted(process, async (signals) => {
    const node = await Promise.race([starting, signals.first]);
    if (node === "stopped") return await stop(await starting, signals, finish);
    const failed = node.failure.then((cause) => ({ cause }));
    // Its rejection is a failure, which has closed everything by then.
    const ready = node.ready.then(() => "ready" as const, () => failed);
    const first = await Promise.race([ready, failed, signals.first]);
    if (first === "ready") terminal.out.write(readyLine(node));
    const end = first === "ready"
      ? await Promise.race([failed, signals.first])
      : first;
    if (end !== "stopped") throw end.cause;
    await stop(node, signals, finish);
  });
}

/** Stops in order; a second signal does not wait for the order. */
async function stop(
  node: RunningNode,
  signals: StopSignals,
  finish: (code: ExitCode) => void,
): Promise<void> {
  const end = await Promise.race([node.stop(), signals.second]);
  finish(end === "stopped" ? EXIT.interrupted : EXIT.done);
}

function readyLine({ addresses }: RunningNode): string {
  const bound = {
    listen: formatAddress(addresses.listen),
    peer: formatAddress(addresses.peer),
    admin: formatAddress(addresses.admin),
  };
  return `ready ${JSON.stringify(bound)}\n`;
}
