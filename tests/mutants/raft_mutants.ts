/** A change of one place of the core that some test has to notice. */
export interface Mutant {
  readonly name: string;
  /** Below `src/raft/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Why no test can notice it; absent when one must. */
  readonly equivalent?: string;
}

/** Mutants of elections, votes and terms. */
const ELECTION: readonly Mutant[] = [
  {
    name: "commit counts entries of older terms",
    file: "commit.ts",
    find: "if (!entryLog.matchTerm(index, state.term)) return false;",
    replace: "if (index > entryLog.lastIndex()) return false;",
  },
  {
    name: "vote without an up-to-date log",
    file: "election.ts",
    find: "const granted = canVote &&\n" +
      "    state.entryLog.isUpToDate(request.index, request.logTerm);",
    replace: "const granted = canVote;",
  },
  {
    name: "two votes in a term",
    file: "election.ts",
    find: "(state.vote === NO_MEMBER && state.lead === NO_MEMBER) ||",
    replace: "state.lead === NO_MEMBER ||",
  },
  {
    name: "vote although a leader is known",
    file: "election.ts",
    find: "(state.vote === NO_MEMBER && state.lead === NO_MEMBER) ||",
    replace: "state.vote === NO_MEMBER ||",
  },
  {
    name: "vote kept in a new term",
    file: "roles.ts",
    find: "    state.vote = NO_MEMBER;\n  }\n  state.lead",
    replace: "  }\n  state.lead",
  },
  {
    name: "vote cleared when stepping down within a term",
    file: "roles.ts",
    find: "    state.vote = NO_MEMBER;\n  }\n  state.lead",
    replace: "  }\n  state.vote = NO_MEMBER;\n  state.lead",
  },
  {
    name: "no check for unapplied changes before a campaign",
    file: "election.ts",
    find: "if (state.entryLog.hasConfChange(applied + 1, committed + 1, " +
      "applyBytesMax)) {",
    replace: "if (applied + committed + applyBytesMax < 0) {",
  },
  {
    name: "learner may campaign",
    file: "state.ts",
    find: "return own !== undefined && !own.isLearner &&",
    replace: "return own !== undefined &&",
  },
  {
    name: "campaign with a pending checkpoint",
    file: "state.ts",
    find: "!own.isLearner &&\n      !this.entryLog.hasPendingSnapshot();",
    replace: "!own.isLearner;",
  },
  {
    name: "pre-vote changes the term",
    file: "step.ts",
    find: "if (type === MSG_PRE_VOTE) return true;",
    replace: "",
  },
  {
    name: "pre-vote records a vote",
    file: "election.ts",
    find: "if (granted && type === MSG_VOTE) {",
    replace: "if (granted) {",
  },
  {
    name: "vote does not put off an own campaign",
    file: "election.ts",
    find: "    state.electionElapsed = 0;\n    state.vote = from;",
    replace: "    state.vote = from;",
  },
  {
    name: "pre-vote answer names the own term",
    file: "election.ts",
    find: "response.term = granted ? term : state.term;",
    replace: "response.term = state.term;",
  },
  {
    name: "no lease on votes",
    file: "step.ts",
    find:
      "isRequest && isInLease(state) && !isTransferContext(message.context)",
    replace: "isRequest && isInLease(state) && term < 0",
  },
  {
    name: "lease counts without the check of the quorum",
    file: "step.ts",
    find: "return state.options.checkQuorum && state.lead !== NO_MEMBER &&",
    replace: "return state.lead !== NO_MEMBER &&",
  },
  {
    name: "lease never ends",
    file: "step.ts",
    find: "state.lead !== NO_MEMBER &&\n" +
      "    state.electionElapsed < state.options.electionTicks;",
    replace: "state.lead !== NO_MEMBER;",
  },
  {
    name: "transfer does not override the lease",
    file: "step.ts",
    find:
      "isRequest && isInLease(state) && !isTransferContext(message.context)",
    replace: "isRequest && isInLease(state)",
  },
  {
    name: "stale leader is not told the term",
    file: "step.ts",
    find: "send(state, draftMessage(MSG_APP_RESP, from));",
    replace: "",
  },
  {
    name: "stale pre-vote is dropped silently",
    file: "step.ts",
    find: "refuseStalePreVote(state, message);",
    replace: "",
  },
  {
    name: "higher term is ignored",
    file: "step.ts",
    find: "  becomeFollower(state, term, isLeader ? from : NO_MEMBER);\n",
    replace: "  if (isLeader) becomeFollower(state, term, from);\n",
  },
  {
    name: "checkpoint of a higher term names no leader",
    file: "step.ts",
    find:
      "type === MSG_APP || type === MSG_HEARTBEAT ||\n    type === MSG_SNAP;",
    replace: "type === MSG_APP || type === MSG_HEARTBEAT;",
    equivalent: "the follower then takes the message, which names the leader",
  },
  {
    name: "granted pre-vote of a higher term changes the term",
    file: "step.ts",
    find: "if (type === MSG_PRE_VOTE_RESP && !message.reject) return true;",
    replace: "",
  },
  {
    name: "candidate counts pre-vote answers",
    file: "candidate.ts",
    find: "    case awaited:\n",
    replace: "    case MSG_PRE_VOTE_RESP:\n    case MSG_VOTE_RESP:\n",
  },
  {
    name: "votes of the campaign before count again",
    file: "roles.ts",
    find: '  state.votes.clear();\n  state.role = "pre-candidate";',
    replace: '  state.role = "pre-candidate";',
  },
  {
    name: "pre-candidate keeps its leader",
    file: "roles.ts",
    find: '  state.role = "pre-candidate";\n  state.lead = NO_MEMBER;',
    replace: '  state.role = "pre-candidate";',
  },
  {
    name: "last answer of a member counts, not the first",
    file: "election.ts",
    find: "if (!state.votes.has(from)) state.votes.set(from, !reject);",
    replace: "state.votes.set(from, !reject);",
  },
  {
    name: "leads before its own vote is durable (D3)",
    file: "candidate.ts",
    find: "} else if (hasOwnVote(state)) {",
    replace: "} else {",
  },
  {
    name: "own vote is counted at once",
    file: "election.ts",
    find: "      send(state, own);\n      continue;",
    replace: "      state.votes.set(id, true);\n      send(state, own);\n" +
      "      continue;",
  },
  {
    name: "outgoing voters are not asked",
    file: "membership.ts",
    find: "  return ascending(new Set([...config.voters, " +
      "...config.votersOutgoing]));",
    replace: "  return config.voters;",
  },
  {
    name: "lost campaign goes on",
    file: "candidate.ts",
    find:
      '    case "lost":\n      becomeFollower(state, state.term, NO_MEMBER);',
    replace: '    case "lost":',
  },
  {
    name: "forgets its leader with lease reads",
    file: "follower.ts",
    find: "if (state.options.leaseReads) {",
    replace: "if (state.options.leaseReads && state.term === 0) {",
  },
  {
    name: "leader's heartbeat does not put off a campaign",
    file: "follower.ts",
    find: "  state.electionElapsed = 0;\n  state.lead = from;",
    replace: "  state.lead = from;",
  },
  {
    name: "election timeout is not random",
    file: "roles.ts",
    find: "state.electionTimeout = electionTicks + drawn;",
    replace: "state.electionTimeout = electionTicks;",
  },
];

