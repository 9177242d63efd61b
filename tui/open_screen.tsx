import { Box, render, useApp } from "ink";
import { type ReactNode, useCallback } from "react";
import { assert } from "../src/base/assert.ts";
import type { Clock } from "../src/io/clock.ts";
import type { ScreenBreak } from "../src/io/screen.ts";
import { LookContext, lookOf } from "./look.ts";
import { TooSmall } from "./parts/too_small.tsx";
import { isTooSmall, useSize } from "./size.ts";
import { useKeys } from "./use_keys.ts";
import type { TuiEnd, TuiWorld } from "./world.ts";

const INTERRUPTED: TuiEnd = { exitCode: 130, report: [] };
const LAST_WRITE_MS = 500;

/**
 * Shows `element` on the alternate screen until it ends by `useEnd`, or the
 * process is asked to end; the terminal is as before then.
 *
 * @throws What nobody caught meanwhile, with the terminal given back.
 */
export async function openScreen(
  world: TuiWorld,
  element: ReactNode,
): Promise<TuiEnd> {
  const { screen, clock } = world;
  assert(screen.isTerminal, "a screen opens on a terminal");
  const broken = Promise.withResolvers<ScreenBreak>();
  let unmount: (() => void) | null = null;
  // Nothing of ink runs when a timer or a key handler throws: it is told here.
  // Before the first frame, for a size that changes with it to be heard of.
  const held = screen.hold((cause) => {
    broken.resolve(cause);
    unmount?.();
  });
  try {
    const app = render(<Screen world={world}>{element}</Screen>, {
      alternateScreen: true,
      incrementalRendering: true,
      interactive: true,
      exitOnCtrlC: false,
    });
    unmount = app.unmount;
    const end = app.waitUntilExit();
    const cause = await Promise.race([broken.promise, end.then(() => null)]);
    if (cause === null) return await end as TuiEnd;
    // It may have broken while the first frame was drawn.
    app.unmount();
    await drawn(end, clock);
    if (cause.kind === "error") throw cause.error;
    return INTERRUPTED;
  } finally {
    held.release();
  }
}

/** Waits for the last that ink writes; nobody may be there to take it. */
async function drawn(end: Promise<unknown>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = clock.after(LAST_WRITE_MS, late.resolve);
  await Promise.race([end.catch(() => {}), late.promise]);
  timer.cancel();
}

/** Ends the screen that the component is on. */
export function useEnd(): (end: TuiEnd) => void {
  const { exit } = useApp();
  return useCallback((end: TuiEnd) => exit(end), [exit]);
}

/** What every screen has: a look, Ctrl-Z, and a word when it has no room. */
function Screen({ world, children }: {
  readonly world: TuiWorld;
  readonly children: ReactNode;
}) {
  const size = useSize();
  const { suspendTerminal } = useApp();
  useKeys(({ key }) => {
    if (key !== "Ctrl-Z" || !world.screen.canStop) return;
    void suspendTerminal(async () => world.screen.stop());
  });
  const isHidden = isTooSmall(size);
  return (
    <LookContext.Provider value={lookOf((name) => world.env(name))}>
      {isHidden && <TooSmall {...size} />}
      {/* Hidden, not gone: it keeps what it knows until there is room. */}
      <Box flexDirection="column" display={isHidden ? "none" : "flex"}>
        {children}
      </Box>
    </LookContext.Provider>
  );
}
