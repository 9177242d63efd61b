import type { Span } from "../parts/line.tsx";
import { fitted, widthOf } from "../text.ts";
import { ageText } from "./amount.ts";
import type { Seen } from "./seen.ts";

const PHASES = ["capable", "storage envelope on", "raft envelope on"];
const CLUSTER_COLUMNS_MAX = 24;
const GAP = "   ";

/** Which cluster this is, who leads it, and how it does. */
export function headSpans(
  { seen, issueCount, width }: {
    readonly seen: Seen;
    readonly issueCount: number;
    readonly width: number;
  },
): readonly Span[] {
  const { status, silence } = seen;
  const end = silence === ""
    ? issuesSpan(issueCount)
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

function issuesSpan(count: number): Span {
  if (count === 0) return { text: "all is well", tone: "good" };
  const text = count === 1 ? "1 issue (i)" : `${count} issues (i)`;
  return { text, tone: "bad" };
}

function silenceSpan(sinceMs: number): Span {
  return { text: `NO ANSWER for ${ageText(sinceMs)} (i)`, tone: "bad" };
}
