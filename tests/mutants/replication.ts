import type { Mutant } from "./mutant.ts";

/** Mutants of the log, replication and commit. */
export const REPLICATION: readonly Mutant[] = [
  {
    name: "heartbeat commits beyond the match",
    file: "replication.ts",
    find: "message.commit = Math.min(progress.match, committed);",
    replace: "message.commit = committed;",
  },
  {
    name: "follower commits beyond what is proven",
    file: "log.ts",
    find: "this.commitTo(Math.min(commit, last));",
    replace: "this.commitTo(Math.min(commit, this.lastIndex()));",
  },
  {
    name: "append truncates without a conflict",
    file: "log.ts",
    find: "const conflict = this.#findConflict(entries);",
    replace: "const conflict = entries[0]?.index ?? 0;",
  },
  {
    name: "append below the commit goes on",
    file: "follower.ts",
    find: "if (index < entryLog.committed) {",
    replace: "if (index < 0) {",
  },
  {
    name: "leader ignores the term of a hint",
    file: "leader_acks.ts",
    find: "const hint = logTerm > 0",
    replace: "const hint = logTerm < 0",
  },
  {
    name: "follower gives no hint",
    file: "follower.ts",
    find:
      "  response.rejectHint = hint.index;\n  response.logTerm = hint.term;",
    replace:
      "  response.rejectHint = Math.min(index, entryLog.lastIndex());\n" +
      "  response.logTerm = hint.term * 0;",
  },
  {
    name: "next falls below what matches",
    file: "progress.ts",
    find: "this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);",
    replace: "this.next = Math.max(Math.min(rejected, hint + 1), 1);",
  },
  {
    name: "stale refusal counts while streaming",
    file: "progress.ts",
    find: "if (rejected <= this.match) return false;",
    replace: "",
  },
  {
    name: "stale refusal counts while probing",
    file: "progress.ts",
    find: "if (this.next - 1 !== rejected) return false;",
    replace: "",
  },
  {
    name: "answer to a heartbeat does not resume appends",
    file: "leader_acks.ts",
    find: "  progress.recentActive = true;\n  progress.appendsPaused = false;",
    replace: "  progress.recentActive = true;",
  },
  {
    name: "answer to a heartbeat sends nothing",
    file: "leader_acks.ts",
    find: "    sendAppend(state, message.from);\n  }\n  onReadAck",
    replace: "  }\n  onReadAck",
  },
  {
    name: "full window is not probed",
    file: "replication.ts",
    find: "if (progress === undefined || progress.isPaused()) return false;",
    replace: "if (progress === undefined || progress.isPaused() || (" +
      'progress.state === "replicate" && progress.inflights.isFull()' +
      ")) return false;",
  },
  {
    name: "full window is not respected",
    file: "replication.ts",
    find:
      'if (progress.state === "replicate" && progress.inflights.isFull()) {',
    replace: 'if (progress.state === "snapshot") {',
  },
  {
    name: "equal match does not end probing",
    file: "leader_acks.ts",
    find: "const recovers = progress.match === index && " +
      'progress.state === "probe";',
    replace: "const recovers = progress.match > index;",
  },
  {
    name: "checkpoint state ends only at the pending index",
    file: "leader_acks.ts",
    find: "if (progress.match + 1 < state.entryLog.firstIndex()) return;",
    replace: "if (progress.match < progress.pendingSnapshot) return;",
  },
  {
    name: "checkpoint state ends too early",
    file: "leader_acks.ts",
    find:
      "      if (progress.match + 1 < state.entryLog.firstIndex()) return;\n",
    replace: "",
  },
  {
    name: "checkpoint is sent to who does not answer",
    file: "replication.ts",
    find: "  if (!progress.recentActive) return false;\n",
    replace: "",
  },
  {
    name: "lagging member is not told the commit",
    file: "leader_acks.ts",
    find: "    sendAppend(state, from);\n  }\n  // One message",
    replace: "  }\n  // One message",
  },
  {
    name: "commit is told although it was",
    file: "progress.ts",
    find: "return index > this.sentCommit && this.sentCommit < this.next - 1;",
    replace: "return index > 0;",
  },
  {
    name: "nothing more is sent after an answer",
    file: "leader_acks.ts",
    find: "  while (!isSelf && sendEntries(state, from));\n",
    replace: "",
  },
  {
    name: "commit is not broadcast",
    file: "commit.ts",
    find: "  broadcastAppend(state);\n  return true;",
    replace: "  return true;",
  },
  {
    name: "commit needs one member less",
    file: "quorum.ts",
    find: "return acked[acked.length - majorityOf(acked.length)] ?? 0;",
    replace: "return acked[acked.length - majorityOf(acked.length) + " +
      "(acked.length > 1 ? 1 : 0)] ?? 0;",
  },
  {
    name: "vote needs one member less",
    file: "quorum.ts",
    find: "return Math.floor(count / 2) + 1;",
    replace: "return Math.max(1, Math.floor(count / 2));",
  },
  {
    name: "joint commit takes the better half",
    file: "quorum.ts",
    find: "return Math.min(incoming, majorityIndex(",
    replace: "return Math.max(incoming, majorityIndex(",
  },
  {
    name: "joint vote takes either half",
    file: "quorum.ts",
    find: 'return incoming === "lost" || outgoing === "lost" ? ' +
      '"lost" : "pending";',
    replace: 'return incoming === "won" || outgoing === "won" ? ' +
      '"won" : "pending";',
  },
  {
    name: "joint vote of a lost and an open half is open",
    file: "quorum.ts",
    find: 'return incoming === "lost" || outgoing === "lost" ? ' +
      '"lost" : "pending";',
    replace: 'return incoming === "lost" && outgoing === "lost" ? ' +
      '"lost" : "pending";',
  },
  {
    name: "outsiders' votes count",
    file: "quorum.ts",
    find: "  let missing = 0;\n",
    replace: "  let missing = 0;\n" +
      "  for (const [id, vote] of votes) {\n" +
      "    if (vote && !ids.includes(id)) granted += 1;\n  }\n",
  },
  {
    name: "leader acknowledges itself at once",
    file: "own_entries.ts",
    find: "  send(state, ack);\n",
    replace: "  state.ownProgress().maybeUpdate(ack.index);\n" +
      "  send(state, ack);\n",
  },
  {
    name: "unreachable member is streamed to",
    file: "leader_acks.ts",
    find: '  if (progress.state === "replicate") progress.becomeProbe();\n' +
      "  state.log",
    replace: "  state.log",
  },
  {
    name: "refused member is streamed to",
    file: "leader_acks.ts",
    find: '  if (progress.state === "replicate") progress.becomeProbe();\n' +
      "  sendAppend",
    replace: "  sendAppend",
  },
  {
    name: "report about a checkpoint is ignored",
    file: "leader_acks.ts",
    find: "  if (failed) progress.pendingSnapshot = 0;\n" +
      "  progress.becomeProbe();\n",
    replace: "  if (failed) progress.pendingSnapshot = 0;\n",
  },
  {
    name: "failed checkpoint counts as arrived",
    file: "leader_acks.ts",
    find: "  if (failed) progress.pendingSnapshot = 0;\n",
    replace: "",
  },
  {
    name: "no wait after a report about a checkpoint",
    file: "leader_acks.ts",
    find: "  progress.becomeProbe();\n  progress.appendsPaused = true;",
    replace: "  progress.becomeProbe();",
  },
  {
    name: "unreported checkpoint waits for ever (D8)",
    file: "tick.ts",
    find: "} else if (elapsed + 1 >= snapshotTicksMax) {",
    replace: "} else if (elapsed + 1 < 0) {",
  },
  {
    name: "limit of a message is ignored",
    file: "replication.ts",
    find: "return state.entryLog.entries(progress.next, messageBytesMax);",
    replace: "return state.entryLog.entries(progress.next, Infinity);",
  },
  {
    name: "limit of bytes on their way is ignored",
    file: "inflights.ts",
    find: "(bytesMax !== 0 && this.#bytes >= bytesMax)",
    replace: "(bytesMax !== 0 && this.#bytes < 0)",
  },
  {
    name: "limit of uncommitted data is ignored",
    file: "own_entries.ts",
    find: "sum > state.options.uncommittedBytesMax",
    replace: "sum < 0",
  },
  {
    name: "full limit refuses empty entries",
    file: "own_entries.ts",
    find: "state.uncommittedBytes > 0 && bytes > 0 &&",
    replace: "state.uncommittedBytes > 0 &&",
  },
  {
    name: "large batch never fits",
    file: "own_entries.ts",
    find: "state.uncommittedBytes > 0 && bytes > 0 &&",
    replace: "bytes > 0 &&",
  },
  {
    name: "credit is never returned",
    file: "own_entries.ts",
    find: "  state.uncommittedBytes = Math.max(0, left);\n",
    replace:
      "  state.uncommittedBytes = Math.max(state.uncommittedBytes, left);" +
      "\n",
  },
];
