import type { TuiEnd, TuiWorld, WizardOptions } from "./world.ts";

/** What the commands open: loaded lazily, and with it React and ink. */
export { openScreen } from "./open_screen.tsx";

/** Replaced by the wizard. */
export function openWizard(
  _world: TuiWorld,
  _options: WizardOptions,
): Promise<TuiEnd> {
  return Promise.reject(new Error("the wizard is not there yet"));
}

export { openDashboard } from "./dashboard/open.tsx";
