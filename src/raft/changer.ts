import { assert } from "../base/assert.ts";
import {
  CHANGE_ADD_LEARNER,
  CHANGE_ADD_VOTER,
  CHANGE_REMOVE,
  changeMode,
  type ConfChange,
  type SingleChange,
} from "./conf_change.ts";
import { type InflightLimits, Inflights } from "./inflights.ts";
import {
  assertMembership,
  isJoint,
  type Membership,
  NO_MEMBERSHIP,
} from "./membership.ts";
import { Progress } from "./progress.ts";
import {
  type ConfState,
  type LogIndex,
  NO_MEMBER,
  type RaftId,
} from "./types.ts";

/** What new records are made of. */
export interface ChangerOptions {
  readonly lastIndex: LogIndex;
  readonly inflights: InflightLimits;
}

/** Why a change cannot be; a text for event lines and transcripts. */
export type ChangeRefusal = string;

/** A membership while it is being made. */
interface Draft {
  readonly voters: Set<RaftId>;
  readonly votersOutgoing: Set<RaftId>;
  readonly learners: Set<RaftId>;
  readonly learnersNext: Set<RaftId>;
  autoLeave: boolean;
  readonly progress: Map<RaftId, Progress>;
}

/**
 * Makes the membership that follows another one.
 *
 * Every method returns the new membership, or a text when the change is not
 * possible; the given membership stays as it was in both cases.
 *
 * Source: Raft dissertation §4.3, with learners.
 */
export class Changer {
  readonly #membership: Membership;
  readonly #options: ChangerOptions;

  constructor(membership: Membership, options: ChangerOptions) {
    this.#membership = membership;
    this.#options = options;
  }

  /** Does what `change` says, by its mode; "none" changes nothing. */
  apply(change: ConfChange): Membership | ChangeRefusal {
    const { changes } = change;
    switch (changeMode(change)) {
      case "none":
        return this.#membership;
      case "simple":
        return this.simple(changes);
      case "enter-joint":
        return this.enterJoint(changes, { autoLeave: false });
      case "enter-joint-auto-leave":
        return this.enterJoint(changes, { autoLeave: true });
      case "leave-joint":
        return this.leaveJoint();
    }
  }

