import type { LatencyFigures } from "./latency.ts";

/** One measured line of a bench. */
export interface BenchRow {
  readonly question: string;
  /** What was measured: "sealkv" or the peer's name. */
  readonly system: string;
  readonly clients: number;
  readonly figures: LatencyFigures;
}

/** Everything a bench says, as its JSON line prints it. */
export interface BenchReport {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly BenchRow[];
  /** Ratios and counters worth a line of their own. */
  readonly notes: Readonly<Record<string, number>>;
}

const HEADER = ["question", "system", "clients", "ops/s", "p50", "p99", "p999"];

/** Draws `report` as a table; latencies in ms. */
export function tableOf(report: BenchReport): string {
  const lines = [
    HEADER,
    ...report.rows.map(({ question, system, clients, figures }) => [
      question,
      system,
      String(clients),
      String(Math.round(figures.perSecond)),
      figures.p50Ms.toFixed(2),
      figures.p99Ms.toFixed(2),
      figures.p999Ms.toFixed(2),
    ]),
  ];
  const widths = HEADER.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] as string).length))
  );
  const drawn = lines.map((line) =>
    line.map((cell, column) => {
      const width = widths[column] as number;
      return column < 2 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
  const notes = Object.entries(report.notes).map(([name, value]) =>
    `${name}: ${Number(value.toFixed(2))}`
  );
  return [`${report.bench} on ${report.machine}`, "", ...drawn, "", ...notes]
    .join("\n").trimEnd();
}
