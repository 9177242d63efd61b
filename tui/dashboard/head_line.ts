import type { Span } from "../parts/line.tsx";
import { fitted, widthOf } from "../text.ts";
import { ageText } from "./amount.ts";
import { type Issue, issuesText } from "./issues.ts";
import type { Seen } from "./seen.ts";

const PHASES = ["capable", "storage envelope on", "raft envelope on"];
const CLUSTER_COLUMNS_MAX = 24;
const GAP = "   ";

/** Which cluster this is, who leads it, and how it does. */
export function headSpans(
  { seen, issues, width }: {
    readonly seen: Seen;
    readonly issues: readonly Issue[];
    readonly width: number;
  },
): readonly Span[] {
  const { status, silence } = seen;
  const end = silence === ""
    ? issuesSpan(issues)
    : silenceSpan(seen.nowMs - seen.atMs);
  const room = width - 1 - widthOf(GAP) - widthOf(end.text);
  const name = status.cluster || "(no name yet)";
  const cluster = widthOf(name) > CLUSTER_COLUMNS_MAX
    ? fitted(name, CLUSTER_COLUMNS_MAX)
    : name;
  const rest = restText(seen, room - widthOf(cluster));
  return [
    { text: ` ${cluster}`, tone: "strong" },
    { text: fitted(rest, room - widthOf(cluster)) },
    { text: `${GAP}${end.text}`, tone: end.tone ?? "plain" },
  ];
}

/** As much as there is room for; the leader stays. */
function restText({ status }: Seen, room: number): string {
  const { leader, term, phase } = status;
  const name = PHASES[phase];
  const words = (phaseText: string) =>
    ["", `leader ${leader || "(none)"}`, `term ${term}`, phaseText].join(GAP);
  const long = words(
    name === undefined ? `phase ${phase}` : `phase ${phase} (${name})`,
  );
  return widthOf(long) <= room ? long : words(`phase ${phase}`);
}

function issuesSpan(issues: readonly Issue[]): Span {
  const text = issuesText(issues);
  if (issues.length === 0) return { text, tone: "good" };
  const isWarned = issues.every(({ isWarning }) => isWarning);
  return { text: `${text} (i)`, tone: isWarned ? "warn" : "bad" };
}

function silenceSpan(sinceMs: number): Span {
  return { text: `NO ANSWER for ${ageText(sinceMs)} (i)`, tone: "bad" };
}
