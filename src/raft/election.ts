import {
  CAMPAIGN_TRANSFER,
  draftMessage,
  idText,
  type Message,
  messageName,
  MSG_PRE_VOTE,
  MSG_PRE_VOTE_RESP,
  MSG_VOTE,
  MSG_VOTE_RESP,
} from "./message.ts";
import { voterIds } from "./membership.ts";
import { send } from "./outbox.ts";
import { jointVote, type VoteResult } from "./quorum.ts";
import { becomeCandidate, becomePreCandidate } from "./roles.ts";
import type { RaftState } from "./state.ts";
import { NO_MEMBER } from "./types.ts";

/**
 * Why a member campaigns: to see whether it could win, in earnest, or in
 * earnest because the leader asked for it.
 */
export type CampaignKind = "pre-election" | "election" | "transfer";

/**
 * Campaigns, unless this member must not.
 *
 * Not with a change of membership that is committed and not applied: two
 * members that count with different voters could both win a term.
 */
export function hup(state: RaftState, kind: CampaignKind): void {
  if (state.role === "leader") return;
  if (!state.isPromotable()) {
    state.log?.warn?.(
      `${idText(state.id)} is unpromotable and can not campaign`,
    );
    return;
  }
  const { applied, committed } = state.entryLog;
  const { applyBytesMax } = state.options;
  if (state.entryLog.hasConfChange(applied + 1, committed + 1, applyBytesMax)) {
    state.log?.warn?.(
      `${idText(state.id)} cannot campaign at term ${state.term} since there ` +
        `are still pending configuration changes to apply`,
    );
    return;
  }
  state.log?.info?.(
    `${idText(state.id)} is starting a new election at term ${state.term}`,
  );
  campaign(state, kind);
}

/** Asks all voters for their vote; its own counts when it is durable. */
export function campaign(state: RaftState, kind: CampaignKind): void {
  const isTrial = kind === "pre-election";
  if (isTrial) becomePreCandidate(state);
  else becomeCandidate(state);
  const term = isTrial ? state.term + 1 : state.term;
  const type = isTrial ? MSG_PRE_VOTE : MSG_VOTE;
  const index = state.entryLog.lastIndex();
  const logTerm = state.entryLog.lastTerm();
  for (const id of voterIds(state.membership.config)) {
    if (id === state.id) {
      const own = draftMessage(responseType(type), id);
      own.term = term;
      send(state, own);
      continue;
    }
    state.log?.info?.(
      `${idText(state.id)} [logterm: ${logTerm}, index: ${index}] sent ` +
        `${messageName(type)} request to ${idText(id)} at term ${state.term}`,
    );
    const request = draftMessage(type, id);
    request.term = term;
    request.index = index;
    request.logTerm = logTerm;
    if (kind === "transfer") request.context = CAMPAIGN_TRANSFER;
    send(state, request);
  }
}

/** Counts an answer to our campaign, the first one of each member. */
export function countVote(state: RaftState, message: Message): VoteResult {
  const { from, type, reject } = message;
  state.log?.info?.(
    `${idText(state.id)} received ${messageName(type)}` +
      `${reject ? " rejection" : ""} from ${idText(from)} at term ` +
      `${state.term}`,
  );
  if (!state.votes.has(from)) state.votes.set(from, !reject);
  let granted = 0;
  let rejected = 0;
  for (const [id, progress] of state.membership.progress) {
    const vote = state.votes.get(id);
    if (progress.isLearner || vote === undefined) continue;
    if (vote) granted += 1;
    else rejected += 1;
  }
  state.log?.info?.(
    `${idText(state.id)} has received ${granted} ${messageName(type)} votes ` +
      `and ${rejected} vote rejections`,
  );
  return jointVote(state.membership.config, state.votes);
}

/**
 * Answers who asks for our vote, now or for the next term.
 *
 * A vote in earnest is remembered and keeps us from campaigning for a while; a
 * trial changes nothing here. Learners vote too: they may have become voters
 * without knowing it yet.
 *
 * Source: Raft §5.2 (one vote) and §5.4.1 (up-to-date log); dissertation §9.6.
 */
export function onVoteRequest(state: RaftState, request: Message): void {
  const { type, from, term } = request;
  // No answer is the honest one: its log may lack what it once promised.
  if (state.isTailSuspect()) {
    return logVote(state, request, "ignored", ": the end of the log is lost");
  }
  const canVote = state.vote === from ||
    (state.vote === NO_MEMBER && state.lead === NO_MEMBER) ||
    (type === MSG_PRE_VOTE && term > state.term);
  const granted = canVote &&
    state.entryLog.isUpToDate(request.index, request.logTerm);
  logVote(state, request, granted ? "cast" : "rejected");
  const response = draftMessage(responseType(type), from);
  // A granted trial is about the term that was asked for, not ours.
  response.term = granted ? term : state.term;
  response.reject = !granted;
  send(state, response);
  if (granted && type === MSG_VOTE) {
    state.electionElapsed = 0;
    state.vote = from;
  }
}

/** Refuses a trial of an older term: silence could block mixed groups. */
export function refuseStalePreVote(state: RaftState, request: Message): void {
  logVote(state, request, "rejected");
  const response = draftMessage(MSG_PRE_VOTE_RESP, request.from);
  response.term = state.term;
  response.reject = true;
  send(state, response);
}

/** Says that a request is ignored while our leader may be alive. */
export function logIgnoredVote(state: RaftState, request: Message): void {
  const left = state.options.electionTicks - state.electionElapsed;
  const suffix = `: lease is not expired (remaining ticks: ${left})`;
  logVote(state, request, "ignored", suffix);
}

function logVote(
  state: RaftState,
  request: Message,
  verdict: "cast" | "rejected" | "ignored",
  suffix = "",
): void {
  if (state.log?.info === undefined) return;
  const { entryLog } = state;
  const link = verdict === "cast" ? "for" : "from";
  state.log.info(
    `${idText(state.id)} [logterm: ${entryLog.lastTerm()}, index: ` +
      `${entryLog.lastIndex()}, vote: ${idText(state.vote)}] ${verdict} ` +
      `${messageName(request.type)} ${link} ${idText(request.from)} ` +
      `[logterm: ${request.logTerm}, index: ${request.index}] at term ` +
      `${state.term}${suffix}`,
  );
}

function responseType(request: number): number {
  return request === MSG_VOTE ? MSG_VOTE_RESP : MSG_PRE_VOTE_RESP;
}

/** Tells whether our own vote is among the counted ones, thus durable. */
export function hasOwnVote(state: RaftState): boolean {
  return state.votes.get(state.id) === true;
}
