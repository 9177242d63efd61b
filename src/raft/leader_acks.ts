import { advanceCommit } from "./commit.ts";
import { idText, type Message } from "./message.ts";
import type { Progress } from "./progress.ts";
import { onReadAck } from "./read_index.ts";
import { sendAppend, sendEntries } from "./replication.ts";
import type { RaftState } from "./state.ts";
import { onCaughtUp } from "./transfer.ts";

/** Takes an answer to an append, from a member or from our own disk. */
export function onAppendResponse(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  progress.recentActive = true;
  if (message.reject) onRejection(state, message, progress);
  else onAcknowledged(state, message, progress);
}

/** Moves back to where the logs may meet, and tries there. */
function onRejection(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  const { from, index, rejectHint, logTerm } = message;
  const [own, peer] = [idText(state.id), idText(from)];
  state.log?.debug?.(
    `${own} received MsgAppResp(rejected, hint: (index ${rejectHint}, term ` +
      `${logTerm})) from ${peer} for index ${index}`,
  );
  // Where our term is above the member's, its log cannot hold ours.
  const hint = logTerm > 0
    ? state.entryLog.findConflictByTerm(rejectHint, logTerm).index
    : rejectHint;
  if (!progress.maybeDecrement(index, hint)) return;
  state.log?.debug?.(
    `${own} decreased progress of ${peer} to [${progress.describe()}]`,
  );
  if (progress.state === "replicate") progress.becomeProbe();
  sendAppend(state, from);
}

function onAcknowledged(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  const { from, index } = message;
  // No member can hold more of our log than we do.
  if (index > state.entryLog.lastIndex()) return;
  const recovers = progress.match === index && progress.state === "probe";
  if (!progress.maybeUpdate(index) && !recovers) return;
  switchState(state, message, progress);
  const isSelf = from === state.id;
  if (
    !advanceCommit(state) && !isSelf &&
    progress.canBumpCommit(state.entryLog.committed)
  ) {
    sendAppend(state, from);
  }
  // One message may have freed room for many.
  while (!isSelf && sendEntries(state, from));
  onCaughtUp(state, from, progress);
}

function switchState(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  switch (progress.state) {
    case "probe":
      progress.becomeReplicate();
      return;
    case "replicate":
      progress.inflights.freeUpTo(message.index);
      return;
    case "snapshot":
      // Whichever checkpoint arrived: it reaches our log, that is enough.
      if (progress.match + 1 < state.entryLog.firstIndex()) return;
      state.log?.debug?.(
        `${idText(state.id)} recovered from needing snapshot, resumed ` +
          `sending replication messages to ${idText(message.from)} ` +
          `[${progress.describe()}]`,
      );
      progress.becomeProbe();
      progress.becomeReplicate();
  }
}

/** Takes an answer to a heartbeat: the member is there and may be behind. */
export function onHeartbeatResponse(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  progress.recentActive = true;
  progress.appendsPaused = false;
  if (
    progress.match < state.entryLog.lastIndex() || progress.state === "probe"
  ) {
    sendAppend(state, message.from);
  }
  onReadAck(state, message.from, message.context);
}

/** Takes a report about a checkpoint; waits for a sign of life either way. */
export function onSnapshotStatus(
  progress: Progress,
  { failed }: { readonly failed: boolean },
): void {
  if (progress.state !== "snapshot") return;
  if (failed) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  progress.appendsPaused = true;
}

/** Takes a report that a message got lost: stops to stream. */
export function onUnreachable(
  state: RaftState,
  message: Message,
  progress: Progress,
): void {
  if (progress.state === "replicate") progress.becomeProbe();
  state.log?.debug?.(
    `${idText(state.id)} failed to send message to ${idText(message.from)} ` +
      `because it is unreachable [${progress.describe()}]`,
  );
}
