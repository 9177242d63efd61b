import { isNarrow, type Size } from "../size.ts";
import { type Content, contentOf, offsetMaxOf, type Shown } from "./content.ts";
import { bannerText } from "./head_row.ts";
import { hanging, type Row } from "./paragraph.ts";
import { resultRows } from "./result_rows.ts";
import { isReadFromEnd, lastRun, type WizardState } from "./state.ts";

/** How the rows of a terminal are shared out. */
export interface Layout {
  /** What must be seen above all else. */
  readonly notices: readonly Row[];
  /** Rows of the ladder and the members; 0 where they give way. */
  readonly top: number;
  /** Rows of the pane that the screen is about, borders included. */
  readonly middle: number;
  /** Rows of the commands below; 0 where they give way. */
  readonly bottom: number;
  /** Where the disks of a demo are beside another pane. */
  readonly disks: "top" | "bottom" | "nowhere";
  readonly isNarrow: boolean;
  readonly content: Content;
  /** Most rows of the content that can be scrolled away. */
  readonly offsetMax: number;
}

const EDGES = 2;
const NOTICES_MAX = 4;
const BOTTOM = 6;
/** For what is on the disks of a demo's three members. */
const BOTTOM_DEMO = 7;
/** From here on there is room for the commands below. */
const BOTTOM_MIN = 30;
const BORDERS = 4;

export function layoutOf(
  shown: Omit<Shown, "inner">,
  size: Size,
): Layout {
  const { state } = shown;
  const { columns, rows } = size;
  const narrow = isNarrow(size);
  const notices = noticeRows(state, columns);
  const { kind } = state.view;
  const isWhole = kind === "help" || kind === "log" ||
    narrow && kind !== "overview";
  const top = isWhole ? 0 : topRows(state, narrow);
  const bottom = isWhole || rows < BOTTOM_MIN
    ? 0
    : state.demo === null
    ? BOTTOM
    : BOTTOM_DEMO;
  const middle = rows - EDGES - notices.length - top - bottom;
  const content = contentOf({ ...shown, inner: columns - BORDERS });
  const offsetMax = offsetMaxOf(content, middle);
  const offset = isReadFromEnd(state)
    ? offsetMax - content.offset
    : content.offset;
  const disks = state.demo === null || isDemoPane(state)
    ? "nowhere"
    : bottom > 0
    ? "bottom"
    : "top";
  return {
    ...{ notices, top, middle, bottom, isNarrow: narrow, offsetMax, disks },
    content: { ...content, offset: Math.max(0, offset) },
  };
}

/** The pane that the screen is about has them already. */
function isDemoPane({ view, pane }: WizardState): boolean {
  return view.kind === "overview" && pane === "demo";
}

function topRows({ seen }: WizardState, narrow: boolean): number {
  if (seen === null) return 0;
  const steps = seen.plan.steps.length;
  return narrow ? Math.ceil(steps / 2) + 3 : steps + 2;
}

function noticeRows(state: WizardState, width: number): readonly Row[] {
  const { notice, announced, seen } = state;
  const banner = bannerText(state);
  const rows = [
    ...banner === "" ? [] : hanging([{ text: " [!] ", tone: "bad" }], {
      text: banner,
      tone: "bad",
      width,
    }),
    ...notice === ""
      ? []
      : hanging([{ text: " " }], { text: notice, tone: "warn", width }),
    ...announced === null || seen === null
      ? []
      : announcement(state, announced, width),
  ];
  return rows.slice(0, NOTICES_MAX);
}

function announcement(
  state: WizardState,
  announced: NonNullable<WizardState["announced"]>,
  width: number,
): readonly Row[] {
  const { seen } = state;
  const run = lastRun(state, announced);
  const step = seen?.plan.steps.find(({ id }) => id === announced);
  if (seen === null || run === null || step === undefined) return [];
  const head = ` ${step.title}: `;
  return resultRows(run, { seen, width, head });
}
