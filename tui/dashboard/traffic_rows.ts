import { sizeText } from "../../src/base/size.ts";
import { latencyText, rateText } from "./amount.ts";
import { type Course, newest } from "./history.ts";
import { quantileText } from "./member_rows.ts";
import type { Rates } from "./rates.ts";

/** One figure and its course. */
export interface TrafficRow {
  /** At most 10 characters. */
  readonly label: string;
  /** At most 10 characters; "-" when it is not known. */
  readonly now: string;
  /** Of what the course keeps; "" for nothing. */
  readonly peak: string;
  /** Newest last; `null` for a gap. */
  readonly values: readonly (number | null)[];
}

interface Figure {
  readonly label: string;
  of(rates: Rates): number | null;
  text(value: number): string;
}

/** What a small pane shows comes first. */
const FIGURES: readonly Figure[] = [
  {
    label: "requests",
    of: ({ requests }) => requests,
    text: (value) => `${rateText(value)}/s`,
  },
  { label: "p50", of: ({ p50 }) => p50?.ms ?? null, text: latencyText },
  { label: "p99", of: ({ p99 }) => p99?.ms ?? null, text: latencyText },
  {
    label: "log bytes",
    of: ({ walBytes }) => walBytes,
    text: (value) => `${sizeText(value)}/s`,
  },
  {
    label: "log syncs",
    of: ({ walSyncs }) => walSyncs,
    text: (value) => `${rateText(value)}/s`,
  },
  {
    label: "proposals",
    of: ({ proposals }) => proposals,
    text: (value) => `${rateText(value)}/s`,
  },
];

export const TRAFFIC_ROWS_MAX = FIGURES.length;

/** At most as many as there is room for. */
export function trafficRows(
  course: Course,
  count: number,
): readonly TrafficRow[] {
  return FIGURES.slice(0, count).map((figure) => {
    const values = course.map((rates) =>
      rates === null ? null : figure.of(rates)
    );
    const known = values.filter((value) => value !== null);
    const peak = Math.max(...known);
    return {
      label: figure.label,
      now: nowText(figure, newest(course)),
      peak: known.length === 0 ? "" : figure.text(peak),
      values,
    };
  });
}

function nowText(figure: Figure, rates: Rates | null): string {
  if (rates === null) return "-";
  // A latency beyond all bounds says so.
  if (figure.label === "p50") return quantileText(rates.p50);
  if (figure.label === "p99") return quantileText(rates.p99);
  const value = figure.of(rates);
  return value === null ? "-" : figure.text(value);
}
