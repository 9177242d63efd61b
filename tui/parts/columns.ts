import type { Tone } from "../look.ts";
import { widthOf } from "../text.ts";

/** What stands in one cell of a table. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** One column of a table of `Row`s. */
export interface Column<Row> {
  readonly title: string;
  /** Columns of the highest number go first when there is no room; 0 stays. */
  readonly priority: number;
  /** Numbers go right. */
  readonly align?: "left" | "right";
  /** Longer texts are cut; never set it for numbers. */
  readonly widthMax?: number;
  cell(row: Row): Cell | string;
}

/** A column that is shown, with its texts and width. */
export interface FittedColumn {
  readonly title: string;
  readonly align: "left" | "right";
  readonly width: number;
  /** One for each row. */
  readonly cells: readonly Cell[];
}

const GAP = 2;

/** Columns that fit into `width`, in their order, as wide as they need. */
export function fitColumns<Row>(
  columns: readonly Column<Row>[],
  { rows, width }: { readonly rows: readonly Row[]; readonly width: number },
): readonly FittedColumn[] {
  let shown = columns.map((column) => ({
    column,
    fitted: fittedColumn(column, rows),
  }));
  while (totalOf(shown.map(({ fitted }) => fitted)) > width) {
    const worst = Math.max(...shown.map(({ column }) => column.priority));
    if (worst <= 0) break;
    const at = shown.findLastIndex(({ column }) => column.priority === worst);
    shown = shown.toSpliced(at, 1);
  }
  return shown.map(({ fitted }) => fitted);
}

function fittedColumn<Row>(
  column: Column<Row>,
  rows: readonly Row[],
): FittedColumn {
  const cells = rows.map((row) => {
    const cell = column.cell(row);
    return typeof cell === "string" ? { text: cell } : cell;
  });
  const widths = [column.title, ...cells.map(({ text }) => text)].map(widthOf);
  const width = Math.min(Math.max(...widths), column.widthMax ?? Infinity);
  return { title: column.title, align: column.align ?? "left", width, cells };
}

function totalOf(columns: readonly FittedColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) +
    GAP * Math.max(0, columns.length - 1);
}
