import { widthOf } from "../text.ts";
import { spanText } from "./amount.ts";
import type { Row } from "./paragraph.ts";
import { ageMsOf, isFresh, type WizardState } from "./state.ts";

const PHASES = ["cleartext", "values sealed", "values and log sealed"];

/** The cluster, who leads it, and whether what is shown is true now. */
export function headRow(state: WizardState, width: number): Row {
  const { seen } = state;
  if (seen === null) return [{ text: " sealkv rollout" }];
  const { cluster, leader, term, phase } = seen.plan;
  const name = ` ${cluster || "(no name yet)"}`;
  const leads = leader === "" ? "NO LEADER" : `leader ${leader}`;
  const words = width < 90
    ? `  phase ${phase}  ${leads}, term ${term}`
    : `  phase ${phase}: ${PHASES[phase] ?? "unknown"}  ${leads}, term ${term}`;
  const age = ageText(state);
  const gap = width - widthOf(name) - widthOf(words) - widthOf(age) - 1;
  return [
    { text: name, tone: "strong" },
    { text: words, tone: leader === "" ? "bad" : "plain" },
    { text: " ".repeat(Math.max(1, gap)) },
    {
      text: age,
      tone: isFresh(state) && state.failure === null ? "good" : "bad",
    },
  ];
}

function ageText(state: WizardState): string {
  const { seen, failure, isReadOnly } = state;
  if (seen === null) return "";
  if (failure !== null || !isFresh(state)) {
    return `NO ANSWER, ${spanText(ageMsOf(state))} old`;
  }
  return isReadOnly ? "read-only, live" : "live";
}

/** Something that everybody must see, above all else; "" for nothing. */
export function bannerText(state: WizardState): string {
  const { seen, failure } = state;
  if (failure !== null) {
    return `No answer: ${failure.message}. What is shown is old.`;
  }
  if (seen === null) return "";
  if (!isFresh(state)) return "No answer. What is shown is old.";
  const down = seen.snapshot.status.members.filter(({ up }) => !up);
  if (down.length === 0) return "";
  const names = down.map(({ name }) => name).join(", ");
  const verb = down.length === 1 ? "does" : "do";
  return `${names} ${verb} not answer. What is committed is applied there later; do not reinstall it.`;
}
