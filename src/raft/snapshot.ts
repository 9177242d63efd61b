import { forgetMembers, restoreConfig } from "./conf_switch.ts";
import { RaftStateMalformedError } from "./errors.ts";
import { draftMessage, idText, type Message, MSG_APP_RESP } from "./message.ts";
import { send } from "./outbox.ts";
import type { RaftState } from "./state.ts";
import type { ConfState, RaftId, Snapshot } from "./types.ts";

/** Takes a checkpoint from the leader; answers how far the log reaches. */
export function onSnapshot(state: RaftState, message: Message): void {
  const { snapshot } = message;
  if (snapshot === null) return;
  const { index, term } = snapshot.metadata;
  const restored = restore(state, snapshot);
  const { committed } = state.entryLog;
  state.log?.info?.(
    `${idText(state.id)} [commit: ${committed}] ` +
      `${restored ? "restored" : "ignored"} snapshot [index: ${index}, term: ` +
      `${term}]`,
  );
  const response = draftMessage(MSG_APP_RESP, message.from);
  response.index = restored ? state.entryLog.lastIndex() : committed;
  send(state, response);
}

/**
 * Restarts log and membership at `snapshot`; false when there is no need to.
 *
 * The membership switches at once, before anything is durable: the pending
 * checkpoint keeps this member from campaigning and applying meanwhile.
 */
function restore(state: RaftState, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  const { entryLog } = state;
  const own = idText(state.id);
  if (index <= entryLog.committed) return false;
  if (!isMember(confState, state.id)) {
    state.log?.warn?.(
      `${own} attempted to restore snapshot but it is not in the ConfState`,
    );
    return false;
  }
  if (entryLog.matchTerm(index, term)) {
    state.log?.info?.(
      `${own} ${logPosition(state)} fast-forwarded commit to snapshot ` +
        `[index: ${index}, term: ${term}]`,
    );
    entryLog.commitTo(index);
    return false;
  }
  entryLog.restore(snapshot);
  forgetMembers(state);
  const refusal = restoreConfig(state, confState);
  if (refusal !== null) {
    throw new RaftStateMalformedError("membership", "it must be one", refusal);
  }
  state.confIndex = index;
  state.log?.info?.(
    `${own} ${logPosition(state)} restored snapshot [index: ${index}, term: ` +
      `${term}]`,
  );
  return true;
}

function logPosition({ entryLog }: RaftState): string {
  return `[commit: ${entryLog.committed}, lastindex: ` +
    `${entryLog.lastIndex()}, lastterm: ${entryLog.lastTerm()}]`;
}

/** Who is to become a learner is a voter of the outgoing half as well. */
function isMember(config: ConfState, id: RaftId): boolean {
  return config.voters.includes(id) || config.votersOutgoing.includes(id) ||
    config.learners.includes(id);
}
