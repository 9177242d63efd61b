import type { RolloutChoices } from "../../rollout/snapshot.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import type { ExitCode } from "../exit_code.ts";
import { loadScreens, screenWorld } from "../screens.ts";
import type { Services } from "../services.ts";
import { transcriptFile } from "./transcript_file.ts";

export interface WizardFlags extends AdminOptions {
  readonly readOnly?: true | undefined;
  readonly transcript?: string | undefined;
}

/**
 * Opens the wizard.
 *
 * @throws {UsageError} Without a terminal.
 */
export async function openRollout(
  services: Services,
  flags: WizardFlags,
  choices: RolloutChoices,
): Promise<ExitCode> {
  const { openWizard } = await loadScreens(services, {
    what: "the wizard",
    instead:
      "Use `sealkv rollout --plan`, or `sealkv rollout --apply --confirm " +
      "CLUSTER` to take the steps, or open it on a terminal",
  });
  return await withAdmin(services, flags, async (client) => {
    const { cluster } = await client.getStatus();
    const of = cluster === "" ? "" : `-${cluster}`;
    const path = flags.transcript ?? `sealkv-rollout${of}.sh`;
    const transcript = await transcriptFile(services, path);
    const world = screenWorld(services, { client, admin: flags.admin });
    const isReadOnly = flags.readOnly === true;
    const options = { isReadOnly, choices, transcript, demo: null };
    const { exitCode, report } = await openWizard(world, options);
    const { out } = services.terminal;
    out.write(report.map((line) => `${line}\n`).join(""));
    return exitCode;
  });
}
