import type { AdminClient } from "../admin/client.ts";
import { prepareScreen } from "../io/deno/screen.ts";
import { UsageError } from "./errors.ts";
import type { Services } from "./services.ts";

/**
 * The terminal views; React and ink load with them, and no sooner.
 *
 * @throws {UsageError} When there is no terminal to show them on; `instead`
 *   is what to do then.
 */
export async function loadScreens(services: Services, view: {
  /** "the dashboard". */
  readonly what: string;
  readonly instead: string;
}) {
  if (!services.screen.isTerminal) {
    throw new UsageError(
      `Cannot open ${view.what} as standard input and output are no terminal` +
        " that can place its cursor",
      view.instead,
    );
  }
  prepareScreen();
  return await import("../../tui/main.tsx");
}

/** What the terminal views see of the world. */
export function screenWorld(
  services: Services,
  { client, admin }: { readonly client: AdminClient; readonly admin: string },
) {
  return {
    client,
    admin,
    clock: services.clock,
    screen: services.screen,
    actor: services.actor(),
    env: (name: string) => services.terminal.env(name),
  };
}
