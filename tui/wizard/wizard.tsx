import { Box } from "ink";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useLook } from "../look.ts";
import { KeyLine } from "../parts/key_line.tsx";
import { Line } from "../parts/line.tsx";
import { isTooSmall, useSize } from "../size.ts";
import { useKeys } from "../use_keys.ts";
import { demoContent } from "./content.ts";
import { drawnState } from "./drawn.ts";
import type { WizardDriver } from "./driver.ts";
import { headRow } from "./head_row.ts";
import { keysNow } from "./keys.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { logRows } from "./log_rows.ts";
import { RowPane } from "./row_pane.tsx";
import type { WizardState } from "./state.ts";
import { TopPanes } from "./top_panes.tsx";

export interface WizardProps {
  readonly driver: WizardDriver;
  onEnd(exitCode: 0 | 130): void;
}

/** The wizard: it draws what the driver knows, and hands keys to it. */
export function Wizard({ driver, onEnd }: WizardProps) {
  const size = useSize();
  const { isUnicode } = useLook();
  const drawn = useMemo(
    () => drawnState(driver.state, { size, isUnicode }),
    [driver, size.columns, size.rows, isUnicode],
  );
  const state = useSyncExternalStore(driver.subscribe, drawn);
  const { exitCode } = state;
  useEffect(() => {
    driver.start();
  }, [driver]);
  useEffect(() => {
    if (exitCode !== null) onEnd(exitCode);
  }, [exitCode, onEnd]);
  useKeys((press) => {
    // Several keys may come before the next frame.
    const shown = { state: driver.state(), isUnicode };
    const { offsetMax } = layoutOf(shown, size);
    driver.dispatch({ kind: "press", press, offsetMax });
  });
  if (isTooSmall(size)) return null;
  const { columns: width, rows: height } = size;
  const layout = layoutOf({ state, isUnicode }, size);
  return (
    <Box flexDirection="column" flexShrink={0} width={width} height={height}>
      <Line width={width} spans={headRow(state, width)} />
      {layout.notices.map((spans, at) => (
        <Line key={at} width={width} spans={spans} />
      ))}
      <Panes state={state} layout={layout} width={width} />
      <KeyLine bindings={keysNow(state)} width={width} />
    </Box>
  );
}

interface PanesProps {
  readonly state: WizardState;
  readonly layout: Layout;
  readonly width: number;
}

function Panes({ state, layout, width }: PanesProps) {
  const { top, middle, bottom, content, isNarrow, disks } = layout;
  return (
    <>
      {top > 0 && (
        <TopPanes
          state={state}
          width={width}
          height={top}
          isNarrow={isNarrow}
          hasDisks={disks === "top"}
        />
      )}
      <RowPane content={content} width={width} height={middle} />
      {bottom > 0 && (
        <Bottom
          state={state}
          width={width}
          height={bottom}
          hasDisks={disks === "bottom"}
        />
      )}
    </>
  );
}

/** The end of the log; in a demo what is on its disks, too. */
function Bottom({ state, width, height, hasDisks }: {
  readonly state: WizardState;
  readonly width: number;
  readonly height: number;
  readonly hasDisks: boolean;
}) {
  const left = hasDisks ? Math.floor(width / 2) : width;
  const right = width - left;
  const disks = hasDisks ? demoContent(state, { width: right, height }) : null;
  return (
    <Box flexDirection="row" flexShrink={0} width={width} height={height}>
      <Commands state={state} width={left} height={height} />
      {disks !== null && (
        <RowPane content={disks} width={right} height={height} />
      )}
    </Box>
  );
}

/** The end of the log. */
function Commands({ state, width, height }: {
  readonly state: WizardState;
  readonly width: number;
  readonly height: number;
}) {
  const rows = logRows(state.log, width - 4);
  const content = {
    title: "Commands",
    rows: rows.slice(2 - height),
    offset: 0,
  };
  return <RowPane content={content} width={width} height={height} />;
}
