import { Line, type Span } from "./line.tsx";
import { Pane } from "./pane.tsx";

export interface LogPaneProps {
  readonly title: string;
  /** Oldest first. */
  readonly lines: readonly (string | readonly Span[])[];
  /** Lines below the last one shown; 0 follows the end. */
  readonly scroll?: number;
  /** Borders included. */
  readonly width: number;
  readonly height: number;
  readonly isFocused?: boolean;
}

/** The end of a log, or what lies `scroll` lines above it. */
export function LogPane(props: LogPaneProps) {
  const { title, lines, scroll = 0, width, height, isFocused = false } = props;
  const room = Math.max(0, height - 2);
  const hidden = Math.min(scroll, Math.max(0, lines.length - room));
  const until = lines.length - hidden;
  const from = Math.max(0, until - room);
  return (
    <Pane
      title={title}
      width={width}
      height={height}
      isFocused={isFocused}
      {...(hidden > 0 ? { note: `${hidden} below` } : {})}
    >
      {lines.slice(from, until).map((line, index) => (
        <Line key={from + index} width={width - 4} spans={line} />
      ))}
    </Pane>
  );
}
