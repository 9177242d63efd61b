import { useCallback } from "react";
import { planRollout } from "../../src/rollout/plan_rollout.ts";
import { runCommand, runStep } from "../../src/rollout/run_step.ts";
import { takeSnapshot } from "../../src/rollout/take_snapshot.ts";
import { openScreen, useEnd } from "../open_screen.tsx";
import type { TuiEnd, TuiWorld, WizardOptions } from "../world.ts";
import { WizardDriver, type WizardPorts } from "./driver.ts";
import { reportLines } from "./report.ts";
import { Wizard } from "./wizard.tsx";

/** Walks somebody through the rollout until they leave. */
export async function openWizard(
  world: TuiWorld,
  { isReadOnly, choices, transcript, demo }: WizardOptions,
): Promise<TuiEnd> {
  const { actor, clock } = world;
  const driver = new WizardDriver({
    ...{ isReadOnly, actor, choices, clock, transcript },
    ...{ demo, ports: portsOf(world) },
  });
  const screen = openScreen(world, <LiveWizard driver={driver} />);
  const end = await screen.finally(() => driver.leave());
  const { path } = transcript;
  const written = driver.isTranscriptWhole
    ? path
    : `${path}, where not all could be written`;
  return { ...end, report: reportLines(driver.state(), written) };
}

function portsOf({ client, clock }: TuiWorld): WizardPorts {
  return {
    look: (options) => takeSnapshot(client, { clock, ...options }),
    planOf: planRollout,
    runner: (choices) => ({
      step: runStep(client, { clock, choices }),
      command: runCommand(client, { clock, choices }),
    }),
  };
}

function LiveWizard({ driver }: { readonly driver: WizardDriver }) {
  const end = useEnd();
  const onEnd = useCallback(
    (exitCode: 0 | 130) => end({ exitCode, report: [] }),
    [end],
  );
  return <Wizard driver={driver} onEnd={onEnd} />;
}
