import { helpLines } from "../parts/help_lines.ts";
import { eventFacts, keyFacts, memberFacts } from "./details.ts";
import type { EventRow } from "./event_rows.ts";
import { factLines, type TextLine } from "./facts.ts";
import { issueLines } from "./issue_lines.ts";
import { type Issue, issuesText } from "./issues.ts";
import { ALL_BINDINGS, HELP_NOTES } from "./key_bindings.ts";
import type { KeyRow } from "./key_rows.ts";
import type { Seen } from "./seen.ts";
import {
  type RowIds,
  selectedRow,
  type View,
  type ViewState,
} from "./view_state.ts";

/** What fills the screen instead of the panes. */
export interface TextView {
  readonly title: string;
  readonly lines: readonly TextLine[];
}

export interface TextViewOptions {
  readonly view: Exclude<View, "panes">;
  readonly seen: Seen;
  readonly issues: readonly Issue[];
  readonly keys: readonly KeyRow[];
  readonly events: readonly EventRow[];
  readonly rows: RowIds;
  readonly state: ViewState;
  /** Of a line. */
  readonly width: number;
}

export function textViewOf(options: TextViewOptions): TextView {
  const { view, issues, width } = options;
  switch (view) {
    case "help":
      return {
        title: "Help",
        lines: helpLines(ALL_BINDINGS, HELP_NOTES, width),
      };
    case "issues":
      return {
        title: issuesText(issues),
        lines: issueLines(issues, width),
      };
    case "details":
      return detailsOf(options);
  }
}

/** Of a row that has gone meanwhile there is nothing to tell. */
function detailsOf(options: TextViewOptions): TextView {
  const { seen, keys, events, rows, state, width } = options;
  const { pane } = state;
  const id = rows[pane][selectedRow(state, rows)] ?? "";
  if (pane === "keys") {
    const row = keys.find((one) => one.id === id);
    const facts = row === undefined ? [] : keyFacts(row, seen);
    return { title: `Key ${id}`, lines: factLines(facts, width) };
  }
  if (pane === "events") {
    const row = events.find((one) => one.id === id);
    const facts = row === undefined ? [] : eventFacts(row);
    return { title: `Event ${id}`, lines: factLines(facts, width) };
  }
  const facts = memberFacts(seen, id);
  return { title: `Member ${id}`, lines: factLines(facts, width) };
}