  /** Changes at most one voter, any number of learners. */
  simple(changes: readonly SingleChange[]): Membership | ChangeRefusal {
    if (isJoint(this.#membership.config)) {
      return "can't apply simple config change in joint config";
    }
    const draft = draftOf(this.#membership);
    const refusal = this.#change(draft, changes);
    if (refusal !== null) return refusal;
    if (countChanged(this.#membership.config.voters, draft.voters) > 1) {
      return "more than one voter changed without entering joint config";
    }
    return finish(draft);
  }

  /** Keeps today's voters as the outgoing half, changes the incoming one. */
  enterJoint(
    changes: readonly SingleChange[],
    options: { readonly autoLeave: boolean },
  ): Membership | ChangeRefusal {
    const { config } = this.#membership;
    if (isJoint(config)) return "config is already joint";
    if (config.voters.length === 0) {
      return "can't make a zero-voter config joint";
    }
    const draft = draftOf(this.#membership);
    for (const id of config.voters) draft.votersOutgoing.add(id);
    const refusal = this.#change(draft, changes);
    if (refusal !== null) return refusal;
    draft.autoLeave = options.autoLeave;
    return finish(draft);
  }

  /** Forgets the outgoing half. */
  leaveJoint(): Membership | ChangeRefusal {
    if (!isJoint(this.#membership.config)) {
      return "can't leave a non-joint config";
    }
    const draft = draftOf(this.#membership);
    for (const id of draft.learnersNext) {
      draft.learners.add(id);
      setRole(draft, id, { isLearner: true });
    }
    draft.learnersNext.clear();
    for (const id of draft.votersOutgoing) {
      if (!draft.voters.has(id) && !draft.learners.has(id)) {
        draft.progress.delete(id);
      }
    }
    draft.votersOutgoing.clear();
    draft.autoLeave = false;
    return finish(draft);
  }

  #change(
    draft: Draft,
    changes: readonly SingleChange[],
  ): ChangeRefusal | null {
    for (const { type, id } of changes) {
      if (id === NO_MEMBER) continue;
      if (type === CHANGE_ADD_VOTER) this.#addVoter(draft, id);
      else if (type === CHANGE_ADD_LEARNER) this.#addLearner(draft, id);
      else if (type === CHANGE_REMOVE) remove(draft, id);
    }
    return draft.voters.size === 0 ? "removed all voters" : null;
  }

  #addVoter(draft: Draft, id: RaftId): void {
    draft.voters.add(id);
    draft.learners.delete(id);
    draft.learnersNext.delete(id);
    if (draft.progress.has(id)) setRole(draft, id, { isLearner: false });
    else draft.progress.set(id, this.#newcomer({ isLearner: false }));
  }

  #addLearner(draft: Draft, id: RaftId): void {
    const known = draft.progress.get(id);
    if (known === undefined) {
      draft.learners.add(id);
      draft.progress.set(id, this.#newcomer({ isLearner: true }));
      return;
    }
    if (known.isLearner) return;
    draft.voters.delete(id);
    // Still a voter of the outgoing half: becomes a learner when that goes.
    if (draft.votersOutgoing.has(id)) {
      draft.learnersNext.add(id);
      return;
    }
    draft.learners.add(id);
    setRole(draft, id, { isLearner: true });
  }

  #newcomer({ isLearner }: { readonly isLearner: boolean }): Progress {
    const { lastIndex, inflights } = this.#options;
    return new Progress({
      match: 0,
      // Not one past the end: the first append then goes out at once.
      next: Math.max(lastIndex, 1),
      isLearner,
      // It could not answer yet, so it must not look dead.
      recentActive: true,
      inflights: new Inflights(inflights),
    });
  }
}

/**
 * Builds the membership that `config` describes, with fresh records.
 *
 * Returns a text when no sequence of changes leads there.
 */
export function restoreMembership(
  config: ConfState,
  options: ChangerOptions,
): Membership | ChangeRefusal {
  const incoming = [
    ...changesOf(CHANGE_ADD_VOTER, config.voters),
    ...changesOf(CHANGE_ADD_LEARNER, config.learners),
    ...changesOf(CHANGE_ADD_LEARNER, config.learnersNext),
  ];
  if (!isJoint(config)) {
    return simpleSequence(NO_MEMBERSHIP, incoming, options);
  }
  const outgoing = simpleSequence(
    NO_MEMBERSHIP,
    changesOf(CHANGE_ADD_VOTER, config.votersOutgoing),
    options,
  );
  if (typeof outgoing === "string") return outgoing;
  return new Changer(outgoing, options).enterJoint(
    [...changesOf(CHANGE_REMOVE, config.votersOutgoing), ...incoming],
    { autoLeave: config.autoLeave },
  );
}

function simpleSequence(
  from: Membership,
  changes: readonly SingleChange[],
  options: ChangerOptions,
): Membership | ChangeRefusal {
  let membership = from;
  for (const change of changes) {
    const next = new Changer(membership, options).simple([change]);
    if (typeof next === "string") return next;
    membership = next;
  }
  return membership;
}

function changesOf(
  type: SingleChange["type"],
  ids: readonly RaftId[],
): readonly SingleChange[] {
  return ids.map((id) => ({ type, id }));
}

function remove(draft: Draft, id: RaftId): void {
  draft.voters.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  if (!draft.votersOutgoing.has(id)) draft.progress.delete(id);
}

function setRole(
  draft: Draft,
  id: RaftId,
  { isLearner }: { readonly isLearner: boolean },
): void {
  const record = draft.progress.get(id);
  assert(record !== undefined, "every member has a record");
  if (record.isLearner !== isLearner) {
    draft.progress.set(id, record.withLearner(isLearner));
  }
}

function draftOf({ config, progress }: Membership): Draft {
  return {
    voters: new Set(config.voters),
    votersOutgoing: new Set(config.votersOutgoing),
    learners: new Set(config.learners),
    learnersNext: new Set(config.learnersNext),
    autoLeave: config.autoLeave,
    progress: new Map(progress),
  };
}

function finish(draft: Draft): Membership {
  const progress = new Map(
    [...draft.progress].sort(([a], [b]) => a - b),
  );
  const config = Object.freeze({
    voters: ascending(draft.voters),
    votersOutgoing: ascending(draft.votersOutgoing),
    learners: ascending(draft.learners),
    learnersNext: ascending(draft.learnersNext),
    autoLeave: draft.autoLeave,
  });
  const membership = { config, progress };
  assertMembership(membership);
  return membership;
}

function countChanged(
  before: readonly RaftId[],
  after: ReadonlySet<RaftId>,
): number {
  const left = before.filter((id) => !after.has(id)).length;
  const joined = [...after].filter((id) => !before.includes(id)).length;
  return left + joined;
}

function ascending(ids: Iterable<RaftId>): readonly RaftId[] {
  return [...ids].sort((a, b) => a - b);
}
