import type { Mutant } from "./mutant.ts";

/** Mutants of elections, votes and terms. */
export const ELECTION: readonly Mutant[] = [
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
