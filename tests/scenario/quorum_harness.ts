import {
  jointIndex,
  jointVote,
  majorityIndex,
  majorityVote,
  type VoteResult,
} from "../../src/raft/quorum.ts";
import type { LogIndex, RaftId } from "../../src/raft/types.ts";
import { argValues, type Directive } from "./datadriven.ts";

type Acked = ReadonlyMap<RaftId, LogIndex>;
type Votes = ReadonlyMap<RaftId, boolean>;

const VOTE_NAMES: Readonly<Record<VoteResult, string>> = {
  won: "VoteWon",
  lost: "VoteLost",
  pending: "VotePending",
};

/** The two id lists of a directive; `outgoing` is `null` without `cfgj`. */
interface Halves {
  readonly incoming: readonly RaftId[];
  readonly outgoing: readonly RaftId[] | null;
}

/** Runs `committed` and `vote`, and checks them against other ways to count. */
export function handleQuorum(directive: Directive): string {
  const halves = {
    incoming: idsOf(argValues(directive, "cfg")) ?? [],
    outgoing: idsOf(argValues(directive, "cfgj")),
  };
  const ids = [...new Set([...halves.incoming, ...halves.outgoing ?? []])];
  const key = directive.command === "vote" ? "votes" : "idx";
  const words = argValues(directive, key) ?? [];
  if (words.length !== ids.length) {
    const voters = ids.map((id) => `${id}:{}`).join(" ");
    return `error: mismatched input (explicit or _) for voters ` +
      `map[${voters}]: [${words.join(" ")}]`;
  }
  const known = ids
    .map((id, nth) => [id, words[nth] ?? "_"] as const)
    .filter(([, word]) => word !== "_");
  if (directive.command === "vote") {
    return describeVote(
      halves,
      new Map(known.map(([id, word]) => [id, word === "y"])),
    );
  }
  return describeCommitted(
    halves,
    new Map(known.map(([id, word]) => [id, Number(word)])),
  );
}

function describeVote(halves: Halves, votes: Votes): string {
  const { incoming, outgoing } = halves;
  const result = voteOf(halves, votes);
  let text = "";
  if (outgoing === null) {
    text += note("self-joint", result, joined(incoming, incoming, votes));
    text += note("empty-joint", result, joined(incoming, [], votes));
    text += note("joint-empty", result, joined([], incoming, votes));
  } else {
    text += note("swapped", result, joined(outgoing, incoming, votes));
  }
  return `${text}${VOTE_NAMES[result]}\n`;
}

function describeCommitted(halves: Halves, acked: Acked): string {
  const { incoming, outgoing } = halves;
  const index = indexOf(halves, acked);
  const other = (a: readonly RaftId[], b: readonly RaftId[]) =>
    jointIndex({ voters: a, votersOutgoing: b }, (id) => acked.get(id) ?? 0);
  let text = describeAcks([...incoming, ...outgoing ?? []], acked);
  if (outgoing === null) {
    text += note("naive", index, naiveIndex(incoming, acked));
    text += note("self-joint", index, other(incoming, incoming));
    text += note("empty-joint", index, other(incoming, []));
    text += note("joint-empty", index, other([], incoming));
    text += noteLowered(halves, acked, index);
  } else {
    const naive = Math.min(
      naiveIndex(incoming, acked),
      naiveIndex(outgoing, acked),
    );
    text += note("naive", index, naive);
    text += note("swapped", index, other(outgoing, incoming));
  }
  return `${text}${index === Infinity ? "∞" : index}\n`;
}

/** What lies below the result does not matter: lowering it changes nothing. */
function noteLowered(halves: Halves, acked: Acked, index: LogIndex): string {
  let text = "";
  for (const id of halves.incoming) {
    const at = acked.get(id) ?? 0;
    if (at === 0 || at >= index) continue;
    for (const lower of [at - 1, 0]) {
      const lowered = new Map(acked).set(id, lower);
      text += note(`lowered ${id}`, index, indexOf(halves, lowered));
    }
  }
  return text;
}

function voteOf({ incoming, outgoing }: Halves, votes: Votes): VoteResult {
  return outgoing === null
    ? majorityVote(incoming, votes)
    : joined(incoming, outgoing, votes);
}

function joined(
  voters: readonly RaftId[],
  votersOutgoing: readonly RaftId[],
  votes: Votes,
): VoteResult {
  return jointVote({ voters, votersOutgoing }, votes);
}

function indexOf({ incoming, outgoing }: Halves, acked: Acked): LogIndex {
  const ackedOf = (id: RaftId) => acked.get(id) ?? 0;
  return outgoing === null
    ? majorityIndex(incoming, ackedOf)
    : jointIndex({ voters: incoming, votersOutgoing: outgoing }, ackedOf);
}

/** Counts for every candidate index how many reached it. */
export function naiveIndex(ids: readonly RaftId[], acked: Acked): LogIndex {
  if (ids.length === 0) return Infinity;
  let best = 0;
  for (const candidate of acked.values()) {
    const reached = ids.filter((id) => (acked.get(id) ?? -1) >= candidate);
    if (reached.length * 2 > ids.length) best = Math.max(best, candidate);
  }
  return best;
}

function note(what: string, result: unknown, other: unknown): string {
  return result === other ? "" : `${other} <-- via ${what}\n`;
}

/** Draws how far each member is, as bars whose length is its rank. */
function describeAcks(ids: readonly RaftId[], acked: Acked): string {
  const ascending = [...new Set(ids)].sort((a, b) => a - b);
  const width = ascending.length;
  if (width === 0) return "<empty majority quorum>";
  let text = `${" ".repeat(width)}    idx\n`;
  for (const id of ascending) {
    const at = acked.get(id);
    const rank = ascending.filter((other) =>
      (acked.get(other) ?? 0) < (at ?? 0)
    ).length;
    const bar = at === undefined
      ? `?${" ".repeat(width)}`
      : `${"x".repeat(rank)}>${" ".repeat(width - rank)}`;
    const index = `${at ?? 0}`.padStart(5);
    text += `${bar} ${index}    (id=${id.toString(16)})\n`;
  }
  return text;
}

function idsOf(words: readonly string[] | null): readonly RaftId[] | null {
  if (words === null) return null;
  return words.filter((word) => word !== "zero").map(Number);
}
