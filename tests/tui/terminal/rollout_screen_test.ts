/*
 * Goal: the wizard is whole on narrow and wide terminals and while they change,
 * without colours, and leaves the terminal as it was, whatever ends it.
 * Method: the real command in a tmux of its own, three real nodes.
 */
import { equal, match, ok } from "node:assert/strict";
import { assertFrame } from "./frames.ts";
import {
  CAN_WATCH,
  type Watched,
  withWatchedCluster,
} from "./watched_cluster.ts";
import { Wizard } from "./wizard.ts";

const SIZES = [[60, 20], [80, 24], [96, 34], [120, 34], [200, 50]] as const;

/** One cluster for all: nothing here changes it. */
Deno.test({
  name: "the wizard on terminals of all kinds",
  ignore: !CAN_WATCH,
  fn: (t) =>
    withWatchedCluster({}, async (watched) => {
      await t.step("fits every size", () => fitsSizes(watched));
      await t.step("follows a size that changes", () => resizes(watched));
      await t.step("has no colours with NO_COLOR", () => noColor(watched));
      await t.step("is drawn in ASCII where it has to", () => ascii(watched));
      await t.step("Ctrl-C leaves it, 130", () => interrupted(watched));
      await t.step("SIGTERM leaves it", () => terminated(watched));
      await t.step("Ctrl-Z puts it aside", () => suspended(watched));
      await t.step("shows its help", () => helps(watched));
      await t.step("read-only has no keys that change", () => looks(watched));
      await t.step("says what to do without a terminal", () => piped(watched));
    }),
});

async function fitsSizes({ open }: Watched): Promise<void> {
  for (const [columns, rows] of SIZES) {
    await using terminal = await open({ columns, rows });
    const wizard = await Wizard.open(terminal);
    await wizard.stepIsDone("capability");
    await assertFrame(terminal, `rollout/size_${columns}x${rows}`);
    equal(await wizard.leave(), 0);
  }
}

async function resizes({ open }: Watched): Promise<void> {
  await using terminal = await open({ columns: 120, rows: 34 });
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  for (const [columns, rows] of [...SIZES, ...SIZES.toReversed()]) {
    await terminal.resize(columns, rows);
    await assertFrame(terminal, `rollout/size_${columns}x${rows}`);
  }
  await terminal.resize(50, 10);
  await wizard.shows("60x18", "50x10");
  await terminal.resize(60, 20);
  await assertFrame(terminal, "rollout/size_60x20");
  equal(await wizard.leave(), 0);
  await terminal.assertRestored();
}

async function noColor({ open }: Watched): Promise<void> {
  await using terminal = await open({ env: { NO_COLOR: "1" } });
  const recording = await terminal.record();
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  // Without colours it says the same.
  await assertFrame(terminal, "rollout/size_120x34");
  equal(await wizard.leave(), 0);
  equal(await recording.colors(), 0);
}

async function ascii({ open }: Watched): Promise<void> {
  await using terminal = await open({ env: { LC_ALL: "C" } });
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  const screen = await assertFrame(terminal, "rollout/ascii");
  // deno-lint-ignore no-control-regex
  match(screen, /^[\x00-\x7f]*$/);
  equal(await wizard.leave(), 0);
}

async function interrupted({ open }: Watched): Promise<void> {
  await using terminal = await open();
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  await terminal.press("C-c");
  equal(await terminal.exitCode(), 130);
  await terminal.assertRestored();
}

async function terminated({ open }: Watched): Promise<void> {
  await using terminal = await open();
  await Wizard.open(terminal);
  await terminal.signal("SIGTERM");
  await terminal.prompts();
  await terminal.assertRestored();
}

async function suspended({ open }: Watched): Promise<void> {
  await using terminal = await open();
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  await terminal.press("C-z");
  match(await terminal.prompts(), /Stopped/);
  await terminal.assertRestored();
  await terminal.run("fg");
  await assertFrame(terminal, "rollout/size_120x34");
  ok(await terminal.isTaken());
  equal(await wizard.leave(), 0);
  await terminal.assertRestored();
}

async function helps({ open }: Watched): Promise<void> {
  await using terminal = await open();
  const wizard = await Wizard.open(terminal);
  await wizard.stepIsDone("capability");
  await terminal.press("?");
  await assertFrame(terminal, "rollout/help");
  await terminal.press("Escape");
  await assertFrame(terminal, "rollout/size_120x34");
  equal(await wizard.leave(), 0);
}

async function looks({ open }: Watched): Promise<void> {
  await using terminal = await open();
  const wizard = await Wizard.open(terminal, "--read-only");
  await wizard.stepIsDone("capability");
  await assertFrame(terminal, "rollout/read_only");
  await terminal.press("Enter");
  await wizard.shows("only looks (--read-only)");
  equal(await wizard.leave(), 0);
}

async function piped({ open }: Watched): Promise<void> {
  await using terminal = await open();
  const said = await terminal.printed("sealkv rollout 2>&1 | cat");
  match(said, /rollout --plan/);
  match(said, /rollout --apply/);
}
