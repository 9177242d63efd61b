import { Box } from "ink";
import { useEffect, useSyncExternalStore } from "react";
import { HelpScreen } from "../parts/help_screen.tsx";
import { KeyLine } from "../parts/key_line.tsx";
import { Line } from "../parts/line.tsx";
import { isNarrow, isTooSmall, useSize } from "../size.ts";
import { useKeys } from "../use_keys.ts";
import type { DemoPane } from "../world.ts";
import { ALL_KEYS, HELP_NOTES } from "./bindings.ts";
import { bannerText, headRow } from "./head_row.ts";
import { keysNow } from "./keys.ts";
import type { WizardDriver } from "./driver.ts";
import { logRows } from "./log_rows.ts";
import { MiddlePane } from "./middle_pane.tsx";
import { paragraph } from "./paragraph.ts";
import { RowPane } from "./row_pane.tsx";
import type { WizardState } from "./state.ts";
import { TopPanes, topRows } from "./top_panes.tsx";

export interface WizardProps {
  readonly driver: WizardDriver;
  readonly demo: DemoPane | null;
  onEnd(exitCode: 0 | 130): void;
}

/** The wizard, live. */
export function Wizard({ driver, demo, onEnd }: WizardProps) {
  const state = useSyncExternalStore(driver.subscribe, driver.state);
  const { exitCode } = state;
  useEffect(() => {
    driver.start();
  }, [driver]);
  useEffect(() => {
    if (exitCode !== null) onEnd(exitCode);
  }, [exitCode, onEnd]);
  useKeys((press) => driver.dispatch({ kind: "press", press }));
  return <WizardScreen state={state} demo={demo} />;
}

export interface WizardScreenProps {
  readonly state: WizardState;
  readonly demo: DemoPane | null;
}

/** Rows of the command log where it is shown beside the step. */
const LOG_ROWS = 6;
const LOG_ROWS_MIN = 30;
const NOTICE_ROWS_MAX = 3;

/** The wizard as it stands: of what it knows and of the size, nothing else. */
export function WizardScreen({ state, demo }: WizardScreenProps) {
  const size = useSize();
  if (isTooSmall(size)) return null;
  const { columns: width, rows } = size;
  const notices = noticeRows(state, width);
  const room = rows - 2 - notices.length;
  return (
    <Box flexDirection="column" flexShrink={0} width={width} height={rows}>
      <Line width={width} spans={headRow(state, width)} />
      {notices.map((spans, at) => (
        <Line
          key={at}
          width={width}
          spans={spans}
        />
      ))}
      <Body
        state={state}
        demo={demo}
        width={width}
        height={room}
        isNarrow={isNarrow(size)}
      />
      <KeyLine bindings={keysNow(state)} width={width} />
    </Box>
  );
}

interface BodyProps extends WizardScreenProps {
  readonly width: number;
  readonly height: number;
  readonly isNarrow: boolean;
}

function Body({ state, demo, width, height, isNarrow }: BodyProps) {
  const { view, log } = state;
  const whole = { width, height };
  if (view.kind === "help") {
    return (
      <HelpScreen
        title="Help"
        bindings={ALL_KEYS}
        notes={HELP_NOTES}
        scroll={view.offset}
        {...whole}
      />
    );
  }
  if (view.kind === "log") {
    const rows = logRows(log, width - 4);
    const offset = Math.max(0, rows.length - (height - 2) - view.offset);
    return (
      <RowPane
        title="Commands"
        rows={rows}
        offset={offset}
        {...whole}
        isFocused
      />
    );
  }
  const isAlone = isNarrow && view.kind !== "overview";
  const top = isAlone ? 0 : topRows(state, isNarrow);
  const hasLog = !isNarrow && height >= LOG_ROWS_MIN;
  const bottom = hasLog ? LOG_ROWS : 0;
  return (
    <>
      {top > 0 && (
        <TopPanes
          state={state}
          width={width}
          height={top}
          isNarrow={isNarrow}
        />
      )}
      <MiddlePane
        state={state}
        demo={demo}
        width={width}
        height={height - top - bottom}
      />
      {hasLog && <Bottom state={state} demo={demo} width={width} />}
    </>
  );
}

/** The end of the log; in a demo, its disks beside it. */
function Bottom({ state, width }: {
  readonly state: WizardState;
  readonly demo: DemoPane | null;
  readonly width: number;
}) {
  const rows = logRows(state.log, width - 4);
  return (
    <RowPane
      title="Commands"
      rows={rows}
      offset={Math.max(0, rows.length - (LOG_ROWS - 2))}
      width={width}
      height={LOG_ROWS}
    />
  );
}

/** What must be seen above all else. */
function noticeRows(state: WizardState, width: number) {
  const banner = bannerText(state);
  const rows = [
    ...banner === ""
      ? []
      : paragraph({ text: ` [!] ${banner}`, tone: "bad", width }),
    ...state.notice === ""
      ? []
      : paragraph({ text: ` ${state.notice}`, tone: "warn", width }),
  ];
  return rows.slice(0, NOTICE_ROWS_MAX);
}
