import { useLook } from "../look.ts";
import type { DemoPane } from "../world.ts";
import { demoRows } from "./demo_rows.ts";
import { dialogRows, dialogTitle } from "./dialog_rows.ts";
import { logRows } from "./log_rows.ts";
import { memberDetailRows } from "./member_rows.ts";
import { row } from "./paragraph.ts";
import { planPrompt, planRows } from "./plan_rows.ts";
import { RowPane, type RowPaneProps } from "./row_pane.tsx";
import { selectedStep, type WizardState } from "./state.ts";
import { stepRows } from "./step_pane.ts";

export interface MiddlePaneProps {
  readonly state: WizardState;
  readonly demo: DemoPane | null;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
}

/** What the screen is about now. */
export function MiddlePane(props: MiddlePaneProps) {
  const { width, height } = props;
  const { isUnicode } = useLook();
  const content = contentOf(props, isUnicode);
  return <RowPane {...content} width={width} height={height} isFocused />;
}

type Content = Omit<RowPaneProps, "width" | "height">;

function contentOf(
  { state, demo, width }: MiddlePaneProps,
  isUnicode: boolean,
): Content {
  const { view } = state;
  const inner = width - 4;
  switch (view.kind) {
    case "choose":
    case "escrow":
    case "leave":
      return {
        title: dialogTitle(view),
        rows: dialogRows(state, view, inner),
      };
    case "plan":
    case "confirm":
      return planContent(state, inner);
    default:
      return paneContent(state, { demo, inner, isUnicode });
  }
}

function planContent(state: WizardState, inner: number): Content {
  const step = selectedStep(state);
  const { seen } = state;
  if (seen === null || step === null) return { title: "Plan", rows: [] };
  const { title, isOneWay } = step;
  return {
    title: isOneWay ? `ONE WAY - Plan: ${title}` : `Plan: ${title}`,
    note: seen.plan.cluster,
    rows: planRows(state, { step, seen }, inner),
    pinned: planPrompt(state, step),
    offset: state.offset,
  };
}

function paneContent(
  state: WizardState,
  { demo, inner, isUnicode }: {
    readonly demo: DemoPane | null;
    readonly inner: number;
    readonly isUnicode: boolean;
  },
): Content {
  const { seen, pane, offset, log } = state;
  const step = selectedStep(state);
  if (seen === null || step === null) {
    return {
      title: "sealkv rollout",
      rows: [row("The cluster is asked how it is ...", "dim")],
    };
  }
  switch (pane) {
    case "members":
      return {
        title: "Members",
        rows: memberDetailRows(seen.snapshot),
        offset,
      };
    case "log":
      return { title: "Commands", rows: logRows(log, inner), offset };
    case "demo":
      return {
        title: "Disks of the demo",
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
        offset,
      };
    }
  }
}
