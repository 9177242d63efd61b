/*
 * Goal: whatever a cluster says, a plan is made of it, and it leads nobody on.
 * Method: random snapshots, each member on a rung of its own, with parts that
 * are missing; then what must hold of every plan.
 */
import { ok } from "node:assert/strict";
import fc from "fast-check";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { planRollout } from "../../../src/rollout/plan_rollout.ts";
import { STEP_IDS, type StepState } from "../../../src/rollout/step.ts";
import { commandPaths, flagsOf, programOfTests } from "../cli/command_tree.ts";
import { choices, snapshots } from "./any_snapshot.ts";

const RUNS = 1_000;
Deno.test("planRollout() never throws, and never has two ways to go on", () => {
  fc.assert(
    fc.property(snapshots, choices, (snapshot, chosen) => {
      const { steps, next } = planRollout(snapshot, chosen);
      ok(steps.length === STEP_IDS.length);
      const isOpen = (state: StepState) =>
        state === "ready" || state === "failed";
      for (const [place, step] of steps.entries()) {
        ok(step.commands.length > 0, step.id);
        ok(step.detail !== "" && !step.detail.includes("\n"), step.id);
        ok((step.progress !== null) === (step.state === "running"), step.id);
        if (step.id === "rotate" || step.id === "retire") continue;
        const isDeferring = chosen.accept.includes("unrewritten") &&
          step.id === "raft";
        const below = steps.slice(0, place).filter(({ id }) =>
          !isDeferring || (id !== "rewrite" && id !== "seal")
        );
        const isAllDone = below.every(({ state }) => state === "done");
        // A rewrite that failed on a member goes on there by itself.
        const isByItself = step.id === "rewrite" && step.state === "failed";
        ok(!isOpen(step.state) || isAllDone || isByItself, step.id);
        const fails = step.checks.some(({ verdict }) => verdict === "fail");
        ok(step.state !== "ready" || !fails, step.id);
      }
      const state = steps.find(({ id }) => id === next)?.state;
      ok(next === null || state !== "done");
    }),
    { numRuns: RUNS },
  );
});

Deno.test("planRollout() names commands and flags that there are", () => {
  const program = programOfTests();
  const paths = new Set(commandPaths(program));
  fc.assert(
    fc.property(snapshots, choices, (snapshot, chosen) => {
      for (const { commands, checks } of planRollout(snapshot, chosen).steps) {
        const remedies = checks.flatMap(({ evidence }) =>
          evidence.flatMap(({ remedy }) =>
            [...remedy.matchAll(/`(sealkv [^`]*)`/g)].map(([, line = ""]) =>
              line
            )
          )
        );
        for (const line of [...commands, ...remedies]) {
          mustExist(line, program, paths);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

function mustExist(
  line: string,
  program: CommandUnknownOpts,
  paths: ReadonlySet<string>,
): void {
  const [, first = "", second = ""] = line.split(" ");
  const path = paths.has(`${first} ${second}`) ? `${first} ${second}` : first;
  ok(paths.has(path), line);
  let command = program;
  for (const word of path.split(" ")) {
    command = command.commands.find((one) => one.name() === word)!;
  }
  const flags = flagsOf(command);
  for (const [flag] of line.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g)) {
    ok(flags.has(flag), line);
  }
}
