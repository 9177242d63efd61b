import type { ConfState, LogIndex, RaftId } from "./types.ts";

/** Outcome of an election so far. */
export type VoteResult = "won" | "lost" | "pending";

/** Highest index a member acknowledged, 0 when it never did. */
export type AckedIndex = (id: RaftId) => LogIndex;

/** The two halves that decide; `votersOutgoing` is empty unless joint. */
export type VoterHalves = Pick<ConfState, "voters" | "votersOutgoing">;

/** Fewest of `count` members that are more than half of them. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * Highest index that a majority of `ids` acknowledged.
 *
 * Infinity for no ids, so that an empty half never holds the other one back.
 * Whether the entry there may commit is the caller's rule (Raft §5.4.2).
 */
export function majorityIndex(
  ids: readonly RaftId[],
  ackedOf: AckedIndex,
): LogIndex {
  if (ids.length === 0) return Infinity;
  const acked: LogIndex[] = [];
  for (const id of ids) acked.push(ackedOf(id));
  if (acked.length > 1) acked.sort((a, b) => a - b);
  return acked[acked.length - majorityOf(acked.length)] ?? 0;
}

/** Highest index that both halves acknowledged by majority. */
export function jointIndex(halves: VoterHalves, ackedOf: AckedIndex): LogIndex {
  const incoming = majorityIndex(halves.voters, ackedOf);
  if (halves.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(halves.votersOutgoing, ackedOf));
}

/**
 * Counts `votes` (true grants) among `ids`; votes of others do not count.
 *
 * No ids at all have won, so that an empty half agrees with the other one.
 */
export function majorityVote(
  ids: readonly RaftId[],
  votes: ReadonlyMap<RaftId, boolean>,
): VoteResult {
  if (ids.length === 0) return "won";
  let granted = 0;
  let missing = 0;
  for (const id of ids) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majorityOf(ids.length);
  if (granted >= needed) return "won";
  return granted + missing >= needed ? "pending" : "lost";
}

/** Both halves must win; either one that lost decides. */
export function jointVote(
  halves: VoterHalves,
  votes: ReadonlyMap<RaftId, boolean>,
): VoteResult {
  const incoming = majorityVote(halves.voters, votes);
  const outgoing = majorityVote(halves.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}
