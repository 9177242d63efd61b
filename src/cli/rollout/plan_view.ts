import type { Check, Evidence } from "../../rollout/check.ts";
import type {
  RolloutPlan,
  RolloutStep,
  StepProgress,
  StepState,
} from "../../rollout/step.ts";
import { timeText } from "../../base/time_text.ts";
import { paint, phaseText } from "../status_view.ts";
import { tableLines } from "../table.ts";
import { barLines, taskJson } from "../task_text.ts";
import { COLUMNS, wrapped } from "../wrap.ts";

const MARK: Readonly<Record<StepState, string>> = {
  done: "[x]",
  ready: "[ ]",
  running: "[~]",
  blocked: "[!]",
  failed: "[!]",
};

/** One object; u64 as strings. Its names are for ever: scripts read them. */
export function planJson(plan: RolloutPlan): string {
  const { cluster, leader, term, phase, atMs, next, steps } = plan;
  const json = {
    ...{ cluster, leader, term: String(term), phase },
    at: timeText(atMs),
    next,
    steps: steps.map(stepJson),
  };
  return `${JSON.stringify(json)}\n`;
}

function stepJson(step: RolloutStep) {
  const { id, title, isOneWay, state, detail, commands, checks } = step;
  const { does, undo, noticed, progress } = step;
  return {
    ...{ id, title, oneWay: isOneWay, state, detail, commands },
    checks: checks.map(({ id, title, verdict, evidence }) => ({
      ...{ id, title, verdict },
      evidence: evidence.map(({ member, verdict, text, remedy }) => ({
        ...{ member, verdict, text, remedy },
      })),
    })),
    progress: progress === null ? null : progressJson(progress),
    ...{ does, undo, noticed },
  };
}

function progressJson({ tasks, isPaused, bytesPerSecond }: StepProgress) {
  return {
    paused: isPaused,
    bytesPerSecond: bytesPerSecond === null ? null : String(bytesPerSecond),
    members: tasks.map(taskJson),
  };
}

/** The ladder, the next step in full, and the commands of all that follow. */
export function planScreen(plan: RolloutPlan, isColored: boolean): string {
  const { steps, next } = plan;
  const step = steps.find(({ id }) => id === next);
  const later = steps.filter((one) =>
    one.state !== "done" && (step === undefined || isAfter(one, step, steps))
  );
  return [
    headLine(plan),
    "",
    ...ladderLines(plan, isColored),
    "",
    ...step === undefined
      ? ["nothing is left to do; the last two steps recur"]
      : nextLines(step, isColored),
    ...later.length === 0
      ? []
      : ["", step === undefined ? "from time to time:" : "after it:"],
    ...later.flatMap(({ commands }) => commands.map((line) => `  $ ${line}`)),
    "",
  ].join("\n");
}

function headLine({ cluster, phase, leader, term, atMs }: RolloutPlan): string {
  return [
    cluster || "(no name yet)",
    `phase ${phaseText(phase)}`,
    leader === ""
      ? `no leader, term ${term}`
      : `leader ${leader}, term ${term}`,
    timeText(atMs),
  ].join("   ");
}

function ladderLines(
  { steps, next }: RolloutPlan,
  isColored: boolean,
): readonly string[] {
  const rows = tableLines(steps.map((step, position) => [
    step.id === next ? ">" : " ",
    MARK[step.state],
    String(position + 1),
    step.title,
    step.isOneWay ? "1W" : "",
    step.state,
  ]));
  const width = Math.max(...rows.map(({ length }) => length));
  const lines = rows.flatMap((row, position) => {
    const { state = "done", detail = "" } = steps[position] ?? {};
    const whole = `${row.padEnd(width)}  ${detail}`;
    const [head = "", ...rest] = whole.length <= COLUMNS
      ? [whole]
      : [row, ...wrapped(`           ${detail}`)];
    const isBad = state === "blocked" || state === "failed";
    return [isColored && isBad ? paint(head, "31") : head, ...rest];
  });
  return [...lines, "1W: one way, it is never taken back"];
}

/** What the step is, what stands in its way, and what carries it out. */
function nextLines(step: RolloutStep, isColored: boolean): readonly string[] {
  const { title, does, undo, noticed, checks, commands, progress } = step;
  const head = `next: ${title}`;
  const passing = checks.filter(({ verdict }) => verdict === "pass");
  return [
    isColored ? paint(head, "1") : head,
    ...wrapped(`  ${does}`),
    ...wrapped(`  Undo: ${undo}`),
    ...wrapped(`  Users notice: ${noticed}`),
    "",
    ...checks.flatMap((check) => checkLines(check, isColored)),
    ...passing.length === 0 ? [] : wrapped(
      `[x] ${passing.map(({ id }) => id).sort().join(" ")} pass`,
    ),
    ...progress === null ? [] : ["", ...barLines(progress.tasks)],
    "",
    ...commands.map((line) => `  $ ${line}`),
  ];
}

/** Only what does not pass; the remedy once for all who share it. */
function checkLines(
  { id, title, verdict, evidence }: Check,
  isColored: boolean,
): readonly string[] {
  if (verdict === "pass") return [];
  const bad = evidence.filter((one) => one.verdict !== "pass");
  const isFailed = verdict === "fail";
  const head = `${isFailed ? "[!]" : "[w]"} ${id} ${title}: ${
    isFailed ? "FAIL" : "warn"
  }`;
  const texts = [...new Set(bad.map(({ text }) => text))];
  const remedies = [...new Set(bad.map(({ remedy }) => remedy))];
  return [
    isColored && isFailed ? paint(head, "31") : head,
    ...texts.flatMap((text) => wrapped(`      ${evidenceText(bad, text)}`)),
    ...remedies.flatMap((remedy) => wrapped(`      fix: ${remedy}`)),
  ];
}

/** What members have in common is said once. */
function evidenceText(evidence: readonly Evidence[], text: string): string {
  const members = evidence.filter((one) => one.text === text)
    .map(({ member }) => member).filter((member) => member !== "");
  return members.length === 0 ? text : `${members.join(", ")}: ${text}`;
}

function isAfter(
  one: RolloutStep,
  next: RolloutStep,
  steps: readonly RolloutStep[],
): boolean {
  return steps.indexOf(one) > steps.indexOf(next);
}
