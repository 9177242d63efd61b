import { equal, match, ok } from "node:assert/strict";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import type { RunEvent } from "../../../src/rollout/run.ts";
import { STEP_FACTS } from "../../../src/rollout/steps.ts";
import type { Size } from "../../../tui/size.ts";
import { Wizard } from "../../../tui/wizard/wizard.tsx";
import {
  type Rung,
  snapshotAt,
  taskOf,
  withEncryption,
  withMember,
} from "../../unit/rollout/snapshots.ts";
import { renderScreen, settle, type TestScreen } from "../render.ts";
import { ready } from "./hand_clock.ts";
import { TrialDemo } from "./trial_demo.ts";
import { TrialDriver } from "./trial_driver.ts";

const SIZES: readonly Size[] = [
  { columns: 60, rows: 18 },
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 96, rows: 30 },
  { columns: 120, rows: 34 },
  { columns: 200, rows: 50 },
];

interface Shown extends AsyncDisposable {
  readonly trial: TrialDriver;
  readonly screen: TestScreen;
  readonly ends: readonly number[];
}

async function show(
  { size = { columns: 120, rows: 34 }, rung = "capable", given = {} }: {
    readonly size?: Size;
    readonly rung?: Rung;
    readonly given?: ConstructorParameters<typeof TrialDriver>[0];
  } = {},
): Promise<Shown> {
  const trial = new TrialDriver(given);
  trial.snapshot = snapshotAt(rung);
  const ends: number[] = [];
  const screen = await renderScreen(
    <Wizard
      driver={trial.driver}
      onEnd={(code) => ends.push(code)}
    />,
    size,
  );
  await screen.until("prod");
  return {
    ...{ trial, screen, ends },
    async [Symbol.asyncDispose]() {
      await trial.driver.leave();
      await screen.unmount();
    },
  };
}

function fits(frame: string, { columns, rows }: Size): void {
  const lines = frame.split("\n");
  ok(lines.length <= rows, `${lines.length} lines on ${rows}:\n${frame}`);
  for (const line of lines) ok([...line].length <= columns, line);
}

Deno.test("Wizard fits every size in each of its views", async () => {
  for (const size of SIZES) {
    await using shown = await show({ size });
    const { screen } = shown;
    fits(screen.frame(), size);
    // Each leads back to the overview in the end.
    for (const key of ["\r", "?", "l", "a", "i", "\t", "\t"]) {
      await screen.press(key);
      fits(screen.frame(), size);
      await screen.press("\x1b");
    }
  }
});

Deno.test("Wizard shows the whole ladder and all members at every size", async () => {
  for (const size of SIZES) {
    await using shown = await show({ size });
    const frame = shown.screen.frame();
    for (const { title } of Object.values(STEP_FACTS)) {
      ok(frame.includes(title), `${title} in\n${frame}`);
    }
    match(frame, /\[x\] 1 Key on every node/);
    match(frame, /> \[ \] 2 Storage cutover +1W/);
    for (const name of ["n1", "n2", "n3"]) ok(frame.includes(name), frame);
  }
});

Deno.test("Wizard follows a size that changes", async () => {
  await using shown = await show();
  for (const size of [...SIZES, ...SIZES.toReversed()]) {
    await shown.screen.resize(size);
    fits(shown.screen.frame(), size);
    match(shown.screen.frame(), /2 Storage cutover/);
  }
});

