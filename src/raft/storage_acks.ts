import { encodeConfChange, LEAVE_JOINT } from "./conf_change.ts";
import { encodingSizeOf } from "./entry_size.ts";
import { describeConfig } from "./membership.ts";
import type { Message } from "./message.ts";
import { creditOwn } from "./own_entries.ts";
import { proposeEntries } from "./proposal.ts";
import type { RaftState } from "./state.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  type LogIndex,
  type Snapshot,
} from "./types.ts";

const LEAVE_ENTRY: Entry = {
  type: ENTRY_CONF_CHANGE_V2,
  term: 0,
  index: 0,
  data: encodeConfChange(LEAVE_JOINT),
};

/** Takes the log writer's answer: what is up to (index, logTerm) is durable. */
export function onStorageAppended(state: RaftState, message: Message): void {
  if (message.index !== 0) {
    state.entryLog.unstable.stableTo(message.index, message.logTerm);
  }
  if (message.snapshot !== null) onSnapshotInstalled(state, message.snapshot);
}

/** Takes note that `snapshot` is durable and applied. */
export function onSnapshotInstalled(
  state: RaftState,
  snapshot: Snapshot,
): void {
  const { index } = snapshot.metadata;
  state.entryLog.unstable.stableSnapshotTo(index);
  appliedTo(state, index, 0);
}

/** Takes the applier's answer: its entries are applied. */
export function onStorageApplied(state: RaftState, message: Message): void {
  const { entries } = message;
  const last = entries.at(-1);
  if (last === undefined) return;
  appliedTo(state, last.index, encodingSizeOf(entries));
  creditOwn(state, entries);
}

/**
 * Moves the applied index, which may lag behind a checkpoint's.
 *
 * A leader whose joint membership is applied proposes to leave it; refused, it
 * proposes again at the next call.
 */
function appliedTo(state: RaftState, index: LogIndex, bytes: number): void {
  const applied = Math.max(index, state.entryLog.applied);
  state.entryLog.appliedTo(applied, bytes);
  const { config } = state.membership;
  if (
    !config.autoLeave || state.role !== "leader" ||
    applied < state.pendingConfIndex
  ) return;
  if (proposeEntries(state, [LEAVE_ENTRY])) {
    state.log?.info?.(
      `initiating automatic transition out of joint configuration ` +
        `${describeConfig(config)}`,
    );
  }
}
