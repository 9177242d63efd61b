import { denoClock } from "../../src/io/deno/clock.ts";
import { denoScreen, prepareScreen } from "../../src/io/deno/screen.ts";
import type { TuiWorld } from "../../tui/world.ts";

// As the commands do: React must not be loaded before.
prepareScreen();
const { openCrashScreen } = await import("./crash_screen.tsx");

const world = {
  screen: denoScreen(),
  clock: denoClock(),
  env: (name: string) => Deno.env.get(name),
} as unknown as TuiWorld;

try {
  const end = await openCrashScreen(world);
  print(end.report.join("\n"));
  Deno.exit(end.exitCode);
} catch (error) {
  print(`broken: ${(error as Error).message}`);
  Deno.exit(70);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
