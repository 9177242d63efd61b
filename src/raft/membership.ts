import { assert } from "../base/assert.ts";
import type { ProgressMap } from "./progress.ts";
import type { ConfState, RaftId } from "./types.ts";

/**
 * Who belongs to the group and what is known about each.
 *
 * Never changed in place: a change makes a new one. The records inside are
 * mutable and move on to the new one, except those whose role changed.
 */
export interface Membership {
  /** Id lists ascend. */
  readonly config: ConfState;
  readonly progress: ProgressMap;
}

export const NO_CONFIG: ConfState = Object.freeze({
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
});

export const NO_MEMBERSHIP: Membership = Object.freeze({
  config: NO_CONFIG,
  progress: new Map(),
});

/** Tells whether two halves decide. */
export function isJoint(config: ConfState): boolean {
  return config.votersOutgoing.length > 0;
}

/** Tells whether `id` votes in either half. */
export function isVoter(config: ConfState, id: RaftId): boolean {
  return config.voters.includes(id) || config.votersOutgoing.includes(id);
}

/** Ids that vote in either half, ascending, each once. */
export function voterIds(config: ConfState): readonly RaftId[] {
  if (!isJoint(config)) return config.voters;
  return ascending(new Set([...config.voters, ...config.votersOutgoing]));
}

/** One line for operators and transcripts, ids in hex. */
export function describeConfig(config: ConfState): string {
  let text = `voters=${idList(config.voters)}`;
  if (isJoint(config)) text += `&&${idList(config.votersOutgoing)}`;
  if (config.learners.length > 0) {
    text += ` learners=${idList(config.learners)}`;
  }
  if (config.learnersNext.length > 0) {
    text += ` learners_next=${idList(config.learnersNext)}`;
  }
  if (config.autoLeave) text += " autoleave";
  return text;
}

/**
 * States what holds for every membership.
 *
 * @throws {InvariantError} When it does not.
 */
export function assertMembership({ config, progress }: Membership): void {
  for (const id of config.learnersNext) {
    assert(
      config.votersOutgoing.includes(id),
      "who is to become a learner still votes in the outgoing half",
    );
    assert(
      progress.get(id)?.isLearner === false,
      "who is to become a learner has a voter's record",
    );
  }
  for (const id of config.learners) {
    assert(!isVoter(config, id), "no learner is a voter");
    assert(progress.get(id)?.isLearner === true, "a learner's record says so");
  }
  for (const id of voterIds(config)) {
    assert(progress.get(id)?.isLearner === false, "a voter's record says so");
  }
  if (!isJoint(config)) {
    assert(config.learnersNext.length === 0, "only a joint config stages");
    assert(!config.autoLeave, "only a joint config is left");
  }
}

function ascending(ids: Iterable<RaftId>): readonly RaftId[] {
  return [...ids].sort((a, b) => a - b);
}

function idList(ids: readonly RaftId[]): string {
  return `(${ids.map((id) => id.toString(16)).join(" ")})`;
}
