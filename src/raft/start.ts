import { restoreConfig } from "./conf_switch.ts";
import { RaftStateMalformedError } from "./errors.ts";
import { voterIds } from "./membership.ts";
import { idText } from "./message.ts";
import type { RaftOptions } from "./options.ts";
import { becomeFollower } from "./roles.ts";
import { RaftState } from "./state.ts";
import { type HardState, type LogIndex, NO_MEMBER } from "./types.ts";

/**
 * Starts a member from what it stored.
 *
 * The commit index may have been stored before a checkpoint or the state
 * machine moved past it: what those hold was committed.
 *
 * @throws {RaftStateMalformedError} When the parts do not fit together.
 */
export function startRaft(options: RaftOptions): RaftState {
  const { storage, applied } = options;
  const stored = storage.initialState();
  const state = new RaftState(options);
  const { entryLog } = state;
  const commit = recoverCommit(options, stored.hardState);
  const config = options.confState ?? stored.confState;
  const refusal = restoreConfig(state, config);
  if (refusal !== null) {
    throw new RaftStateMalformedError("membership", "it must be one", refusal);
  }
  state.vote = stored.hardState.vote;
  state.term = stored.hardState.term;
  entryLog.commitTo(commit);
  if (applied > 0) entryLog.appliedTo(applied, 0);
  state.confIndex = entryLog.applied;
  becomeFollower(state, state.term, NO_MEMBER);
  state.log?.info?.(
    `newRaft ${idText(state.id)} [peers: ` +
      `[${voterIds(state.membership.config).map(idText).join(",")}], term: ` +
      `${state.term}, commit: ${entryLog.committed}, applied: ` +
      `${entryLog.applied}, lastindex: ${entryLog.lastIndex()}, lastterm: ` +
      `${entryLog.lastTerm()}]`,
  );
  return state;
}

function recoverCommit(options: RaftOptions, stored: HardState): LogIndex {
  const { storage, applied } = options;
  const base = storage.firstIndex() - 1;
  const last = storage.lastIndex();
  const snapshot = storage.snapshot()?.metadata.index ?? 0;
  if (applied !== 0 && applied < base) {
    throw new RaftStateMalformedError(
      "applied index",
      `the log starts after index ${base}`,
      applied,
    );
  }
  const commit = Math.max(stored.commit, base, snapshot, applied);
  if (commit > last) {
    throw new RaftStateMalformedError(
      "commit index",
      `the log ends at index ${last}`,
      commit,
    );
  }
  const lastTerm = storage.term(last);
  if (last > base && typeof lastTerm === "number" && stored.term < lastTerm) {
    throw new RaftStateMalformedError(
      "term",
      `the log's last entry has term ${lastTerm}`,
      stored.term,
    );
  }
  return commit;
}
