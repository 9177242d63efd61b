import { type Command, Option } from "@commander-js/extra-typings";
import type { ResyncOutcome } from "../../app/resync_sidecar.ts";
import { withAdmin } from "../admin_connection.ts";
import {
  adminTokenFileOption,
  configOption,
  jsonOption,
  timeoutOption,
  tlsCaOption,
} from "../options.ts";
import type { Services } from "../services.ts";
import { addStoppedNodeOptions } from "../stopped_node_settings.ts";

const HELP = `
For a stopped node whose sidecar is lost, damaged or older than its store. Keys
and indexes come from the store, once its MAC holds, or from the leader behind
--admin when that knows more; epochs are set above all that is known. The old
file stays beside the new one as keys.json.old-TIME.

Not for a disk that was put back as a whole: \`sealkv member rebuild\` is.`;

/** Adds `encryption resync-sidecar`. */
export function addResyncSidecar(parent: Command, services: Services): void {
  const command = parent.command("resync-sidecar")
    .description("make the sidecar of a stopped node anew")
    .addOption(configOption())
    .addOption(
      new Option(
        "--admin <ADDRS>",
        "ask the leader too, HOST:PORT of any member, separated by commas",
      ),
    )
    .addOption(adminTokenFileOption())
    .addOption(tlsCaOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP);
  const readNode = addStoppedNodeOptions(command, services, [
    "node",
    "data-dir",
    "kek",
    "kek-file",
  ]);
  command.action(async ({ admin, config = null, json, ...rest }) => {
    const node = await readNode(config);
    const fetchState = admin === undefined
      ? null
      : () => withAdmin(services, { ...rest, admin }, (c) => c.resyncState());
    const outcome = await services.resyncSidecar(node, fetchState);
    const text = json === true ? jsonOf(outcome) : textOf(outcome);
    services.terminal.out.write(text);
  });
}

function textOf(outcome: ResyncOutcome): string {
  const { path, source, stateIndex, epochs, keptAs } = outcome;
  const lines = [
    `wrote ${path} from the ${source}'s state of entry ${stateIndex}`,
    ...[...epochs].map(([key, epoch]) => `key ${key}: epoch ${epoch}`),
    ...keptAs === null ? [] : [`the old one is ${keptAs}`],
  ];
  return `${lines.join("\n")}\n`;
}

function jsonOf(outcome: ResyncOutcome): string {
  const { node, path, source, stateIndex, epochs, keptAs } = outcome;
  const list = [...epochs].map(([key, epoch]) => ({ key, epoch }));
  return `${
    JSON.stringify({
      ...{ node, path, source, stateIndex: String(stateIndex) },
      ...{ epochs: list, keptAs },
    })
  }\n`;
}
