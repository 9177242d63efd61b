import { assert } from "../base/assert.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { idText } from "./message.ts";
import { appendOwn } from "./own_entries.ts";
import { ReadQueue } from "./read_queue.ts";
import type { RaftState } from "./state.ts";
import {
  type Entry,
  ENTRY_NORMAL,
  NO_MEMBER,
  type RaftId,
  type Term,
} from "./types.ts";

/** What a new leader appends to be able to commit what came before. */
const OPENING: readonly Entry[] = [
  { type: ENTRY_NORMAL, term: 0, index: 0, data: EMPTY_BYTES },
];

/** Follows `lead`, or nobody, at `term`. */
export function becomeFollower(
  state: RaftState,
  term: Term,
  lead: RaftId,
): void {
  reset(state, term);
  state.role = "follower";
  state.lead = lead;
  state.log?.info?.(`${idText(state.id)} became follower at term ${term}`);
}

/** Votes for itself in the next term. */
export function becomeCandidate(state: RaftState): void {
  assert(state.role !== "leader", "a leader does not campaign");
  reset(state, state.term + 1);
  state.role = "candidate";
  state.vote = state.id;
  state.log?.info?.(
    `${idText(state.id)} became candidate at term ${state.term}`,
  );
}

/** Asks whether a campaign could win; promises nothing and keeps the term. */
export function becomePreCandidate(state: RaftState): void {
  assert(state.role !== "leader", "a leader does not campaign");
  state.votes.clear();
  state.role = "pre-candidate";
  state.lead = NO_MEMBER;
  state.log?.info?.(
    `${idText(state.id)} became pre-candidate at term ${state.term}`,
  );
}

/** Leads the term it won. */
export function becomeLeader(state: RaftState): void {
  assert(state.role === "candidate", "only a candidate wins");
  reset(state, state.term);
  state.role = "leader";
  state.lead = state.id;
  const own = state.ownProgress();
  own.becomeReplicate();
  own.recentActive = true;
  // Any entry here may change the membership and is not applied for sure.
  state.pendingConfIndex = state.entryLog.lastIndex();
  const appended = appendOwn(state, OPENING);
  assert(appended, "an empty entry is never refused");
  state.log?.info?.(`${idText(state.id)} became leader at term ${state.term}`);
}

/** Draws how long this member waits for a leader. */
function drawElectionTimeout(state: RaftState): void {
  const { electionTicks, randomTicks } = state.options;
  const drawn = randomTicks(electionTicks);
  assert(
    Number.isInteger(drawn) && drawn >= 0 && drawn < electionTicks,
    "a random draw stays in its range",
  );
  state.electionTimeout = electionTicks + drawn;
}

function reset(state: RaftState, term: Term): void {
  assert(term >= state.term, "terms never go back");
  if (term !== state.term) {
    state.term = term;
    state.vote = NO_MEMBER;
  }
  state.lead = NO_MEMBER;
  state.electionElapsed = 0;
  state.heartbeatElapsed = 0;
  drawElectionTimeout(state);
  state.leadTransferee = NO_MEMBER;
  state.votes.clear();
  const last = state.entryLog.lastIndex();
  for (const [id, progress] of state.membership.progress) {
    progress.reset(id === state.id ? last : 0, last + 1);
  }
  state.pendingConfIndex = 0;
  state.uncommittedBytes = 0;
  state.reads = new ReadQueue();
  state.parkedReads = [];
  state.fetches.clear();
  state.needs = [];
  state.snapshotElapsed.clear();
}
