import type { Mutant } from "./mutant.ts";

/** Mutants of what comes on top of the rules above. */
export const SURFACE: readonly Mutant[] = [
  {
    name: "answer to an append leaves at once",
    file: "outbox.ts",
    find: "      message.term = state.term;\n" +
      "      state.afterAppend.push(message);\n      return;\n    case MSG_PROP:",
    replace: "      message.term = state.term;\n" +
      "      if (message.to !== state.id) state.messages.push(message);\n" +
      "      else state.afterAppend.push(message);\n" +
      "      return;\n    case MSG_PROP:",
  },
  {
    name: "vote leaves at once",
    file: "outbox.ts",
    find: "      state.afterAppend.push(message);\n" +
      "      return;\n    case MSG_APP_RESP:",
    replace:
      "      if (message.to !== state.id) state.messages.push(message);\n" +
      "      else state.afterAppend.push(message);\n" +
      "      return;\n    case MSG_APP_RESP:",
  },
  {
    name: "committed entries may be replaced",
    file: "log.ts",
    find: "      if (conflict <= this.committed) {\n" +
      "        throw new RaftLogConflictError(conflict, this.committed);\n" +
      "      }\n",
    replace: "",
    equivalent: "append() makes the same check right after",
  },
  {
    name: "commit beyond the log is taken",
    file: "log.ts",
    find: "if (commit > last) throw new RaftLogLostError(commit, last);",
    replace: "",
  },
  {
    name: "lone unstable entry may exceed the limit",
    file: "log.ts",
    find: "      size + encodingSize(only) > bytesMax\n    ) return stable;",
    replace: "      size + encodingSize(only) < 0\n    ) return stable;",
  },
  {
    name: "conflict search goes down too little",
    file: "log.ts",
    find: "if (ours <= term) return { index: at, term: ours };",
    replace: "if (ours <= term + 1) return { index: at, term: ours };",
  },
  {
    name: "failed append of a probe moves on",
    file: "progress.ts",
    find: "if (count > 0) this.appendsPaused = true;",
    replace: "",
  },
  {
    name: "probe forgets the checkpoint that arrived",
    file: "progress.ts",
    find: "? Math.max(this.match, this.pendingSnapshot)",
    replace: "? this.match",
  },
  {
    name: "told commit survives a step back",
    file: "progress.ts",
    find: "this.sentCommit = Math.min(this.sentCommit, this.next - 1);",
    replace: "",
  },
  {
    name: "term below that of the log is taken at the start",
    file: "start.ts",
    find: 'if (last > base && typeof lastTerm === "number" && ' +
      "stored.term < lastTerm) {",
    replace: 'if (last > base && typeof lastTerm === "number" && ' +
      "stored.term < 0) {",
  },
  {
    name: "commit beyond the log is taken at the start",
    file: "start.ts",
    find: "  if (commit > last) {",
    replace: "  if (commit < 0) {",
  },
  {
    name: "changes up to the applied index are applied again",
    file: "start.ts",
    find: "  state.confIndex = entryLog.applied;\n",
    replace: "",
  },
  {
    name: "no heartbeats",
    file: "tick.ts",
    find: "    state.heartbeatElapsed = 0;\n    broadcastHeartbeat(state);",
    replace: "    state.heartbeatElapsed = 0;",
  },
  {
    name: "leader does not count itself for reads",
    file: "read_index.ts",
    find: "  state.reads.ack(state.id, state.reads.position);\n",
    replace: "",
  },
  {
    name: "read sends no heartbeat",
    file: "read_index.ts",
    find: "  if (state.reads.length > 0) broadcastHeartbeat(state);\n",
    replace: "",
  },
  {
    name: "confirmed reads move the positions of others",
    file: "read_queue.ts",
    find: "    this.#confirmed += count;\n",
    replace: "",
  },
  {
    name: "what is durable is answered for too far",
    file: "core.ts",
    find: "      const [first] = this.#persists;\n" +
      "      if (first === undefined || first.seq > seq) break;",
    replace: "      const [first] = this.#persists;\n" +
      "      if (first === undefined || first.seq > seq + 1) break;",
  },
  {
    name: "malformed messages are stepped",
    file: "core.ts",
    find: "const refusal = stepFromOutside(this.#state, message, " +
      "isWellFormed);",
    replace: "const refusal = stepFromOutside(this.#state, message);",
  },
  {
    name: "answer to an old request for entries counts",
    file: "fetch.ts",
    find: "    if (need.ticket !== ticket) continue;\n",
    replace: "",
  },
  {
    name: "member is asked for entries again and again",
    file: "replication.ts",
    find: "  if (state.fetches.has(to)) return false;\n",
    replace: "",
  },
  {
    name: "small joint halves are proposed (D9)",
    file: "conf_policy.ts",
    find: "  if (growsFromOne) return null;\n",
    replace: "  if (growsFromOne || before.voters.length > 0) return null;\n",
  },
  {
    name: "leader may remove itself (D9)",
    file: "conf_policy.ts",
    find: "if (isVoter(before, leader) && !after.voters.includes(leader)) {",
    replace: "if (leader < 0) {",
  },
];
