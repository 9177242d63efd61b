import type { Command } from "@commander-js/extra-typings";
import { parseConfig } from "../app/config.ts";
import { dataHome } from "../app/data_home.ts";
import { collectSettings } from "../app/given.ts";
import type { SettingName } from "../app/settings.ts";
import type { StoppedNode } from "../app/stopped_node.ts";
import type { Services } from "./services.ts";
import { addSettingOptions } from "./setting_options.ts";

/**
 * Adds flags of `serve` to a command for a stopped node; returns what reads
 * them, as `serve` would: flags, variables, the `--config` file.
 */
export function addStoppedNodeOptions(
  command: Command,
  services: Services,
  names: readonly SettingName[],
  fallbacks: Parameters<typeof addSettingOptions>[2] = {},
): (configPath: string | null) => Promise<StoppedNode> {
  const readFlags = addSettingOptions(command, names, {
    node: "whose the data dir is",
    ...fallbacks,
  });
  return async (configPath) => {
    const { terminal: { env }, files } = services;
    const flags = readFlags();
    const given = await collectSettings({ flags, configPath, env, files });
    const config = parseConfig(given, () => dataHome(env));
    return {
      dataDir: config.dataDir,
      node: given.node === undefined ? null : config.node,
      encryptionEnabled: config.encryptionEnabled,
      keks: config.keks,
      clusterName: config.clusterName,
    };
  };
}
