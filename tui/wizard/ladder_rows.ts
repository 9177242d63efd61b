import type { Tone } from "../look.ts";
import type {
  RolloutPlan,
  RolloutStep,
  StepId,
} from "../../src/rollout/step.ts";
import { fitted } from "../text.ts";
import type { Row } from "./paragraph.ts";

/** What people read: a step that waits for one before it is not blocked. */
export type Standing = RolloutStep["state"] | "later";

interface Mark {
  readonly mark: string;
  readonly tone: Tone;
}

const MARKS: Readonly<Record<Standing, Mark>> = {
  done: { mark: "[x]", tone: "good" },
  ready: { mark: "[ ]", tone: "strong" },
  running: { mark: "[~]", tone: "warn" },
  blocked: { mark: "[!]", tone: "bad" },
  failed: { mark: "[!]", tone: "bad" },
  later: { mark: "[ ]", tone: "dim" },
};

const TITLE_COLUMNS = 17;
/** Of a row with its state in a word. */
export const LADDER_COLUMNS = 37;
/** Of one without. */
export const LADDER_COLUMNS_MIN = 28;

export function markOf(standing: Standing): Mark {
  return MARKS[standing];
}

/** A rung is blocked by its own checks, or waits for its turn. */
export function standingOf(plan: RolloutPlan, step: RolloutStep): Standing {
  if (step.state !== "blocked") return step.state;
  const at = plan.steps.indexOf(step);
  const next = plan.steps.findIndex(({ id }) => id === plan.next);
  return next !== -1 && at > next ? "later" : "blocked";
}

/** One row for each step, `width` columns wide. */
export function ladderRows(
  plan: RolloutPlan,
  { selected, underWay, width }: {
    readonly selected: RolloutStep | null;
    /** Started from here. */
    readonly underWay: StepId | null;
    readonly width: number;
  },
): readonly Row[] {
  return plan.steps.map((step, at) => {
    const standing = step.id === underWay ? "running" : standingOf(plan, step);
    const { mark, tone } = MARKS[standing];
    const isSelected = step.id === selected?.id;
    const titleTone = isSelected ? "strong" : tone === "dim" ? "dim" : "plain";
    const title = fitted(step.title, TITLE_COLUMNS);
    const word = width >= LADDER_COLUMNS ? `  ${fitted(standing, 7)}` : "";
    return [
      { text: isSelected ? "> " : "  ", tone: "strong" },
      { text: mark, tone },
      { text: ` ${at + 1} ${title}`, tone: titleTone },
      { text: step.isOneWay ? " 1W" : "   ", tone: "warn" },
      { text: word, tone },
    ];
  });
}
