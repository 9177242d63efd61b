import { Box } from "ink";
import { Line } from "../parts/line.tsx";
import { Pane } from "../parts/pane.tsx";
import { Table } from "../parts/table.tsx";
import { demoContent } from "./content.ts";
import { demoStrip } from "./demo_rows.ts";
import {
  LADDER_COLUMNS,
  LADDER_COLUMNS_MIN,
  ladderRows,
} from "./ladder_rows.ts";
import { MEMBER_COLUMNS, memberRows, memberStrip } from "./member_rows.ts";
import { RowPane } from "./row_pane.tsx";
import {
  type Seen,
  selectedStep,
  stepUnderWay,
  type WizardState,
} from "./state.ts";

const BORDERS = 4;
/** From here on the ladder says states in words. */
const WORDS_MIN = 96;

export interface TopPanesProps {
  readonly state: WizardState;
  readonly width: number;
  /** As the layout says. */
  readonly height: number;
  readonly isNarrow: boolean;
  /** Of a demo, in the place of the members. */
  readonly hasDisks: boolean;
}

/** The ladder, and who the members are. */
export function TopPanes(props: TopPanesProps) {
  const { seen } = props.state;
  if (seen === null) return null;
  return props.isNarrow
    ? <NarrowTop {...props} seen={seen} />
    : <WideTop {...props} seen={seen} />;
}

type Shown = TopPanesProps & { readonly seen: Seen };

function WideTop({ state, seen, width, height, hasDisks }: Shown) {
  const isWordy = width >= WORDS_MIN;
  const inner = isWordy ? LADDER_COLUMNS : LADDER_COLUMNS_MIN;
  const left = inner + BORDERS;
  const right = width - left;
  const disks = hasDisks ? demoContent(state, { width: right, height }) : null;
  return (
    <Box flexDirection="row" flexShrink={0} width={width} height={height}>
      <Pane title="Steps" width={left} height={height}>
        {ladderRows(seen.plan, ladderOf(state, inner))
          .map((spans, at) => <Line key={at} spans={spans} width={inner} />)}
      </Pane>
      {disks === null
        ? <Members seen={seen} width={right} height={height} />
        : <RowPane content={disks} width={right} height={height} />}
    </Box>
  );
}

function Members({ seen, width, height }: {
  readonly seen: Seen;
  readonly width: number;
  readonly height: number;
}) {
  const rows = memberRows(seen.snapshot);
  const well = rows.filter(({ isWell }) => isWell).length;
  return (
    <Pane
      title="Members"
      note={`${well} of ${rows.length} well`}
      width={width}
      height={height}
    >
      <Table
        columns={MEMBER_COLUMNS}
        rows={rows}
        width={width - BORDERS}
        height={height - 2}
      />
    </Pane>
  );
}

function ladderOf(state: WizardState, width: number) {
  const underWay = stepUnderWay(state);
  return { selected: selectedStep(state), underWay, width };
}

/** Two columns of steps, and the members, or a demo's disks, on one line. */
function NarrowTop({ state, seen, width, height, hasDisks }: Shown) {
  const inner = Math.floor((width - BORDERS) / 2);
  const rungs = ladderRows(seen.plan, ladderOf(state, LADDER_COLUMNS_MIN));
  const { demo } = state;
  const strip = demo !== null && hasDisks
    ? demoStrip(demo)
    : memberStrip(seen.snapshot);
  const half = Math.ceil(rungs.length / 2);
  return (
    <>
      <Pane title="Steps" width={width} height={height - 1}>
        {rungs.slice(0, half).map((spans, at) => (
          <Box key={at} flexDirection="row" flexShrink={0} height={1}>
            <Line spans={spans} width={inner} />
            <Line spans={rungs[half + at] ?? []} width={inner} />
          </Box>
        ))}
      </Pane>
      <Line spans={strip} width={width} />
    </>
  );
}
