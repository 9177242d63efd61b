import { Box } from "ink";
import { fitted } from "../text.ts";
import { type Column, fitColumns, type FittedColumn } from "./columns.ts";
import { Line, type Span, type TextLine } from "./line.tsx";
import { windowOf } from "./window.ts";

export interface TableProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly width: number;
  /** Lines, the titles included; the rows around the chosen one are shown. */
  readonly height: number;
  /** Row under the cursor, marked `>`; absent where nothing can be chosen. */
  readonly chosen?: number;
  /** False for rows that need no titles; true when absent. */
  readonly isTitled?: boolean;
}

/** Rows under their titles; what has no room goes by priority of columns. */
export function Table<Row>(props: TableProps<Row>) {
  const { width } = props;
  return (
    <Box flexDirection="column" flexShrink={0} width={width}>
      {tableLines(props).map((spans, at) => (
        <Line key={at} width={width} spans={spans} />
      ))}
    </Box>
  );
}

/** The same, for what is not drawn by ink's boxes. */
export function tableLines<Row>(
  { columns, rows, width, height, chosen, isTitled = true }: TableProps<Row>,
): readonly TextLine[] {
  const canChoose = chosen !== undefined;
  const fit = fitColumns(columns, { rows, width: width - (canChoose ? 2 : 0) });
  const { from, until } = windowOf({
    count: rows.length,
    height: isTitled ? height - 1 : height,
    at: chosen ?? 0,
  });
  const titles = `${canChoose ? "  " : ""}${titlesOf(fit)}`;
  const head: readonly TextLine[] = isTitled
    ? [[{ text: titles, tone: "dim" }]]
    : [];
  const shown = rows.slice(from, until).map((_, index) => index + from);
  return [
    ...head,
    ...shown.map((row) => [
      { text: !canChoose ? "" : row === chosen ? "> " : "  " },
      ...spansOf(fit, row),
    ]),
  ];
}

function titlesOf(columns: readonly FittedColumn[]): string {
  return columns.map(({ title, width, align }) => fitted(title, width, align))
    .join("  ");
}

function spansOf(columns: readonly FittedColumn[], row: number): Span[] {
  return columns.flatMap(({ cells, width, align }, index) => {
    const cell = cells[row] ?? { text: "" };
    const gap = index === 0 ? [] : [{ text: "  " }];
    return [...gap, { ...cell, text: fitted(cell.text, width, align) }];
  });
}
