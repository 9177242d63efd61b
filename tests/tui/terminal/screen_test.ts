/*
 * Goal: whatever ends a screen, the terminal is as before; it can be put aside
 * and taken up again, has no colours where none are wanted, and a size that
 * changes.
 * Method: a small program that breaks in the way that a key names, in a tmux
 * of its own; the flags of the terminal and of its line discipline afterwards.
 */
import { equal, match, ok } from "node:assert/strict";
import { Terminal, type TerminalOptions } from "./terminal.ts";
import { HAS_TMUX } from "./tmux.ts";

const PROGRAM = new URL("../crash_program.ts", import.meta.url).pathname;
const COMMAND = `'${Deno.execPath()}' run -A --quiet '${PROGRAM}'`;

interface Ending {
  readonly name: string;
  readonly end: (terminal: Terminal) => Promise<void>;
  readonly exitCode: number;
  /** On the main screen afterwards. */
  readonly says: string;
}

const ENDINGS: readonly Ending[] = [
  byKey("a key that ends it", "q", 0, "the report"),
  byKey("Ctrl-C", "C-c", 130, "interrupted"),
  byKey("a timer that throws", "t", 70, "broken: broken timer"),
  byKey("a promise that nobody catches", "p", 70, "broken: broken promise"),
  byKey("a key handler that throws", "k", 70, "broken: broken key"),
  byKey("a component that throws", "r", 70, "broken: broken render"),
  byKey("a process that exits", "x", 3, ""),
  bySignal("SIGTERM", 130),
  bySignal("SIGHUP", 130),
  bySignal("SIGINT", 130),
];

function byKey(
  name: string,
  key: string,
  exitCode: number,
  says: string,
): Ending {
  return { name, end: (terminal) => terminal.press(key), exitCode, says };
}

function bySignal(signal: Deno.Signal, exitCode: number): Ending {
  const end = (terminal: Terminal) => terminal.signal(signal);
  return { name: signal, end, exitCode, says: "" };
}

function test(
  name: string,
  fn: (terminal: Terminal) => Promise<void>,
  options: TerminalOptions = {},
): void {
  Deno.test({
    name: `a screen on a terminal: ${name}`,
    ignore: !HAS_TMUX,
    fn: async () => {
      await using terminal = await Terminal.open({
        columns: 80,
        rows: 24,
        ...options,
      });
      await fn(terminal);
    },
  });
}

for (const { name, end, exitCode, says } of ENDINGS) {
  test(`${name} leaves the terminal as it was`, async (terminal) => {
    await terminal.run(COMMAND);
    await terminal.shows("ready");
    ok(await terminal.isTaken());
    await end(terminal);
    const screen = await terminal.prompts();
    ok(screen.includes(says), screen);
    ok(!screen.includes("ready"), screen);
    equal(await terminal.exitCode(), exitCode, screen);
    await terminal.assertRestored();
  });
}

test("Ctrl-Z gives the shell back, fg the screen", async (terminal) => {
  await terminal.run(COMMAND);
  await terminal.shows("ready");
  await terminal.press("C-z");
  match(await terminal.prompts(), /Stopped/);
  await terminal.assertRestored();
  await terminal.run("fg");
  await terminal.shows("ready");
  ok(await terminal.isTaken());
  await terminal.press("a");
  await terminal.shows("ready a");
  await terminal.press("q");
  equal(await terminal.exitCode(), 0);
  await terminal.assertRestored();
});

test("keys that come at once are keys", async (terminal) => {
  await terminal.run(COMMAND);
  await terminal.shows("ready");
  await terminal.type("abc");
  await terminal.shows("ready c");
});

test("NO_COLOR leaves no colour", async (terminal) => {
  const recording = await terminal.record();
  await terminal.run(COMMAND);
  await terminal.shows("ready");
  await terminal.press("q");
  await terminal.prompts();
  equal(await recording.colors(), 0);
}, { env: { NO_COLOR: "1" } });

test("there are colours without NO_COLOR", async (terminal) => {
  const recording = await terminal.record();
  await terminal.run(COMMAND);
  await terminal.shows("ready");
  await terminal.press("q");
  await terminal.prompts();
  ok(await recording.colors() > 0);
});

test("a terminal too small says so until it is larger", async (terminal) => {
  await terminal.run(COMMAND);
  await terminal.shows("ready");
  await terminal.resize(59, 17);
  await terminal.shows("60x18", "59x17");
  await terminal.resize(60, 18);
  await terminal.shows("ready");
  await terminal.hides("59x17");
});
