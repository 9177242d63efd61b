import type { ProgressState } from "./progress.ts";
import type { RaftState, Role } from "./state.ts";
import type { ConfState, LogIndex, RaftId, Term } from "./types.ts";

/** Where a member stands. */
export interface RaftStatus {
  readonly id: RaftId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: RaftId;
  /** 0 when no leader is known. */
  readonly lead: RaftId;
  readonly leadTransferee: RaftId;
  readonly committed: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly isLearner: boolean;
  readonly confState: ConfState;
  /** Index of a checkpoint on its way to the disk, 0 without one. */
  readonly pendingSnapshot: LogIndex;
  readonly uncommittedBytes: number;
}

/** What the leader knows of a member. */
export interface MemberStatus {
  readonly id: RaftId;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ProgressState;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  readonly pendingSnapshot: LogIndex;
}

export function raftStatus(state: RaftState): RaftStatus {
  const { entryLog } = state;
  return {
    id: state.id,
    role: state.role,
    term: state.term,
    vote: state.vote,
    lead: state.lead,
    leadTransferee: state.leadTransferee,
    committed: entryLog.committed,
    applied: entryLog.applied,
    firstIndex: entryLog.firstIndex(),
    lastIndex: entryLog.lastIndex(),
    isLearner: state.isLearner,
    confState: state.membership.config,
    pendingSnapshot: entryLog.unstable.snapshot?.metadata.index ?? 0,
    uncommittedBytes: state.uncommittedBytes,
  };
}

/** By id, ascending; empty unless `state` leads. */
export function memberStatus(state: RaftState): readonly MemberStatus[] {
  if (state.role !== "leader") return [];
  const members: MemberStatus[] = [];
  for (const [id, progress] of state.membership.progress) {
    const { match, next, isLearner, recentActive, pendingSnapshot } = progress;
    members.push({
      id,
      match,
      next,
      state: progress.state,
      isLearner,
      recentActive,
      pendingSnapshot,
    });
  }
  return members;
}
