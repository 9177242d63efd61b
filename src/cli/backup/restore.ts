import { Argument, type Command } from "@commander-js/extra-typings";
import type { RestoreOutcome } from "../../app/backup/restore.ts";
import { shellWord } from "../../base/shell.ts";
import { uuidText } from "../../base/uuid.ts";
import { UsageError } from "../errors.ts";
import { configOption, jsonOption } from "../options.ts";
import type { Services } from "../services.ts";
import { addServeOptions } from "../stopped_node_settings.ts";
import { factsJson } from "./facts_view.ts";

const HELP = `
Founds a new cluster in a data dir that is new or empty: another cluster id,
one member, and data keys drawn anew, if the backup had any, before the first
write. Where the old cluster sealed, all records are sealed before the node can
be started. Members of the old cluster do not take part: new ones are added as
to any cluster. Versionstamps go on 2^32 entries above the backup.

A backup that has data keys needs --kek: all KEKs that are given open the old
keys and wrap the new ones, the first is the primary one. A backup in cleartext
for a node with encryption needs --accept-cleartext-backup.`;

/** Adds `backup restore`. */
export function addBackupRestore(parent: Command, services: Services): void {
  const command = parent.command("restore")
    .description("found a new cluster with what is in a backup")
    .option(
      "--accept-cleartext-backup",
      "take a file that nothing vouches for, although the node encrypts",
    )
    .addOption(configOption());
  const readSettings = addServeOptions(
    command,
    services,
    [
      "node",
      "data-dir",
      "cluster-name",
      "encryption-enabled",
      "kek",
      "kek-file",
    ],
    { "node": "", "cluster-name": "the backup's" },
  );
  command.addArgument(new Argument("<file>", "the backup"))
    .addOption(jsonOption()).addHelpText("after", HELP)
    .action(async (path, options) => {
      const { acceptCleartextBackup = false, config = null } = options;
      const { config: settings, isNodeGiven } = await readSettings(config);
      const { node, dataDir, clusterName } = settings;
      if (!isNodeGiven) {
        throw new UsageError(
          "Cannot restore as nothing says for which node",
          "Give --node NAME, as the node will be started",
        );
      }
      const outcome = await services.restoreBackup(settings, {
        ...{ path, dataDir, node, clusterName },
        acceptsCleartext: acceptCleartextBackup,
      });
      const start = startLine(outcome, settings.keks);
      services.terminal.out.write(
        options.json === true ? jsonOf(outcome, start) : textOf(outcome, start),
      );
    });
}

function startLine(
  { node, dataDir, keys }: RestoreOutcome,
  keks: readonly string[],
): string {
  return [
    `sealkv serve --node ${node} --data-dir ${shellWord(dataDir)}`,
    ...keys === null ? [] : ["--encryption-enabled"],
    ...keys === null ? [] : keks.map((uri) => `--kek ${shellWord(uri)}`),
  ].join(" ");
}

function textOf(outcome: RestoreOutcome, start: string): string {
  const { backup, dataDir, clusterId, clusterName, keys } = outcome;
  const old = backup.clusterId === null ? "none" : uuidText(backup.clusterId);
  const lines = [
    `restored ${backup.path} into ${dataDir}: ${backup.records} records`,
    `a new cluster: ${clusterName || "(no name)"} ${uuidText(clusterId)}`,
    `not the one of the backup: ${old}`,
    `versionstamps begin above entry ${outcome.firstIndex}`,
    keys === null
      ? "no data keys, as in the backup"
      : `data keys drawn anew: storage ${keys.storage}, raft ${keys.raft}, ` +
        `state ${keys.state}`,
    outcome.isSealed ? "all records are sealed" : "records are in cleartext",
    `start it: ${start}`,
  ];
  return `${lines.join("\n")}\n`;
}

function jsonOf(outcome: RestoreOutcome, start: string): string {
  const { backup, dataDir, node, clusterId, clusterName } = outcome;
  return `${
    JSON.stringify({
      ...{ dataDir, node, cluster: clusterName },
      clusterId: uuidText(clusterId),
      firstIndex: String(outcome.firstIndex),
      keys: outcome.keys,
      sealed: outcome.isSealed,
      start,
      backup: factsJson(backup),
    })
  }\n`;
}
