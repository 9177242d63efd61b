import {
  draftMessage,
  idText,
  type Message,
  MSG_TIMEOUT_NOW,
} from "./message.ts";
import { send } from "./outbox.ts";
import type { Progress } from "./progress.ts";
import { sendAppend } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER, type RaftId } from "./types.ts";

/**
 * Starts to hand leadership to the sender of `request`, the transferee.
 *
 * Proposals are refused until it leads, the transfer is given up after an
 * election timeout, or this leader steps down.
 *
 * Source: Raft dissertation §3.10.
 */
export function onTransferLeader(
  state: RaftState,
  request: Message,
  progress: Progress,
): void {
  const transferee = request.from;
  if (progress.isLearner || transferee === state.leadTransferee) return;
  state.leadTransferee = NO_MEMBER;
  if (transferee === state.id) return;
  const [own, heir] = [idText(state.id), idText(transferee)];
  state.log?.info?.(
    `${own} [term ${state.term}] starts to transfer leadership to ${heir}`,
  );
  // The transfer has one election timeout from here.
  state.electionElapsed = 0;
  state.leadTransferee = transferee;
  if (progress.match === state.entryLog.lastIndex()) {
    sendTimeoutNow(state, transferee);
    state.log?.info?.(
      `${own} sends MsgTimeoutNow to ${heir} immediately as ${heir} already ` +
        `has up-to-date log`,
    );
  } else {
    sendAppend(state, transferee);
  }
}

/** Finishes a transfer when the transferee has everything. */
export function onCaughtUp(
  state: RaftState,
  id: RaftId,
  progress: Progress,
): void {
  if (id !== state.leadTransferee) return;
  if (progress.match !== state.entryLog.lastIndex()) return;
  state.log?.info?.(
    `${idText(state.id)} sent MsgTimeoutNow to ${idText(id)} after received ` +
      `MsgAppResp`,
  );
  sendTimeoutNow(state, id);
}

function sendTimeoutNow(state: RaftState, to: RaftId): void {
  send(state, draftMessage(MSG_TIMEOUT_NOW, to));
}
