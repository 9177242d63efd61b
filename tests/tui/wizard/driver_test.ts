import { deepEqual, equal, match, ok } from "node:assert/strict";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import { FileError } from "../../../src/io/errors.ts";
import type { RunEvent } from "../../../src/rollout/run.ts";
import { snapshotAt } from "../../unit/rollout/snapshots.ts";
import { isFresh } from "../../../tui/wizard/state.ts";
import { ready } from "./hand_clock.ts";
import { TrialDriver } from "./trial_driver.ts";
import { HASH } from "./wizard_at.ts";

const OF = {
  command: "sealkv encryption enable-storage-envelope --confirm prod",
  asked: { kind: "enable-storage-envelope" },
} as const;
const ASKED: RunEvent = { ...OF, kind: "asked", atMs: 1_000, afterIndex: 7n };
const ANSWERED: RunEvent = {
  ...OF,
  kind: "answered",
  atMs: 2_000,
  outcome: {
    plan: { hash: HASH, steps: [] },
    changed: true,
    index: 101n,
    unreachable: [],
  },
  isOthers: false,
};

/** With the storage cutover under way. */
async function started(): Promise<TrialDriver> {
  const trial = new TrialDriver();
  await trial.start();
  await trial.press("Enter", "Enter", "prod", "Enter");
  return trial;
}

Deno.test("WizardDriver looks every two seconds, whole every ten", async () => {
  const trial = new TrialDriver();
  await trial.start();
  for (let i = 0; i < 5; i += 1) await trial.clock.advance(2_000);
  deepEqual(
    trial.looks.map(({ isFull }) => isFull),
    [true, false, false, false, false, true],
  );
  await trial.driver.leave();
});

Deno.test("WizardDriver rehearses a step as soon as its plan is shown", async () => {
  const trial = new TrialDriver();
  await trial.start();
  await trial.press("Enter");
  const last = trial.looks.at(-1);
  equal(trial.looks.length, 2);
  ok(last?.isFull);
  equal(last.rehearse, "storage");
  await trial.driver.leave();
});

Deno.test("WizardDriver runs a step with its name and the plan's hash", async () => {
  const trial = await started();
  equal(trial.ran.length, 1);
  const { step, terms } = trial.ran[0]!;
  deepEqual([step, terms.confirm, terms.planHash], ["storage", "prod", HASH]);
  await trial.tell(ASKED);
  const before = trial.looks.length;
  await trial.clock.advance(1_000);
  equal(trial.looks.length, before + 1, "looks every second meanwhile");
  await trial.tell(ANSWERED);
  await trial.tell(null);
  equal(trial.driver.state().runs[0]?.outcomes[0]?.index, 101n);
  equal(trial.looks.length, before + 2, "looks at once when it is over");
  await trial.driver.leave();
});

Deno.test("WizardDriver looks at once when a step ended amid a look", async () => {
  const trial = new TrialDriver();
  await trial.start();
  await trial.press("Enter");
  await trial.press("Enter", "prod", "Enter");
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  trial.delay = promise;
  await trial.clock.advance(1_000);
  const before = trial.looks.length;
  await trial.tell(null);
  equal(trial.driver.state().isBehind, true);
  answer();
  await ready();
  await trial.clock.advance(0);
  equal(trial.looks.length, before + 1);
  equal(trial.driver.state().isBehind, false);
  await trial.driver.leave();
});

Deno.test("WizardDriver writes a transcript as things happen", async () => {
  const trial = await started();
  equal(trial.transcript, "", "looking leaves none");
  await trial.tell(ASKED);
  match(trial.transcript, /^#!\/bin\/sh\n/);
  match(trial.transcript, /# step storage\n# asked /);
  await trial.tell(ANSWERED);
  match(trial.transcript, /\n\$SEALKV encryption enable-storage-envelope /);
  await trial.tell(null);
  await trial.driver.leave();
});

Deno.test("WizardDriver tells when no transcript can be written", async () => {
  const error = new FileError("append to", "rollout.sh", "the disk is full");
  let tries = 0;
  const trial = new TrialDriver({
    transcript: {
      path: "rollout.sh",
      before: "",
      append: () => {
        tries += 1;
        return Promise.reject(error);
      },
    },
  });
  await trial.start();
  ok(trial.driver.isTranscriptWhole);
  await trial.press("Enter", "Enter", "prod", "Enter");
  await trial.tell(ASKED);
  match(trial.driver.state().notice, /^No transcript is written: /);
  await trial.tell(ANSWERED);
  await trial.tell(null);
  await trial.driver.leave();
  equal(tries, 1, "a script that lacks a command in its middle does harm");
  ok(!trial.driver.isTranscriptWhole);
});

Deno.test("WizardDriver does not ask faster for a plan that is refused", async () => {
  const trial = new TrialDriver();
  trial.snapshot = snapshotAt("scrubbed");
  trial.refusal = new AdminUnreachableError(["http://n2:4514"]);
  await trial.start();
  await trial.press("Down", "Enter");
  equal(trial.driver.state().view.kind, "plan");
  const { length } = trial.looks;
  await trial.clock.advance(1_000);
  ok(trial.looks.length <= length + 1, `${trial.looks.length} looks`);
  await trial.driver.leave();
});

Deno.test("WizardDriver keeps what it saw while nobody answers", async () => {
  const trial = new TrialDriver();
  await trial.start();
  trial.failure = new AdminUnreachableError(["http://n1:4514"]);
  await trial.clock.advance(2_000);
  const { failure, seen } = trial.driver.state();
  equal(failure, trial.failure);
  equal(seen?.snapshot, trial.snapshot);
  trial.failure = null;
  await trial.clock.advance(2_000);
  equal(trial.driver.state().failure, null);
  await trial.driver.leave();
});

Deno.test("WizardDriver ages what it saw while a look gets no answer", async () => {
  const trial = new TrialDriver();
  await trial.start();
  const answer = Promise.withResolvers<void>();
  trial.delay = answer.promise;
  for (let i = 0; i < 6; i += 1) await trial.clock.advance(2_000);
  equal(isFresh(trial.driver.state()), false);
  trial.delay = null;
  answer.resolve();
  await ready();
  equal(isFresh(trial.driver.state()), true);
  await trial.driver.leave();
  equal(trial.clock.waiting, 0);
});

Deno.test("WizardDriver pauses a rewrite while it follows it", async () => {
  const trial = new TrialDriver();
  trial.snapshot = snapshotAt("rewriting");
  await trial.start();
  await trial.press("p");
  deepEqual(trial.commands, ["pause-rewrite"]);
  match(trial.driver.state().log[0]?.text ?? "", /pause-rewrite/);
  await trial.driver.leave();
});

Deno.test("WizardDriver ends looks and the wait for a step, not the step", async () => {
  const trial = await started();
  await trial.tell(ASKED);
  const looks = trial.looks.length;
  await trial.driver.leave();
  ok(trial.ran[0]?.terms.signal.aborted);
  equal(trial.clock.waiting, 0);
  await trial.clock.advance(10_000);
  equal(trial.looks.length, looks);
  await trial.tell(null);
  await ready();
});
