import type { Mutant } from "./mutant.ts";

/** Mutants of membership, transfers, reads and the check of the quorum. */
export const MEMBERSHIP: readonly Mutant[] = [
  {
    name: "removed leader counts itself",
    file: "commit.ts",
    find: "const matchOf: AckedIndex = (id) => progress.get(id)?.match ?? 0;",
    replace: "const matchOf: AckedIndex = (id) =>\n" +
      "    progress.get(id)?.match ??\n" +
      "    (id === state.id ? state.entryLog.lastIndex() : 0);",
    equivalent: "the quorum asks voters only, and all of them have a record",
  },
  {
    name: "two changes may be on their way",
    file: "proposal.ts",
    find: "  if (state.pendingConfIndex > applied) {",
    replace: "  if (state.pendingConfIndex < 0) {",
  },
  {
    name: "new leader does not wait for older changes",
    file: "roles.ts",
    find: "  state.pendingConfIndex = state.entryLog.lastIndex();\n",
    replace: "",
  },
  {
    name: "joint state is left twice",
    file: "storage_acks.ts",
    find: '    !config.autoLeave || state.role !== "leader" ||\n' +
      "    applied < state.pendingConfIndex\n",
    replace: '    !config.autoLeave || state.role !== "leader"\n',
  },
  {
    name: "joint state is not left by itself",
    file: "storage_acks.ts",
    find: "  if (proposeEntries(state, [LEAVE_ENTRY])) {",
    replace: "  if (applied < 0) {",
  },
  {
    name: "change while joint is taken",
    file: "proposal.ts",
    find:
      '  if (joint && !leaves) return "must transition out of joint config ' +
      'first";\n',
    replace: "",
  },
  {
    name: "empty joint change is taken (D2)",
    file: "proposal.ts",
    find: '  if (changeMode(change) === "none") {',
    replace: "  if (state.term < 0) {",
  },
  {
    name: "empty joint change enters a joint state (D2)",
    file: "conf_change.ts",
    find: 'return transition === TRANSITION_AUTO ? "leave-joint" : "none";',
    replace: "return transition === TRANSITION_AUTO\n" +
      '      ? "leave-joint"\n      : "enter-joint";',
  },
  {
    name: "change that a checkpoint overtook is applied (D5)",
    file: "conf_switch.ts",
    find: "  if (index <= state.confIndex) return state.membership.config;\n",
    replace: "",
  },
  {
    name: "smaller group does not commit at once",
    file: "conf_switch.ts",
    find: "  if (!advanceCommit(state)) {",
    replace: "  if (state.term > 0) {",
  },
  {
    name: "newcomer is not sent to at once",
    file: "conf_switch.ts",
    find: "      if (id !== state.id) sendEntries(state, id);\n",
    replace: "",
  },
  {
    name: "removed transferee stays",
    file: "conf_switch.ts",
    find: "  if (!isVoter(config, state.leadTransferee)) {",
    replace: "  if (state.term < 0) {",
  },
  {
    name: "removed leader goes on",
    file: "conf_switch.ts",
    find: "    if (state.options.stepDownOnRemoval) {",
    replace: "    if (state.term < 0) {",
  },
  {
    name: "removed leader takes proposals",
    file: "proposal.ts",
    find: "  if (!state.membership.progress.has(state.id)) return false;\n",
    replace: "",
  },
  {
    name: "more than one voter changes at once",
    file: "changer.ts",
    find:
      "if (countChanged(this.#membership.config.voters, draft.voters) > 1) {",
    replace:
      "if (countChanged(this.#membership.config.voters, draft.voters) > 2) {",
  },
  {
    name: "demoted voter becomes a learner at once",
    file: "changer.ts",
    find: "    if (draft.votersOutgoing.has(id)) {\n" +
      "      draft.learnersNext.add(id);\n      return;\n    }\n",
    replace: "",
  },
  {
    name: "newcomer looks dead",
    file: "changer.ts",
    find: "      recentActive: true,\n",
    replace: "      recentActive: false,\n",
  },
  {
    name: "newcomer starts one past the end",
    file: "changer.ts",
    find: "      next: Math.max(lastIndex, 1),\n",
    replace: "      next: lastIndex + 1,\n",
  },
  {
    name: "quorum is never checked",
    file: "tick.ts",
    find: "    if (state.options.checkQuorum) checkQuorum(state);\n",
    replace: "",
  },
  {
    name: "check of the quorum counts learners",
    file: "leader.ts",
    find: "    if (record.isLearner) continue;\n" +
      "    heard.set(id, id === state.id || record.recentActive);\n" +
      "  }\n" +
      '  if (jointVote(config, heard) !== "won") {',
    replace: "    heard.set(id, id === state.id || record.recentActive);\n" +
      "  }\n" +
      "  const alive = [...heard.values()].filter((is) => is).length;\n" +
      '  if (jointVote(config, heard) !== "won" && alive * 2 <= heard.size) {',
  },
  {
    name: "check of the quorum forgets nothing",
    file: "leader.ts",
    find: "    if (id !== state.id) record.recentActive = false;\n",
    replace: "",
  },
  {
    name: "transfer lets proposals in",
    file: "proposal.ts",
    find: "  if (state.leadTransferee !== NO_MEMBER) {",
    replace: "  if (state.term < 0) {",
  },
  {
    name: "transfer never ends",
    file: "tick.ts",
    find: "    state.leadTransferee = NO_MEMBER;\n",
    replace: "",
  },
  {
    name: "transfer does not wait for the log",
    file: "transfer.ts",
    find: "  if (progress.match === state.entryLog.lastIndex()) {",
    replace: "  if (progress.match >= 0) {",
  },
  {
    name: "transfer is not finished later",
    file: "transfer.ts",
    find: "  if (id !== state.leadTransferee) return;\n",
    replace: "  if (id >= 0) return;\n",
  },
  {
    name: "transfer to a learner",
    file: "transfer.ts",
    find:
      "if (progress.isLearner || transferee === state.leadTransferee) return;",
    replace: "if (transferee === state.leadTransferee) return;",
  },
  {
    name: "transfer survives a step-down",
    file: "roles.ts",
    find: "  state.leadTransferee = NO_MEMBER;\n",
    replace: "",
  },
  {
    name: "transfer campaigns with a trial",
    file: "follower.ts",
    find: '      hup(state, "transfer");\n',
    replace: '      hup(state, state.options.preVote ? "pre-election" : ' +
      '"transfer");\n',
  },
  {
    name: "read before a commit in the term",
    file: "read_index.ts",
    find: "  if (entryLog.termOrZero(entryLog.committed) !== state.term) {",
    replace: "  if (state.term < 0) {",
  },
  {
    name: "lone voter reads before a commit in the term (D1)",
    file: "read_index.ts",
    find: "  if (entryLog.termOrZero(entryLog.committed) !== state.term) {",
    replace: "  if (\n    !isLoneVoter(state) &&\n" +
      "    entryLog.termOrZero(entryLog.committed) !== state.term\n  ) {",
  },
  {
    name: "read without a quorum",
    file: "read_index.ts",
    find: "  if (state.options.leaseReads || isLoneVoter(state)) {",
    replace: "  if (state.term > 0) {",
  },
  {
    name: "reads survive a change of leaders",
    file: "roles.ts",
    find: "  state.reads = new ReadQueue();\n",
    replace: "",
  },
  {
    name: "parked reads survive a change of leaders (D7)",
    file: "roles.ts",
    find: "  state.parkedReads = [];\n",
    replace: "",
  },
  {
    name: "parked reads are never released",
    file: "commit.ts",
    find: "  releaseParkedReads(state);\n",
    replace: "",
  },
  {
    name: "any answer confirms all reads",
    file: "read_index.ts",
    find: "  state.reads.ack(from, position);\n",
    replace: "  state.reads.ack(from, state.reads.position);\n",
  },
  {
    name: "one answer confirms reads",
    file: "read_queue.ts",
    find: "const seen = jointIndex(halves, (id) => this.#acked.get(id) ?? 0);",
    replace: "const seen = Math.max(0, ...halves.voters.map((id) => " +
      "this.#acked.get(id) ?? 0));",
  },
  {
    name: "follower forwards although it must not",
    file: "follower.ts",
    find: "  if (!state.options.forwardProposals) {",
    replace: "  if (state.term < 0) {",
  },
];
