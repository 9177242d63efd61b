import type { AcceptableRisk, ClusterRewrite } from "../../src/admin/client.ts";
import type { RolloutChoices } from "../../src/rollout/snapshot.ts";
import type { StepId } from "../../src/rollout/step.ts";
import type { StepCommand } from "../../src/rollout/command.ts";
import type { ChoiceKind, WizardState } from "./state.ts";

/** One row of a list to choose from. */
export interface Choice {
  readonly label: string;
  readonly isChosen: boolean;
  /** Choices as they are with it. */
  readonly choices: RolloutChoices;
  /** What is asked of the cluster for it; `null`: nothing, yet. */
  readonly command: StepCommand | null;
  /** Command line of the step to run alone; `null`: all of them. */
  readonly only: string | null;
}

const HOUR_MS = 3_600_000;
const MIB = 1_048_576;

const DWELLS = [
  { label: "no dwell", spanMs: 0 },
  { label: "1 hour", spanMs: HOUR_MS },
  { label: "24 hours: a day with every load it has", spanMs: 24 * HOUR_MS },
  { label: "3 days", spanMs: 72 * HOUR_MS },
  { label: "7 days: a week with its weekend", spanMs: 168 * HOUR_MS },
];

/** Of values, on each member; 0 for no bound. */
const RATES = [1, 2, 4, 8, 16, 32, 64, 128, 0].map((size) => size * MIB);

const RISK_TEXTS: Readonly<Partial<Record<AcceptableRisk, string>>> = {
  "short-dwell": "go on before the dwell is over",
  "unrewritten": "go on although older values are not rewritten",
};

const RISKS: Readonly<Partial<Record<StepId, readonly AcceptableRisk[]>>> = {
  seal: ["short-dwell"],
  raft: ["short-dwell", "unrewritten"],
  retire: ["short-dwell"],
};

/** Risks that the server lets one accept at `step`. */
export function risksOf(step: StepId): readonly AcceptableRisk[] {
  return RISKS[step] ?? [];
}

/** The rows of a list; empty when there is nothing to choose. */
export function choicesOf(
  state: WizardState,
  what: ChoiceKind,
  step: StepId,
): readonly Choice[] {
  switch (what) {
    case "dwell":
      return dwells(state);
    case "rate":
      return rates(state);
    case "risks":
      return risks(state.choices, step);
    case "commands":
      return commands(state, step);
  }
}

function dwells(state: WizardState): readonly Choice[] {
  const { choices, seen } = state;
  if (seen === null) return [];
  const { rollout, atMs } = seen.snapshot;
  const isBegun = jobOf(state) !== null;
  const isHeld = isBegun
    ? Number(rollout?.dwellUntilMs ?? 0n) > atMs
    : choices.dwellUntilMs > atMs;
  return DWELLS.map(({ label, spanMs }) => {
    const untilMs = spanMs === 0 ? 0 : wholeSecond(atMs + spanMs);
    return {
      label,
      isChosen: !isHeld && spanMs === 0,
      choices: { ...choices, dwellUntilMs: isBegun ? 0 : untilMs },
      command: isBegun
        ? { kind: "update-rollout", dwellUntilMs: untilMs }
        : null,
      only: null,
    };
  });
}

/** The server and its commands count in whole seconds. */
function wholeSecond(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000;
}

function rates(state: WizardState): readonly Choice[] {
  const { choices } = state;
  const job = jobOf(state);
  const current = job === null
    ? choices.bytesPerSecond
    : Number(job.bytesPerSecond);
  return RATES.map((bytesPerSecond) => ({
    label: rateText(bytesPerSecond),
    isChosen: bytesPerSecond === current,
    choices: { ...choices, bytesPerSecond },
    command: job === null
      ? null
      : { kind: "resume-rewrite", bytesPerSecond, isFollowed: false },
    only: null,
  }));
}

/** What a step does one by one: to do one of them, or all. */
function commands(state: WizardState, id: StepId): readonly Choice[] {
  const { choices, only, seen } = state;
  const step = seen?.plan.steps.find((step) => step.id === id);
  return [null, ...step?.commands ?? []].map((line) => ({
    label: line ?? "all of them, in order",
    isChosen: line === only,
    choices,
    command: null,
    only: line,
  }));
}

/** The next rate up or down of the one in force. */
export function besideRate(state: WizardState, by: 1 | -1): Choice | null {
  const all = rates(state);
  const at = all.findIndex(({ isChosen }) => isChosen);
  // One that is not in the list is as good as no bound.
  return all[(at === -1 ? all.length - 1 : at) + by] ?? null;
}

function risks(choices: RolloutChoices, step: StepId): readonly Choice[] {
  const { accept } = choices;
  return risksOf(step).map((risk) => {
    const isChosen = accept.includes(risk);
    return {
      label: `${risk}: ${RISK_TEXTS[risk] ?? risk}`,
      isChosen,
      choices: {
        ...choices,
        accept: isChosen
          ? accept.filter((other) => other !== risk)
          : [...accept, risk],
      },
      command: null,
      only: null,
    };
  });
}

/** The rewrite that is in force; `null` before one was started. */
export function jobOf({ seen }: WizardState): ClusterRewrite | null {
  return seen?.snapshot.rollout?.rewrite ?? null;
}

export function rateText(bytesPerSecond: number): string {
  return bytesPerSecond === 0
    ? "no bound"
    : `${bytesPerSecond / MIB} MiB of values a second`;
}
