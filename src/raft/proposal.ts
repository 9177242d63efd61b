import { assert } from "../base/assert.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import {
  changeMode,
  type ConfChange,
  decodeConfChange,
  describeConfChange,
} from "./conf_change.ts";
import { planConfChange } from "./conf_switch.ts";
import { ConfChangeMalformedError } from "./errors.ts";
import { describeConfig, isJoint } from "./membership.ts";
import { idText } from "./message.ts";
import { appendOwn } from "./own_entries.ts";
import { broadcastAppend } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { type Entry, ENTRY_NORMAL, NO_MEMBER } from "./types.ts";

const NOTHING: Entry = Object.freeze({
  type: ENTRY_NORMAL,
  term: 0,
  index: 0,
  data: EMPTY_BYTES,
});

/**
 * Appends `entries` to the leader's log and sends them on.
 *
 * False when the leader cannot take them. True means no more than that they
 * are in its memory: the outcome is known when they are applied. A change of
 * membership that is not possible becomes an entry that says nothing.
 */
export function proposeEntries(
  state: RaftState,
  entries: readonly Entry[],
): boolean {
  assert(entries.length > 0, "a proposal has entries");
  if (!state.membership.progress.has(state.id)) return false;
  if (state.leadTransferee !== NO_MEMBER) {
    state.log?.debug?.(
      `${idText(state.id)} [term ${state.term}] transfer leadership to ` +
        `${idText(state.leadTransferee)} is in progress; dropping proposal`,
    );
    return false;
  }
  const vetted = vetEntries(state, entries);
  if (vetted === null || !appendOwn(state, vetted)) return false;
  broadcastAppend(state);
  return true;
}

/** `null` when a change is malformed: no entry of the proposal is taken. */
function vetEntries(
  state: RaftState,
  entries: readonly Entry[],
): readonly Entry[] | null {
  if (entries.every((entry) => entry.type === ENTRY_NORMAL)) return entries;
  const first = state.entryLog.lastIndex() + 1;
  const vetted: Entry[] = [];
  for (const entry of entries) {
    if (entry.type === ENTRY_NORMAL) {
      vetted.push(entry);
      continue;
    }
    const change = parseChange(entry);
    if (change === null) return null;
    const refusal = refusalOf(state, change);
    if (refusal === null) {
      state.pendingConfIndex = first + vetted.length;
      vetted.push(entry);
      continue;
    }
    state.log?.info?.(
      `${idText(state.id)} ignoring conf change ` +
        `${describeConfChange(change)} at config ` +
        `${describeConfig(state.membership.config)}: ${refusal}`,
    );
    vetted.push(NOTHING);
  }
  return vetted;
}

function parseChange(entry: Entry): ConfChange | null {
  try {
    return decodeConfChange(entry.type, entry.data);
  } catch (error) {
    if (error instanceof ConfChangeMalformedError) return null;
    throw error;
  }
}

/** Why the leader would not take `change` now; `null` when it would. */
export function refusalOf(state: RaftState, change: ConfChange): string | null {
  // Applied, it would fail on every member: refused whoever vouches for it.
  if (changeMode(change) === "none") {
    return "empty conf change cannot enter a joint state";
  }
  if (!state.options.vetConfChanges) return null;
  const { applied } = state.entryLog;
  if (state.pendingConfIndex > applied) {
    return `possible unapplied conf change at index ` +
      `${state.pendingConfIndex} (applied to ${applied})`;
  }
  const joint = isJoint(state.membership.config);
  const leaves = change.changes.length === 0;
  if (joint && !leaves) return "must transition out of joint config first";
  if (!joint && leaves) return "not in joint state; refusing empty conf change";
  const plan = planConfChange(state, change);
  return typeof plan === "string" ? plan : null;
}
