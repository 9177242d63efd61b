import type { Command } from "@commander-js/extra-typings";
import { type NodeConfig, parseConfig } from "../app/config.ts";
import { dataHome } from "../app/data_home.ts";
import { collectSettings } from "../app/given.ts";
import type { SettingName } from "../app/settings.ts";
import type { StoppedNode } from "../app/stopped_node.ts";
import type { Services } from "./services.ts";
import { addSettingOptions } from "./setting_options.ts";

/** What `serve` would be told. */
export interface ServeSettings {
  readonly config: NodeConfig;
  /** Somebody said which node it is. */
  readonly isNodeGiven: boolean;
}

/**
 * Adds flags of `serve` to a command; returns what reads them, as `serve`
 * would: flags, variables, the `--config` file. `fallbacks` are what help says
 * where the default is another one.
 */
export function addServeOptions(
  command: Command,
  services: Services,
  names: readonly SettingName[],
  fallbacks: Parameters<typeof addSettingOptions>[2],
): (configPath: string | null) => Promise<ServeSettings> {
  const readFlags = addSettingOptions(command, names, fallbacks);
  return async (configPath) => {
    const { terminal: { env }, files } = services;
    const flags = readFlags();
    const given = await collectSettings({ flags, configPath, env, files });
    const config = parseConfig(given, () => dataHome(env));
    return { config, isNodeGiven: given.node !== undefined };
  };
}

/** As `addServeOptions`, for a stopped node. */
export function addStoppedNodeOptions(
  command: Command,
  services: Services,
  names: readonly SettingName[],
): (configPath: string | null) => Promise<StoppedNode> {
  const fallbacks = { node: "whose the data dir is" };
  const read = addServeOptions(command, services, names, fallbacks);
  return async (configPath) => {
    const { config, isNodeGiven } = await read(configPath);
    return {
      dataDir: config.dataDir,
      node: isNodeGiven ? config.node : null,
      encryptionEnabled: config.encryptionEnabled,
      keks: config.keks,
    };
  };
}
