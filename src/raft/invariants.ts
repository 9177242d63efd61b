import { assert } from "../base/assert.ts";
import type { RaftState } from "./state.ts";
import { type LogIndex, NO_MEMBER, type RaftId, type Term } from "./types.ts";

/** What must not move back from one step to the next. */
export interface StepMarks {
  term: Term;
  vote: RaftId;
  committed: LogIndex;
  applied: LogIndex;
}

/** Marks of `state`, for `checkStep` after the next step. */
export function stepMarks(state: RaftState): StepMarks {
  const { committed, applied } = state.entryLog;
  return { term: state.term, vote: state.vote, committed, applied };
}

/**
 * States what holds after every step, and moves `prior` up to `state`.
 *
 * Cheap enough for production: it looks at a handful of numbers.
 *
 * @throws {InvariantError} When it does not hold; the node must stop.
 */
export function checkStep(prior: StepMarks, state: RaftState): void {
  const { term, vote, entryLog } = state;
  const { committed, applying, applied } = entryLog;
  assert(term >= prior.term, "terms never go back");
  assert(
    term > prior.term || prior.vote === NO_MEMBER || vote === prior.vote,
    "a vote is never changed within its term",
  );
  assert(committed >= prior.committed, "the commit index never goes back");
  assert(applied >= prior.applied, "the applied index never goes back");
  assert(
    applied <= applying && applying <= committed,
    "only committed entries are applied, in order",
  );
  assert(committed <= entryLog.lastIndex(), "the log holds what is committed");
  assert(
    state.role !== "leader" || state.lead === state.id,
    "a leader follows itself",
  );
  prior.term = term;
  prior.vote = vote;
  prior.committed = committed;
  prior.applied = applied;
}

/**
 * States what holds for each record of a leader; for tests and simulations.
 *
 * @throws {InvariantError} When it does not hold.
 */
export function checkProgress(state: RaftState): void {
  if (state.role !== "leader") return;
  const last = state.entryLog.lastIndex();
  for (const [id, progress] of state.membership.progress) {
    const { match, next } = progress;
    assert(match < next || next === 0, "a record is sent what it lacks");
    assert(
      next <= Math.max(last, progress.pendingSnapshot) + 1,
      "a record is sent what there is",
    );
    assert(
      id !== state.id || match <= last,
      "a leader holds what it counts for itself",
    );
  }
}
