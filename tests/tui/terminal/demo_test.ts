/*
 * Goal: somebody who has only the README's first command and what the screen
 * then says gets to the end, and sees there what was promised: the text that
 * was on every disk is on none. However the demo ends, nothing is left of it.
 * Method: a shell in a tmux of its own, at the size of most terminals; a reader
 * that does what the prompts say and nothing else.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { HAS_CLUSTERS } from "../../e2e/cluster_process.ts";
import { demosIn, nodesIn } from "../../e2e/demo_home.ts";
import { assertFrame } from "./frames.ts";
import { Terminal } from "./terminal.ts";
import { HAS_TMUX } from "./tmux.ts";
import { roomyDisk } from "./watched_cluster.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
/** Three nodes start, and one of them is elected. */
const START_MS_MAX = 90_000;
const STEP_MS_MAX = 90_000;
const STOP_MS_MAX = 60_000;
const IS_IGNORED = !HAS_CLUSTERS || !HAS_TMUX;

/** What prompts on the screen ask for. */
const PROMPTS: readonly (readonly [RegExp, (found: string) => Answer])[] = [
  [/Enter shows what it would do; nothing starts yet\./, () => ["Enter"]],
  [/Enter goes on to the confirmation/, () => ["Enter"]],
  [/Enter starts it/, () => ["Enter"]],
  [/Type the cluster's name, (\w+), then Enter:/, (name) => ["Enter", name]],
  [/Esc shows what is there now\./, () => ["Escape"]],
  [/All is done, q leaves\./, () => ["q"]],
];

/** A key, and what is to be typed before it. */
type Answer = readonly [key: "Enter" | "Escape" | "q", typed?: string];

interface Prompt {
  readonly text: string;
  readonly answer: Answer;
}

function promptOn(screen: string): Prompt | null {
  for (const [pattern, answerTo] of PROMPTS) {
    const found = pattern.exec(screen);
    if (found !== null) {
      return { text: found[0], answer: answerTo(found[1] ?? "") };
    }
  }
  return null;
}

/** The README's first command; its words as they are, but for the program. */
async function openDemo(terminal: Terminal): Promise<void> {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const [, command = ""] = /^```sh[^\n]*\n(.*)$/m.exec(readme) ?? [];
  match(command, /^deno task \S+$/);
  const path = `${terminal.home}/bin/deno`;
  const deno = Deno.env.get("SEALKV_DENO") ?? Deno.execPath();
  const script = `#!/bin/sh\nexec '${deno}' "$@"\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  const isBinary = Deno.env.get("SEALKV_BIN") !== undefined;
  await terminal.run(
    isBinary
      ? command.replace("deno task", "sealkv")
      : `cd '${ROOT}'; clear; ${command}`,
  );
}

async function isOpen(terminal: Terminal): Promise<void> {
  await terminal.showsWithin(START_MS_MAX, / live$/m, "Enter plan");
}

/** Nothing of it runs, and nothing is on the disk. */
function assertGone(home: string): void {
  deepEqual([...nodesIn(home)], []);
  deepEqual(demosIn(home), []);
}

async function withDemo(
  use: (terminal: Terminal, home: string) => Promise<void>,
): Promise<void> {
  await using disk = await roomyDisk();
  const env = { TMPDIR: disk.path };
  await using terminal = await Terminal.open({ columns: 80, rows: 24, env });
  await openDemo(terminal);
  await use(terminal, disk.path);
}

Deno.test({
  name: "a newcomer takes the demo to its end by what the screen says",
  ignore: IS_IGNORED,
  fn: () =>
    withDemo(async (terminal, home) => {
      await isOpen(terminal);
      equal(nodesIn(home).size, 3);
      await terminal.shows("FOUND on the disks of n1, n2, n3");
      await assertFrame(terminal, "demo/found");
      await terminal.resize(60, 20);
      await terminal.shows(/canary-\w+: FOUND on the disks of n1, n2, n3$/m);
      await terminal.resize(80, 24);

      const followed: string[] = [];
      for (let last = ""; !last.startsWith("All is done");) {
        const { text, screen } = await nextPrompt(terminal, last);
        last = text;
        followed.push(text);
        if (!text.startsWith("All is done")) await answer(terminal, screen);
      }
      // Two prompts for each step, and a name for each that is one way; more
      // where a busy machine has an election, or is late with a proof.
      ok(followed.length >= 5 * 2 + 3 + 1, followed.join("\n"));

      await terminal.shows("phase 2", "NOT FOUND on any disk", "none failed");
      await assertFrame(terminal, "demo/not_found");
      await terminal.press("q");
      const end = await terminal.showsWithin(
        STOP_MS_MAX,
        "their directory is removed.",
      );
      match(end, /^demo: phase 2, 6 of 6 steps done$/m);
      match(end, /^No disk has the text any more/m);
      match(
        end,
        /^The writer: \d+ writes, 0 failed; \d+ .* read back, 0 wrong/m,
      );
      ok(!end.includes("sealkv rollout"), end);
      equal(await terminal.exitCode(), 0);
      await terminal.assertRestored();
      assertGone(home);
    }),
});

/** Waits for the screen to ask for something else than it did. */
async function nextPrompt(
  terminal: Terminal,
  last: string,
): Promise<{ readonly text: string; readonly screen: string }> {
  const screen = await terminal.screenThatWithin(
    STEP_MS_MAX,
    `a prompt after "${last}"`,
    (screen) => {
      const prompt = promptOn(screen);
      // The disks are beside whatever is shown.
      return prompt !== null && prompt.text !== last &&
        /^┌─ Steps .*┌─ Disks of the demo [^]*FOUND on /m.test(screen);
    },
  );
  return { text: promptOn(screen)?.text ?? "", screen };
}

async function answer(terminal: Terminal, screen: string): Promise<void> {
  const [key, typed = ""] = promptOn(screen)?.answer ?? ["q"];
  if (typed !== "") {
    await terminal.type(typed);
    await terminal.shows(`> ${typed}_`);
  }
  await terminal.press(key);
}

Deno.test({
  name: "Ctrl-C in the middle of a demo leaves nothing behind",
  ignore: IS_IGNORED,
  fn: () =>
    withDemo(async (terminal, home) => {
      await isOpen(terminal);
      const { screen } = await nextPrompt(terminal, "");
      await answer(terminal, screen);
      await terminal.shows("Enter goes on to the confirmation");
      await terminal.press("C-c");
      const end = await terminal.showsWithin(
        STOP_MS_MAX,
        "their directory is removed.",
      );
      match(end, /^demo: phase 0, 1 of 6 steps done$/m);
      match(end, /^It was left before its end/m);
      equal(await terminal.exitCode(), 130);
      await terminal.assertRestored();
      assertGone(home);
    }),
});

Deno.test({
  name: "Ctrl-C while a demo starts leaves nothing behind",
  ignore: IS_IGNORED,
  fn: () =>
    withDemo(async (terminal, home) => {
      await terminal.showsWithin(START_MS_MAX, "Three nodes start");
      await terminal.press("C-c");
      equal(await exitCodeWithin(terminal), 130);
      await terminal.assertRestored();
      assertGone(home);
    }),
});

/** Nodes that have just started take their time to stop. */
async function exitCodeWithin(terminal: Terminal): Promise<number> {
  await terminal.showsWithin(STOP_MS_MAX, /^(?:\^C)?\$$/m);
  return await terminal.exitCode();
}
