import type { Command } from "@commander-js/extra-typings";
import { type EncryptionSettings, parseEncryption } from "../../app/config.ts";
import { collectSettings } from "../../app/given.ts";
import type { SettingName } from "../../app/settings.ts";
import type { Services } from "../services.ts";
import { addSettingOptions } from "../setting_options.ts";

/**
 * Adds the flags of `serve` that say what opens keys; returns what reads them,
 * as `serve` would: flags, variables, the `--config` file.
 */
export function addKekOptions(
  command: Command,
  services: Services,
): (configPath: string | null) => Promise<EncryptionSettings> {
  const names: readonly SettingName[] = ["kek", "kek-file"];
  const readFlags = addSettingOptions(command, names);
  return async (configPath) => {
    const { terminal: { env }, files } = services;
    const flags = readFlags();
    return parseEncryption(
      await collectSettings({ flags, configPath, env, files }),
    );
  };
}