/** Mutants of the log, replication and commit. */
const REPLICATION: readonly Mutant[] = [
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

/** Mutants of storage, checkpoints and applying. */
const STORAGE: readonly Mutant[] = [
  {
    name: "old answer of the disk still counts",
    file: "step.ts",
    find: "    if (message.snapshot !== null) onSnapshotInstalled(",
    replace:
      "    if (message.index !== 0) onStorageAppended(state, message);\n" +
      "    if (message.snapshot !== null) onSnapshotInstalled(",
  },
  {
    name: "old answer about a checkpoint is dropped",
    file: "step.ts",
    find: "    if (message.snapshot !== null) " +
      "onSnapshotInstalled(state, message.snapshot);\n",
    replace: "",
  },
  {
    name: "disk answers only for what it was given",
    file: "ready.ts",
    find: "const hasEntries = entryLog.unstable.length > 0;",
    replace: "const hasEntries = entryLog.unstable.length > 0 && " +
      "state.afterAppend.length > 0;",
  },
  {
    name: "applies what is not durable",
    file: "log.ts",
    find: ": Math.min(this.committed, this.unstable.offset - 1);",
    replace: ": this.committed;",
  },
  {
    name: "applies below a pending checkpoint",
    file: "log.ts",
    find: "return !this.#applyingPaused && !this.hasPendingSnapshot() &&",
    replace: "return !this.#applyingPaused &&",
  },
  {
    name: "budget of applying is ignored",
    file: "log.ts",
    find:
      "this.#applyingPaused = this.#applyingBytes >= this.#applyBytesMax ||" +
      "\n      index < this.maxAppliable(allowUnstable);",
    replace: "this.#applyingPaused = false;",
  },
  {
    name: "page of a change check is skipped",
    file: "log.ts",
    find: "      at += page.length;\n",
    replace: "      at = until;\n",
  },
  {
    name: "truncation forgets what has to be written again",
    file: "unstable.ts",
    find:
      "      this.offsetInProgress = Math.min(this.offsetInProgress, first);",
    replace: "",
  },
  {
    name: "replacement forgets what has to be written again",
    file: "unstable.ts",
    find: "      this.offset = first;\n      this.offsetInProgress = first;",
    replace: "      this.offset = first;",
  },
  {
    name: "durable entries of another term count",
    file: "unstable.ts",
    find: "    if (held !== term) {",
    replace: "    if (held < 0) {",
  },
  {
    name: "answer about a replaced checkpoint counts",
    file: "unstable.ts",
    find: "    if (this.snapshot?.metadata.index !== index) return;\n",
    replace: "",
  },
  {
    name: "checkpoint keeps the old tail",
    file: "unstable.ts",
    find: "    this.#entries = [];\n    this.snapshot = snapshot;",
    replace: "    this.snapshot = snapshot;",
  },
  {
    name: "checkpoint for others is restored",
    file: "snapshot.ts",
    find: "  if (!isMember(confState, state.id)) {",
    replace: "  if (index < 0) {",
  },
  {
    name: "known checkpoint restarts the log",
    file: "snapshot.ts",
    find: "  if (entryLog.matchTerm(index, term)) {",
    replace: "  if (index < 0) {",
  },
  {
    name: "old checkpoint is restored",
    file: "snapshot.ts",
    find: "  if (index <= entryLog.committed) return false;\n",
    replace: "",
  },
  {
    name: "checkpoint keeps the old members",
    file: "snapshot.ts",
    find: "  const refusal = restoreConfig(state, confState);",
    replace: "  const refusal = restoreConfig(state, state.membership.config);",
  },
  {
    name: "sync does not look at the vote",
    file: "ready.ts",
    find: "return entries.length > 0 || prior.term !== next.term ||\n" +
      "    prior.vote !== next.vote;",
    replace: "return entries.length > 0 || prior.term !== next.term;",
  },
  {
    name: "sync does not look at entries",
    file: "ready.ts",
    find: "return entries.length > 0 || prior.term !== next.term ||",
    replace: "return prior.term !== next.term ||",
  },
  {
    name: "checkpoint needs no sync (D6)",
    file: "core.ts",
    find: "const syncs = snapshot !== null ||\n      mustSync(",
    replace: "const syncs =\n      mustSync(",
  },
  {
    name: "promise leaves beside its own write",
    file: "core.ts",
    find: "const canLeave = !syncs && this.#syncsPending === 0;",
    replace: "const canLeave = this.#syncsPending === 0;",
  },
  {
    name: "promise leaves beside an earlier write",
    file: "core.ts",
    find: "const canLeave = !syncs && this.#syncsPending === 0;",
    replace: "const canLeave = !syncs;",
  },
  {
    name: "empty outbox stays in use",
    file: "ready.ts",
    find: "    state.afterAppend = [];\n",
    replace: "    if (state.afterAppend.length > 0) state.afterAppend = [];\n",
  },
  {
    name: "stored commit is taken as it is (D4)",
    file: "start.ts",
    find: "const commit = Math.max(stored.commit, base, snapshot, applied);",
    replace: "const commit = Math.max(stored.commit, base);",
  },
  {
    name: "refusal of an unknown peer's answer is missing",
    file: "raw_node.ts",
    find: "    !state.membership.progress.has(from)\n",
    replace: "    from < -9\n",
  },
  {
    name: "refusal of a local message is missing",
    file: "raw_node.ts",
    find: 'if (isLocalMessage(type) && !isOwnThread) return "local-message";',
    replace: "",
  },
];

/** Mutants of membership, transfers, reads and the check of the quorum. */
const MEMBERSHIP: readonly Mutant[] = [
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
    file: "membership.ts",
    find:
      "if (countChanged(this.#membership.config.voters, draft.voters) > 1) {",
    replace:
      "if (countChanged(this.#membership.config.voters, draft.voters) > 2) {",
  },
  {
    name: "demoted voter becomes a learner at once",
    file: "membership.ts",
    find: "    if (draft.votersOutgoing.has(id)) {\n" +
      "      draft.learnersNext.add(id);\n      return;\n    }\n",
    replace: "",
  },
  {
    name: "newcomer looks dead",
    file: "membership.ts",
    find: "      recentActive: true,\n",
    replace: "      recentActive: false,\n",
  },
  {
    name: "newcomer starts one past the end",
    file: "membership.ts",
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

export const MUTANTS: readonly Mutant[] = [
  ...ELECTION,
  ...REPLICATION,
  ...STORAGE,
  ...MEMBERSHIP,
];