Deno.test("Wizard takes a one-way step by plan, name and Enter", async () => {
  await using shown = await show();
  const { screen, trial } = shown;
  await screen.press("\r");
  await screen.until("The leader would:");
  match(screen.frame(), /ONE WAY - Plan: Storage cutover/);
  await screen.press("\r");
  match(screen.frame(), /Type the cluster's name \(top left\), then Enter:/);
  await screen.paste("prod");
  match(screen.frame(), /> _/);
  await screen.press("prox");
  await screen.press("\r");
  match(screen.frame(), /"prox" is not the name of this cluster/);
  await screen.press("prod\r");
  match(screen.frame(), /> prod_/, "what comes at once starts nothing");
  await screen.press("\r");
  equal(trial.ran.length, 1);
  match(screen.frame(), /\[~\] 2 Storage cutover/);
});

Deno.test("Wizard shows how members get on, and how it ended", async () => {
  await using shown = await show();
  const { screen, trial } = shown;
  for (const keys of ["\r", "\r", "prod", "\r"]) await screen.press(keys);
  const about = {
    command: "sealkv encryption enable-storage-envelope --confirm prod",
    asked: { kind: "enable-storage-envelope" },
  } as const;
  const events: readonly RunEvent[] = [
    { ...about, kind: "asked", atMs: 1_000, afterIndex: 1n },
    {
      kind: "progress",
      progress: {
        tasks: [
          taskOf("n1", { done: 1n, total: 1n }),
          taskOf("n2", { state: "running", done: 5n, total: 10n }),
          taskOf("n3", { state: "silent" }),
        ],
        isPaused: false,
        bytesPerSecond: null,
      },
    },
  ];
  for (const event of events) await trial.tell(event);
  await screen.until("$ sealkv encryption enable-storage-envelope");
  match(screen.frame(), /n1 \[#+\] 100 % {2}done in 2.0 s/);
  match(screen.frame(), /n2 \[#+\.+\] {2}50 % {2}5 of 10 records/);
  match(screen.frame(), /n3 .*NO ANSWER/);
  trial.snapshot = snapshotAt("stored");
  await trial.tell({
    ...about,
    kind: "answered",
    atMs: 3_500,
    outcome: {
      plan: { hash: "", steps: [] },
      changed: true,
      index: 101n,
      unreachable: [],
    },
    isOthers: false,
  });
  await trial.tell(null);
  await screen.until("committed at index 101, applied on 3/3 members");
  match(screen.frame(), /> \[ \] 3 Dwell and rewrite/);
});

Deno.test("Wizard shows what blocks, who lacks it and what to do", async () => {
  await using shown = await show();
  const { screen, trial } = shown;
  trial.snapshot = withEncryption(snapshotAt("capable"), "n3", {
    own: {
      isEnabled: false,
      gaps: ["encryption is off on this node"],
      kekIds: [],
      sidecarIndex: 0n,
      epochs: [],
    },
  });
  await trial.clock.advance(2_000);
  await screen.until("[!] 1 Key on every node");
  match(screen.frame(), /n3 .*none/);
  match(screen.frame(), /fix n3: .*--kek/s);
  trial.snapshot = snapshotAt("capable");
  await trial.clock.advance(2_000);
  await screen.until("[x] 1 Key on every node");
});

Deno.test("Wizard says when a member is gone, and when nobody answers", async () => {
  await using shown = await show();
  const { screen, trial } = shown;
  trial.snapshot = withMember(snapshotAt("capable"), "n3", {
    up: false,
    ready: false,
  });
  await trial.clock.advance(2_000);
  await screen.until("n3 does not answer");
  match(screen.frame(), /n3 .*NO/);
  trial.failure = new AdminUnreachableError(["http://n1:4514"]);
  await trial.clock.advance(2_000);
  await trial.clock.advance(7_000);
  await screen.until("NO ANSWER, 9.0 s old");
  equal(screen.frame().includes("Enter plan"), false, "no keys that act");
});

Deno.test("Wizard has no keys that change something when it only looks", async () => {
  await using shown = await show({ given: { isReadOnly: true } });
  const { screen } = shown;
  match(screen.frame(), /read-only/);
  equal(screen.frame().includes("Enter plan"), false);
  await screen.press("\r");
  match(screen.frame(), /only looks \(--read-only\)/);
});

Deno.test("Wizard shows the disks of a demo at every size, without a key", async () => {
  for (const size of SIZES) {
    const demo = new TrialDemo();
    await using shown = await show({ size, given: { demo } });
    const { screen, trial } = shown;
    fits(screen.frame(), size);
    match(screen.frame(), /FOUND on the disks of n1, n2, n3/);
    match(screen.frame(), /canary-7f3a/);
    demo.found = [];
    await trial.clock.advance(2_000);
    await screen.until("NOT FOUND on any disk");
  }
});

Deno.test("Wizard shows all files of a demo on a pane of their own", async () => {
  const size = { columns: 80, rows: 24 };
  await using shown = await show({ size, given: { demo: new TrialDemo() } });
  const { screen } = shown;
  match(screen.frame(), /n3 in 2 of 12 files: store/);
  for (let i = 0; i < 3; i += 1) await screen.press("\t");
  match(screen.frame(), /Disks of the demo -+\+\n\| FOUND/);
  match(screen.frame(), /0000000000000005\.seg/);
  match(screen.frame(), /Members/, "they are back in their place");
});

Deno.test("Wizard tells who tries a demo what it is, and what to type", async () => {
  await using shown = await show({ given: { demo: new TrialDemo() } });
  const { screen } = shown;
  match(screen.frame(), /Three nodes on this machine/);
  await screen.press("\r");
  await screen.until("The leader would:");
  await screen.press("\r");
  match(screen.frame(), /Type the cluster's name, prod, then Enter:/);
  for (const key of ["prod", "\r"]) await screen.press(key);
  await screen.press("q");
  match(screen.frame(), /is not done yet\. The demo ends with this screen\./);
});

Deno.test("Wizard ends by q, and by Ctrl-C with 130", async () => {
  for (const [key, code] of [["q", 0], ["\x03", 130]] as const) {
    await using shown = await show();
    await shown.screen.press(key);
    await settle();
    await ready();
    equal(shown.ends[0], code);
  }
});
