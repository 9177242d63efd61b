import type { ClusterEvent } from "../../src/admin/client.ts";
import type { NodeError } from "../../src/base/error.ts";
import type { RunEvent } from "../../src/rollout/run.ts";
import type {
  RolloutChoices,
  RolloutSnapshot,
} from "../../src/rollout/snapshot.ts";
import type { RolloutPlan, StepId } from "../../src/rollout/step.ts";
import { to, type Transition, type WizardEvent } from "./event.ts";
import { onPress } from "./press.ts";
import { show } from "./show.ts";
import {
  activeRun,
  type LogLine,
  type Run,
  type WizardState,
} from "./state.ts";

export type PlanOf = (
  snapshot: RolloutSnapshot,
  choices: RolloutChoices,
) => RolloutPlan;

/** Of the log pane; older ones are in the transcript and the history. */
const LOG_LINES_MAX = 500;
/** What somebody sees who tries a demo. */
const DEMO_NOTICE =
  "Three nodes on this machine, and a program that writes to them. Take each step with Enter, and see its text go from their disks.";

/** What becomes of the screen, and what is to be done, by what happens. */
export function wizardReducer(
  planOf: PlanOf,
): (state: WizardState, event: WizardEvent) => Transition {
  return (state, event) => {
    switch (event.kind) {
      case "looked":
        return to(onLooked(state, event, planOf));
      case "look-failed": {
        const { error, nowMs } = event;
        return to({ ...state, failure: error, nowMs });
      }
      case "waited":
        return to({ ...state, nowMs: event.nowMs });
      case "press":
        return onPress(state, event, planOf);
      case "run":
        return to(onRun(state, event.event));
      case "run-over":
        return to(onRunOver(state, event.atMs));
      case "steered":
        return to(onSteered(state, event.event));
      case "notice":
        return to({ ...state, notice: event.text });
    }
  };
}

function onLooked(
  state: WizardState,
  event: WizardEvent & { readonly kind: "looked" },
  planOf: PlanOf,
): WizardState {
  const { snapshot, nowMs, estimate, demo, beganAmid } = event;
  const plan = planOf(snapshot, state.choices);
  const seen = { snapshot, plan, atMs: nowMs };
  const isFirst = state.seen === null;
  const notice = isFirst && demo !== null && plan.phase === 0
    ? DEMO_NOTICE
    : state.notice;
  const logged = withLog(state, ...othersEvents(state, snapshot.events));
  return rethought({
    ...{ ...logged, seen, estimate, demo, notice },
    ...{ failure: null, nowMs },
    isBehind: state.isBehind && beganAmid,
  });
}

/** Who plans a step is told when others were first, or changed the plan. */
function rethought(state: WizardState): WizardState {
  const { view, seen } = state;
  if (view.kind !== "plan" && view.kind !== "confirm") return state;
  const step = seen?.plan.steps.find(({ id }) => id === view.step);
  if (step?.state === "done" || step?.state === "running") {
    return overtaken(
      state,
      view.step,
      `Somebody else took "${step.title}": ${step.detail}.`,
    );
  }
  const rehearsal = seen?.snapshot.rehearsal ?? null;
  if (view.kind !== "confirm" || rehearsal?.step !== view.step) return state;
  const hash = rehearsal.outcome?.plan.hash ?? null;
  if (hash === view.planHash || view.planHash === "") return state;
  return overtaken(
    state,
    view.step,
    "The cluster changed, and the plan with it.",
  );
}

function overtaken(state: WizardState, step: StepId, text: string) {
  return show(state, { kind: "overtaken", step, text });
}

/** What was done by others since the last look. */
function othersEvents(
  state: WizardState,
  events: readonly ClusterEvent[],
): readonly LogLine[] {
  const { seen, actor } = state;
  const last = seen?.snapshot.events.at(-1)?.index ?? null;
  if (seen === null) return [];
  const own = ownEntries(state);
  return events
    .filter(({ index }) => last === null || index > last)
    .filter(({ entry, actor: by }) =>
      !own.has(entry) || entry === 0n && by !== actor
    )
    .filter((event) => event.actor !== actor || activeRun(state) === null)
    .map(({ atMs, actor, action, result, entry }) => ({
      atMs: Number(atMs),
      kind: "event" as const,
      text: `${actor}: ${action} ${result}` +
        (entry === 0n ? "" : ` at index ${entry}`),
    }));
}

