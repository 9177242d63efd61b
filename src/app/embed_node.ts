import { denoFiles } from "../io/deno/files.ts";
import { denoProcess } from "../io/deno/process.ts";
import { parseConfig } from "./config.ts";
import { dataHome } from "./data_home.ts";
import { ConfigInvalidError } from "./errors.ts";
import { collectSettings, LIST_BREAK } from "./given.ts";
import type { RunningNode } from "./running_node.ts";
import { isSettingName, type SettingName } from "./settings.ts";
import { startNode } from "./start_node.ts";

/** Settings by the names of the flags of `serve`, as in its `--config` file. */
export type EmbeddedSettings = Partial<
  Readonly<Record<SettingName, string | number | boolean | readonly string[]>>
>;

/**
 * Runs a node inside this program; resolves once it serves its clients.
 *
 * Settings are the flags of `serve`; what is left out has their defaults. The
 * environment gives nothing but tokens and the data home. Stopping the node and
 * the signals of the process are the caller's.
 *
 * @throws {NodeError}
 */
export async function embedNode(
  settings: EmbeddedSettings,
): Promise<RunningNode> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const [name, value] of Object.entries(settings)) {
    if (!isSettingName(name)) {
      throw new ConfigInvalidError(
        name,
        String(value),
        "a setting",
        "startNode",
      );
    }
    flags[name] = Array.isArray(value) ? value.join(LIST_BREAK) : String(value);
  }
  const given = await collectSettings({
    flags,
    configPath: null,
    env: () => undefined,
    files: denoFiles(),
  });
  const { env } = denoProcess();
  const node = await startNode(parseConfig(given, () => dataHome(env)));
  try {
    await node.ready;
    return node;
  } catch (error) {
    await node.stop();
    throw error;
  }
}
