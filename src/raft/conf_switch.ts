import { advanceCommit } from "./commit.ts";
import { type ConfChange, decodeConfChange } from "./conf_change.ts";
import { Changer, restoreMembership } from "./changer.ts";
import {
  describeConfig,
  isVoter,
  type Membership,
  NO_MEMBERSHIP,
} from "./membership.ts";
import { idText } from "./message.ts";
import { sendEntries } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import type { RaftState } from "./state.ts";
import { type ConfState, type Entry, NO_MEMBER } from "./types.ts";

/**
 * Membership that `change` leads to, or why there is none.
 *
 * The same on every member at the same index.
 */
export function planConfChange(
  state: RaftState,
  change: ConfChange,
): Membership | string {
  return new Changer(state.membership, changerOptions(state)).apply(change);
}

/**
 * Switches to the membership that the applied `entry` asks for.
 *
 * Entries at or below the one the membership comes from do nothing: a
 * checkpoint may have overtaken them. A change that cannot be does nothing on
 * any member; failing would stop all of them at the same entry for ever.
 *
 * @throws {ConfChangeMalformedError} When the entry's data is not a change.
 */
export function applyConfChange(state: RaftState, entry: Entry): ConfState {
  const { index, type, data } = entry;
  if (index <= state.confIndex) return state.membership.config;
  const change = decodeConfChange(type, data);
  state.confIndex = index;
  const next = planConfChange(state, change);
  if (typeof next === "string") {
    state.log?.error?.(
      `${idText(state.id)} cannot apply conf change at index ${index} at ` +
        `config ${describeConfig(state.membership.config)}: ${next}`,
    );
    return state.membership.config;
  }
  if (next === state.membership) return next.config;
  switchMembership(state, next);
  return next.config;
}

/** Membership after `entry` at `config`: what to store with the entry. */
export function confStateAfter(config: ConfState, entry: Entry): ConfState {
  const options = { lastIndex: 0, inflights: { countMax: 1, bytesMax: 0 } };
  const change = decodeConfChange(entry.type, entry.data);
  const membership = restoreMembership(config, options);
  if (typeof membership === "string") return config;
  const next = new Changer(membership, options).apply(change);
  return typeof next === "string" ? config : next.config;
}

/**
 * Replaces the membership by the one of a checkpoint; a text when it cannot be.
 */
export function restoreConfig(
  state: RaftState,
  config: ConfState,
): string | null {
  const next = restoreMembership(config, changerOptions(state));
  if (typeof next === "string") return next;
  switchMembership(state, next);
  return null;
}

/** Switches to `next` and does what follows from it. */
function switchMembership(state: RaftState, next: Membership): void {
  state.membership = next;
  const { config } = next;
  state.log?.info?.(
    `${idText(state.id)} switched to configuration ${describeConfig(config)}`,
  );
  const own = next.progress.get(state.id);
  state.isLearner = own?.isLearner === true;
  if (state.role !== "leader") return;
  for (const id of state.fetches.keys()) {
    if (!next.progress.has(id)) state.fetches.delete(id);
  }
  if (own === undefined || state.isLearner) {
    // Else it would lead on without ever committing by its own count.
    if (state.options.stepDownOnRemoval) {
      becomeFollower(state, state.term, NO_MEMBER);
    }
    return;
  }
  if (config.voters.length === 0) return;
  // Fewer voters may already hold what more of them did not.
  if (!advanceCommit(state)) {
    for (const id of next.progress.keys()) {
      if (id !== state.id) sendEntries(state, id);
    }
  }
  if (!isVoter(config, state.leadTransferee)) {
    state.leadTransferee = NO_MEMBER;
  }
}

function changerOptions(state: RaftState) {
  const { inflightCountMax, inflightBytesMax } = state.options;
  return {
    lastIndex: state.entryLog.lastIndex(),
    inflights: { countMax: inflightCountMax, bytesMax: inflightBytesMax },
  };
}

/** Forgets all members, before a checkpoint names them. */
export function forgetMembers(state: RaftState): void {
  state.membership = NO_MEMBERSHIP;
}
