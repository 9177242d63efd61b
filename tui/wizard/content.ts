import { helpLines } from "../parts/help_lines.ts";
import { helpKeys, helpNotes } from "./bindings.ts";
import { DEMO_TITLE, demoBriefRows, demoRows } from "./demo_rows.ts";
import { dialogRows, dialogTitle } from "./dialog_rows.ts";
import { logRows } from "./log_rows.ts";
import { memberDetailRows } from "./member_rows.ts";
import { nextKeyRows } from "./next_key.ts";
import { type Row, row } from "./paragraph.ts";
import { planPrompt, planRows } from "./plan_rows.ts";
import { selectedStep, type WizardState } from "./state.ts";
import { stepRows } from "./step_pane.ts";

/** What fills a pane; the first row shown is `offset`. */
export interface Content {
  readonly title: string;
  readonly note?: string;
  readonly rows: readonly Row[];
  /** Always at the bottom. */
  readonly pinned?: readonly Row[];
  readonly offset: number;
}

export interface Shown {
  readonly state: WizardState;
  /** Of the rows. */
  readonly inner: number;
  readonly isUnicode: boolean;
}

/** What the screen is about now. */
export function contentOf(shown: Shown): Content {
  const { state, inner } = shown;
  const { view, offset } = state;
  switch (view.kind) {
    case "help":
      return {
        title: "Help",
        rows: helpLines(helpKeys(state.demo), helpNotes(state.demo), inner)
          .map((text) => row(text)),
        offset,
      };
    case "log":
      return { title: "Commands", rows: logRows(state.log, inner), offset };
    case "overtaken":
    case "choose":
    case "escrow":
    case "leave":
      return {
        title: dialogTitle(view),
        rows: dialogRows(state, view, inner),
        offset,
      };
    case "plan":
    case "confirm":
      return planContent(state, inner);
    default:
      return paneContent(shown);
  }
}

/** The disks of the demo beside other panes; `null` where there is none. */
export function demoContent(
  { demo, seen }: WizardState,
  { width, height }: { readonly width: number; readonly height: number },
): Content | null {
  if (demo === null) return null;
  const phase = seen?.plan.phase ?? 0;
  const rows = demoBriefRows(demo, { phase, width: width - 4 });
  // What there is no room for is on a pane of its own.
  return { title: DEMO_TITLE, rows: rows.slice(0, height - 2), offset: 0 };
}

/** Most rows of it that can be scrolled away in a pane of `height`. */
export function offsetMaxOf(
  { rows, pinned = [] }: Content,
  height: number,
): number {
  return Math.max(0, rows.length - (height - 2 - pinned.length));
}

function planContent(state: WizardState, inner: number): Content {
  const step = selectedStep(state);
  const { seen } = state;
  if (seen === null || step === null) {
    return { title: "Plan", rows: [], offset: 0 };
  }
  const { title, isOneWay } = step;
  return {
    title: isOneWay ? `ONE WAY - Plan: ${title}` : `Plan: ${title}`,
    note: seen.plan.cluster,
    rows: planRows(state, { step, seen }, inner),
    pinned: planPrompt(state, step),
    offset: state.offset,
  };
}

function paneContent({ state, inner, isUnicode }: Shown): Content {
  const { seen, pane, offset, log, demo } = state;
  const step = selectedStep(state);
  if (seen === null || step === null) {
    return {
      title: "sealkv rollout",
      rows: [row("The cluster is asked how it is ...", "dim")],
      offset: 0,
    };
  }
  switch (pane) {
    case "members":
      return {
        title: "Members",
        rows: memberDetailRows(seen.snapshot, inner),
        offset,
      };
    case "log":
      return { title: "Commands", rows: logRows(log, inner), offset };
    case "demo":
      return {
        title: DEMO_TITLE,
        rows: demo === null ? [] : demoRows(demo, inner),
        offset,
      };
    case "step": {
      const { title, isOneWay, id } = step;
      const at = seen.plan.steps.findIndex((one) => one.id === id) + 1;
      return {
        title: `${at} ${title}`,
        note: isOneWay ? "one way" : "",
        rows: stepRows(state, { step, seen }, { width: inner, isUnicode }),
        pinned: nextKeyRows(state, inner),
        offset,
      };
    }
  }
}
