import { fail } from "node:assert/strict";
import { dirname } from "node:path";
import { until } from "../../e2e/until.ts";
import { withScreen } from "../page_frames.ts";
import { pagesToRead, writePage } from "../pages.ts";
import { frameOf } from "./normalise.ts";
import type { Terminal } from "./terminal.ts";

const FRAMES = new URL("../frames/", import.meta.url).pathname;
const MATCH_MS_MAX = 60_000;
/** A screen that stays for so many looks has settled. */
const CALM_LOOKS = 40;
const IS_UPDATE = Deno.env.get("UPDATE") === "1";

/**
 * Waits until the screen is the stored frame of this name, with all replaced
 * that differs from run to run. With UPDATE=1 it is stored once it stands
 * still, and pages that show it get it as it was seen.
 */
export async function assertFrame(
  terminal: Terminal,
  name: string,
): Promise<string> {
  const path = `${FRAMES}${name}.txt`;
  if (IS_UPDATE) return await store(terminal, name);
  const stored = await Deno.readTextFile(path);
  let seen = "";
  try {
    await until(`the frame "${name}"`, MATCH_MS_MAX, async () => {
      seen = frameOf(name, await terminal.screen());
      return seen === stored;
    });
  } catch (cause) {
    if (seen === stored) throw cause;
    fail(`not the frame "${name}", which is:\n${stored}\nbut:\n${seen}`);
  }
  return seen;
}

async function store(terminal: Terminal, name: string): Promise<string> {
  const path = `${FRAMES}${name}.txt`;
  let screen = "";
  let seen = "";
  let looks = 0;
  await until("a screen that stands still", MATCH_MS_MAX, async () => {
    screen = await terminal.screen();
    const now = frameOf(name, screen);
    looks = now === seen ? looks + 1 : 0;
    seen = now;
    return looks === CALM_LOOKS;
  });
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, seen);
  for (const page of pagesToRead()) {
    writePage(page, withScreen(page.text, name, `${screen.trimEnd()}\n`));
  }
  return seen;
}
