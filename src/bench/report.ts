import type { LatencyFigures } from "./latency.ts";
import type { Costs } from "./servers.ts";

/** One measured line of a bench: medians of its rounds. */
export interface BenchRow {
  readonly question: string;
  /** What was measured: "sealkv", or the peer's name and the way it was asked. */
  readonly system: string;
  readonly clients: number;
  readonly figures: LatencyFigures;
  /** Per request, all members together. */
  readonly costs?: Costs;
  /** Processors that the asking process kept busy. */
  readonly clientCores?: number | null;
}

/** Two systems at the same load, as ratios ours to theirs. */
export interface Comparison {
  readonly ours: string;
  readonly theirs: string;
  readonly clients: number;
  /** Of requests a second: median of the rounds, and each. */
  readonly perSecond: number;
  readonly perSecondOfRounds: readonly number[];
  /** Of the 99th percentile: below 1 is better than theirs. */
  readonly p99: number;
}

/** Everything a bench says, as its JSON line prints it. */
export interface BenchReport {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly BenchRow[];
  readonly comparisons?: readonly Comparison[];
  /** Counters worth a line of their own. */
  readonly notes: Readonly<Record<string, number>>;
  /** Single measurements behind the notes, by name. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
  /** What was left out or done otherwise, and why. */
  readonly remarks?: readonly string[];
}

/** Draws `report` as tables; latencies in ms. */
export function tableOf(report: BenchReport): string {
  const { bench, machine, rows, comparisons = [] } = report;
  const notes = Object.entries(report.notes).map(([name, value]) =>
    `${name}: ${Number(value.toFixed(2))}`
  );
  const samples = Object.entries(report.samples ?? {}).map(([name, values]) =>
    `${name}: ${values.map((value) => Math.round(value)).join(" ")}`
  );
  const parts = [
    [`${bench} on ${machine}`],
    rows.length === 0 ? [] : latencyTable(rows),
    rows.some(hasCosts) ? costTable(rows.filter(hasCosts)) : [],
    comparisons.length === 0 ? [] : comparisonTable(comparisons),
    notes,
    samples,
    report.remarks ?? [],
  ];
  return parts.filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n")).join("\n\n");
}

function latencyTable(rows: readonly BenchRow[]): string[] {
  return columns(
    2,
    ["question", "system", "clients", "ops/s", "p50", "p99", "p999"],
    rows.map(({ question, system, clients, figures }) => [
      question,
      system,
      String(clients),
      String(Math.round(figures.perSecond)),
      figures.p50Ms.toFixed(2),
      figures.p99Ms.toFixed(2),
      figures.p999Ms.toFixed(2),
    ]),
  );
}

function hasCosts({ costs, clientCores }: BenchRow): boolean {
  const known = [...Object.values(costs ?? {}), clientCores ?? null];
  return known.some((value) => value !== null);
}

/** Costs that nobody counts show as "-". */
function costTable(rows: readonly BenchRow[]): string[] {
  const cell = (value: number | null | undefined, digits: number) =>
    value === null || value === undefined ? "-" : value.toFixed(digits);
  return columns(
    1,
    [
      "per op, all members",
      "clients",
      "syncs",
      "log B",
      "peer B",
      "CPU us",
      "client cores",
    ],
    rows.map(({ system, clients, costs, clientCores }) => [
      system,
      String(clients),
      cell(costs?.syncs, 3),
      cell(costs?.logBytes, 0),
      cell(costs?.peerBytes, 0),
      cell(costs?.cpuMicroseconds, 0),
      cell(clientCores, 2),
    ]),
  );
}

function comparisonTable(comparisons: readonly Comparison[]): string[] {
  return columns(
    1,
    ["ours / theirs", "clients", "ops/s", "p99", "ops/s of rounds"],
    comparisons.map((comparison) => [
      `${comparison.ours} / ${comparison.theirs}`,
      String(comparison.clients),
      comparison.perSecond.toFixed(2),
      comparison.p99.toFixed(2),
      comparison.perSecondOfRounds.map((ratio) => ratio.toFixed(2)).join(" "),
    ]),
  );
}

/** Lines up cells: the first `left` columns to the left, numbers right. */
function columns(
  left: number,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] as string).length))
  );
  return lines.map((line) =>
    line.map((cell, column) => {
      const width = widths[column] as number;
      return column < left ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
}