/** Of what was asked for from here; 0 where something made no entry. */
function ownEntries({ runs, steered }: WizardState): ReadonlySet<bigint> {
  const entries = runs.flatMap(({ outcomes, error }) => [
    ...outcomes.map(({ index }) => index),
    ...error === null ? [] : [0n],
  ]);
  return new Set([...entries, ...steered]);
}

function onRun(state: WizardState, event: RunEvent): WizardState {
  const run = activeRun(state);
  if (run === null) return state;
  switch (event.kind) {
    case "asked": {
      const { command, atMs } = event;
      const isFirst = run.command === "";
      const startedMs = isFirst ? atMs : run.startedMs;
      return withLog(
        withRun(state, { ...run, command, startedMs, progress: null }),
        commandLine(event),
      );
    }
    case "progress":
      return withRun(state, { ...run, progress: event.progress });
    case "answered": {
      const line = answerLine(event);
      // To count changes nothing: it is no outcome of the step.
      if (event.asked?.kind === "verify") return withLog(state, line);
      const { outcome } = event;
      const isOthers = event.isOthers &&
        (run.isOthers || run.outcomes.length === 0);
      const outcomes = [...run.outcomes, outcome];
      return withLog(withRun(state, { ...run, outcomes, isOthers }), line);
    }
    case "failed": {
      const { error, atMs } = event;
      return withLog(
        withRun(state, { ...run, error, endedMs: atMs }),
        errorLine(event),
      );
    }
  }
}

/** Whether something changed, and where. */
function answerLine(event: RunEvent & { readonly kind: "answered" }): LogLine {
  const { asked, atMs, isOthers, outcome: { changed, index } } = event;
  const where = index === 0n ? "" : ` at index ${index}`;
  const text = asked?.kind === "verify"
    ? "no record is cleartext"
    : isOthers && changed
    ? `somebody else did it${where}`
    : changed
    ? `done${where}`
    : `was so already${where}`;
  return { atMs, kind: "result", text };
}

function onRunOver(state: WizardState, atMs: number): WizardState {
  const run = state.runs.at(-1);
  if (run === undefined) return state;
  const ended = withRun(state, { ...run, endedMs: run.endedMs ?? atMs });
  const over = { ...ended, isBehind: true };
  // On to the next step, unless it failed or something else is looked at.
  const isFollowed = run.error === null && state.selected === run.step;
  return isFollowed
    ? { ...over, selected: null, only: null, offset: 0, announced: run.step }
    : over;
}

function onSteered(state: WizardState, event: RunEvent): WizardState {
  switch (event.kind) {
    case "asked":
      return withLog(state, commandLine(event));
    case "progress":
      return state;
    case "answered": {
      const steered = [...state.steered, event.outcome.index];
      return withLog({ ...state, steered }, answerLine(event));
    }
    case "failed": {
      const { error } = event;
      const steered = [...state.steered, 0n];
      const logged = withLog({ ...state, steered }, errorLine(event));
      return { ...logged, notice: `${error.message}. ${error.remedy}` };
    }
  }
}

function commandLine({ atMs, command }: {
  readonly atMs: number;
  readonly command: string;
}): LogLine {
  return { atMs, kind: "command", text: `$ ${command}` };
}

function errorLine({ atMs, error }: {
  readonly atMs: number;
  readonly error: NodeError;
}): LogLine {
  return { atMs, kind: "error", text: `${error.code}: ${error.message}` };
}

/** In the place of the last one. */
function withRun(state: WizardState, run: Run): WizardState {
  return { ...state, runs: [...state.runs.slice(0, -1), run] };
}

function withLog(state: WizardState, ...lines: readonly LogLine[]) {
  if (lines.length === 0) return state;
  return { ...state, log: [...state.log, ...lines].slice(-LOG_LINES_MAX) };
}
