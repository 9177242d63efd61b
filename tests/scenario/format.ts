import {
  decodeConfChange,
  describeChanges,
} from "../../src/raft/conf_change.ts";
import {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  messageName,
} from "../../src/raft/message.ts";
import { quoteBytes } from "../../src/raft/quote.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type HardState,
  NO_MEMBER,
  type RaftId,
  type Snapshot,
} from "../../src/raft/types.ts";

const ENTRY_NAMES = [
  "EntryNormal",
  "EntryConfChange",
  "EntryConfChangeV2",
] as const;

/** What `formatReady` prints of a Ready; `null` when there is none. */
export interface PrintedReady {
  readonly mustSync: boolean;
  /** Text of `formatSoftState`. */
  readonly softState: string | null;
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
}

/** Text form of a message; `indent` goes before each of its lines. */
export function formatMessage(message: Message, indent = ""): string {
  const { entries, snapshot, responses } = message;
  let text = `${indent}${formatTarget(message.from)}->` +
    `${formatTarget(message.to)} ${messageName(message.type)}` +
    ` Term:${message.term} Log:${message.logTerm}/${message.index}`;
  if (message.reject) text += ` Rejected (Hint: ${message.rejectHint})`;
  if (message.commit !== 0) text += ` Commit:${message.commit}`;
  if (message.vote !== NO_MEMBER) text += ` Vote:${message.vote}`;
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    text += ` Entries:[${formatEntry(only)}]`;
  } else if (entries.length > 1) {
    text += " Entries:[";
    for (const entry of entries) text += `\n${indent}  ${formatEntry(entry)}`;
    text += `\n${indent}]`;
  }
  if (snapshot !== null && snapshot.metadata.index !== 0) {
    text += `\n${indent}  Snapshot: ${formatSnapshot(snapshot)}`;
  }
  if (responses.length > 0) {
    text += " Responses:[";
    for (const response of responses) {
      text += `\n${formatMessage(response, `${indent}  `)}`;
    }
    text += `\n${indent}]`;
  }
  return text;
}

/** `term/index Type data`. */
export function formatEntry(entry: Entry): string {
  const head = `${entry.term}/${entry.index} ${ENTRY_NAMES[entry.type]}`;
  const data = entry.type === ENTRY_NORMAL
    ? quoteBytes(entry.data)
    : describeChanges(decodeConfChange(entry.type, entry.data).changes);
  return data === "" ? head : `${head} ${data}`;
}

/** `Term:1 Vote:2 Commit:3`; no vote is left out. */
export function formatHardState(state: HardState): string {
  const vote = state.vote === NO_MEMBER ? "" : ` Vote:${state.vote}`;
  return `Term:${state.term}${vote} Commit:${state.commit}`;
}

/** `Lead:1 State:StateLeader`; the state by its printed name. */
export function formatSoftState(lead: RaftId, stateName: string): string {
  return `Lead:${lead} State:${stateName}`;
}

/** All five fields, always. */
export function formatConfState(state: ConfState): string {
  const list = (ids: readonly RaftId[]) => `[${ids.join(" ")}]`;
  return `Voters:${list(state.voters)}` +
    ` VotersOutgoing:${list(state.votersOutgoing)}` +
    ` Learners:${list(state.learners)}` +
    ` LearnersNext:${list(state.learnersNext)}` +
    ` AutoLeave:${state.autoLeave}`;
}

/** `Index:1 Term:2 ConfState:…`. */
export function formatSnapshot({ metadata }: Snapshot): string {
  return `Index:${metadata.index} Term:${metadata.term}` +
    ` ConfState:${formatConfState(metadata.confState)}`;
}

/** A Ready, each part on its own lines; `<empty Ready>` when there is none. */
export function formatReady(ready: PrintedReady): string {
  let text = "";
  if (ready.softState !== null) text += `${ready.softState}\n`;
  if (ready.hardState !== null) {
    text += `HardState ${formatHardState(ready.hardState)}\n`;
  }
  text += formatEntries("Entries", ready.entries);
  if (ready.snapshot !== null) {
    text += `Snapshot ${formatSnapshot(ready.snapshot)}\n`;
  }
  text += formatEntries("CommittedEntries", ready.committedEntries);
  if (ready.messages.length > 0) {
    text += "Messages:\n";
    for (const message of ready.messages) text += `${formatMessage(message)}\n`;
  }
  return text === ""
    ? "<empty Ready>"
    : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

/** Puts two spaces before each line and ends each with a newline. */
export function indentLines(text: string): string {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `  ${line}\n`).join("");
}

function formatEntries(title: string, entries: readonly Entry[]): string {
  if (entries.length === 0) return "";
  return `${title}:\n` +
    entries.map((entry) => `${formatEntry(entry)}\n`).join("");
}

function formatTarget(id: RaftId): string {
  switch (id) {
    case NO_MEMBER:
      return "None";
    case LOCAL_APPEND_THREAD:
      return "AppendThread";
    case LOCAL_APPLY_THREAD:
      return "ApplyThread";
    default:
      return id.toString(16);
  }
}
