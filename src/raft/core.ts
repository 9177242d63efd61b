import { assert } from "../base/assert.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { type ConfChange, encodeConfChange } from "./conf_change.ts";
import { policyRefusal } from "./conf_policy.ts";
import { type ConfirmedRead, confirmedReads } from "./confirmed_read.ts";
import { applyConfChange, planConfChange } from "./conf_switch.ts";
import { claimTicket } from "./fetch.ts";
import { checkStep, type StepMarks, stepMarks } from "./invariants.ts";
import {
  draftMessage,
  LOCAL_APPLY_THREAD,
  type Message,
  type MessageType,
  MSG_FORGET_LEADER,
  MSG_HUP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_SNAP,
  MSG_SNAP_STATUS,
  MSG_STORAGE_APPLY_RESP,
  MSG_TRANSFER_LEADER,
  MSG_UNREACHABLE,
} from "./message.ts";
import { isWellFormed } from "./message_check.ts";
import type { RaftOptions } from "./options.ts";
import { refusalOf } from "./proposal.ts";
import { stepFromOutside, type StepRefusal } from "./raw_node.ts";
import { encodePosition } from "./read_queue.ts";
import {
  mustSync,
  type Ready,
  ReadySource,
  storageAppendResponse,
} from "./ready.ts";
import { sendFetched } from "./replication.ts";
import { startRaft } from "./start.ts";
import type { NeedEntries, RaftState, SoftState } from "./state.ts";
import {
  type MemberStatus,
  memberStatus,
  type RaftStatus,
  raftStatus,
} from "./status.ts";
import { step } from "./step.ts";
import { tick } from "./tick.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
  type EntryType,
  type HardState,
  NO_MEMBER,
  type RaftId,
  type Snapshot,
  type SnapshotMetadata,
} from "./types.ts";

export type {
  MemberStatus,
  Message,
  NeedEntries,
  RaftStatus,
  SoftState,
  StepRefusal,
};

/**
 * What to write, in order of `seq`: first the checkpoint, then the entries
 * (which replace what is at and above their first index), with the hard state
 * in one piece.
 *
 * Nothing at all to write makes it a mark: it is durable when all before is.
 */
export interface Persist {
  readonly seq: number;
  readonly hardState?: HardState;
  /** Installed into log and state machine before the entries. */
  readonly snapshot?: Snapshot;
  readonly entries: readonly Entry[];
  /** Whether it has to be durable soon: others wait for it. */
  readonly mustSync: boolean;
  /** To be sent once `seq` is durable, not before. */
  readonly afterDurable: readonly Message[];
}

/** What to apply, in order of `seq`; all of it is durable here. */
export interface Apply {
  readonly seq: number;
  readonly entries: readonly Entry[];
}

/** What one pump wants done. Plain data; the parts are independent. */
export interface Effects {
  readonly persist?: Persist;
  /** May leave at once, beside the write. */
  readonly send: readonly Message[];
  readonly apply?: Apply;
  readonly reads: readonly ConfirmedRead[];
  /** To be read from disk; answer with `entriesFetched`. */
  readonly needEntries: readonly NeedEntries[];
  readonly soft?: SoftState;
}

/** Effects while they are being made. */
type DraftEffects = { -readonly [Part in keyof Effects]: Effects[Part] };

/** Work that was handed out and is not done. */
interface PendingPersist {
  readonly seq: number;
  readonly mustSync: boolean;
  /** To this member itself, when `seq` is durable. */
  readonly own: readonly Message[];
}

/**
 * The raft core as a driver sees it: it takes events, and `pump` says what to
 * do about them.
 *
 * 1. Synchronous: no clock, randomness, I/O or promises inside.
 * 2. Between `pump` and the hand-over of its effects there is no await.
 * 3. Answers come back by `seq`, in order; one covers all before it.
 */
export class Core {
  readonly #state: RaftState;
  readonly #source: ReadySource;
  readonly #marks: StepMarks;
  #persists: PendingPersist[] = [];
  #persistSeq = 0;
  #syncsPending = 0;
  #applies: Apply[] = [];
  #applySeq = 0;

  /** @throws {RaftStateMalformedError} When what was stored does not fit. */
  constructor(options: RaftOptions) {
    this.#state = startRaft(options);
    this.#source = new ReadySource(this.#state, { applyUnstable: false });
    this.#marks = stepMarks(this.#state);
  }

  /** What this member knows; only checks and tests look at it. */
  get state(): RaftState {
    return this.#state;
  }

  /** Lets one tick pass. */
  tick(): void {
    tick(this.#state);
    this.#check();
  }

  /**
   * Takes a message from the network; says why if it does not.
   *
   * @throws {RaftLogLostError} When the group counts on entries lost here.
   * @throws {RaftLogConflictError} When a committed entry would change.
   */
  step(message: Message): StepRefusal | null {
    if (message.to !== this.#state.id) return "malformed-message";
    const refusal = stepFromOutside(this.#state, message, isWellFormed);
    this.#check();
    return refusal;
  }

  /** Campaigns now. */
  campaign(): void {
    this.#tell(MSG_HUP, this.#state.id);
  }

  /**
   * Proposes an entry with `data`; false when it was dropped.
   *
   * True promises nothing: the outcome is known when the entry is applied.
   */
  propose(data: Uint8Array): boolean {
    return this.#propose(ENTRY_NORMAL, data);
  }

  /** Proposes a change of membership; says why if it does not. */
  proposeConfChange(change: ConfChange): string | null {
    const state = this.#state;
    if (state.role === "leader") {
      const plan = planConfChange(state, change);
      if (typeof plan === "string") return plan;
      const refusal = refusalOf(state, change) ??
        policyRefusal(state.membership.config, plan.config, state.id);
      if (refusal !== null) return refusal;
    }
    const data = encodeConfChange(change);
    return this.#propose(ENTRY_CONF_CHANGE_V2, data)
      ? null
      : "the proposal was dropped";
  }

  /**
   * Asks for an index that answers reads made until now; comes back as an
   * effect, or never: ask again, as a new round. False when no leader is known.
   */
  readIndex(round: number): boolean {
    if (this.#state.lead === NO_MEMBER) return false;
    const data = encodePosition(round);
    const message = draftMessage(MSG_READ_INDEX, this.#state.id);
    message.entries = [{ type: ENTRY_NORMAL, term: 0, index: 0, data }];
    step(this.#state, message);
    this.#check();
    return true;
  }

  /** Hands leadership to `transferee`; the outcome shows as a new leader. */
  transferLeader(transferee: RaftId): void {
    this.#tell(MSG_TRANSFER_LEADER, transferee);
  }

  /** Makes a follower willing to vote for another leader at once. */
  forgetLeader(): void {
    this.#tell(MSG_FORGET_LEADER, this.#state.id);
  }

  /** Says that a message to `peer` was lost. */
  reportUnreachable(peer: RaftId): void {
    this.#tell(MSG_UNREACHABLE, peer);
  }

  /** Says what became of the checkpoint sent to `peer`; due for each. */
  reportSnapshot(peer: RaftId, { failed }: { readonly failed: boolean }): void {
    const message = draftMessage(MSG_SNAP_STATUS, this.#state.id);
    message.from = peer;
    message.reject = failed;
    step(this.#state, message);
    this.#check();
  }

  /** Answers `needEntries`; no entries when they are gone from the log. */
  entriesFetched(ticket: number, entries: readonly Entry[]): void {
    const peer = claimTicket(this.#state, ticket);
    if (peer === null) return;
    if (peer === this.#state.id) this.#state.fetched = entries;
    else sendFetched(this.#state, peer, entries);
    this.#check();
  }

  /**
   * Offers a checkpoint that was received and verified; true when it replaces
   * log and state machine, which an effect then asks for. Does nothing unless
   * this member follows a leader.
   *
   * What it holds is committed, so it is good under any later leader too.
   */
  offerCheckpoint(metadata: SnapshotMetadata): boolean {
    const state = this.#state;
    if (state.role !== "follower" || state.lead === NO_MEMBER) return false;
    const message = draftMessage(MSG_SNAP, state.id);
    message.from = state.lead;
    message.term = state.term;
    message.snapshot = { data: EMPTY_BYTES, metadata };
    step(state, message);
    this.#check();
    return state.entryLog.unstable.snapshot?.metadata.index === metadata.index;
  }

  /** Says that the end of the log is whole although a crash tore a write. */
  trustTail(): void {
    this.#state.suspectUntil = 0;
  }

  /** Returns what is to be done; `null` when there is nothing. */
  pump(): Effects | null {
    const state = this.#state;
    if (!this.#source.hasAny() && state.needs.length === 0) return null;
    const prior = this.#source.hardState;
    const ready = this.#source.take();
    const effects: DraftEffects = {
      send: ready.messages,
      reads: confirmedReads(ready.readStates),
      needEntries: state.needs,
    };
    // Fresh even when empty: what was handed out must not grow later.
    state.needs = [];
    this.#persistInto(effects, ready, prior);
    if (ready.committedEntries.length > 0) {
      this.#applySeq += 1;
      effects.apply = { seq: this.#applySeq, entries: ready.committedEntries };
      this.#applies.push(effects.apply);
    }
    if (ready.soft !== null) effects.soft = ready.soft;
    return effects;
  }

  /** Says that everything up to `seq` is durable. */
  persisted(seq: number): void {
    assert(seq <= this.#persistSeq, "only what was handed out is durable");
    while (true) {
      const [first] = this.#persists;
      if (first === undefined || first.seq > seq) break;
      this.#persists.shift();
      if (first.mustSync) this.#syncsPending -= 1;
      for (const message of first.own) step(this.#state, message);
    }
    this.#check();
  }

  /**
   * Says that everything up to `seq` is applied, and durably so; switches to
   * the memberships among it.
   */
  applied(seq: number): void {
    assert(seq <= this.#applySeq, "only what was handed out is applied");
    while (true) {
      const [first] = this.#applies;
      if (first === undefined || first.seq > seq) break;
      this.#applies.shift();
      this.#onApplied(first.entries);
    }
    this.#check();
  }

  status(): RaftStatus {
    return raftStatus(this.#state);
  }

  /** What the leader knows of each member; nobody elsewhere. */
  members(): readonly MemberStatus[] {
    return memberStatus(this.#state);
  }

  #propose(type: EntryType, data: Uint8Array): boolean {
    const message = draftMessage(MSG_PROP, this.#state.id);
    message.from = this.#state.id;
    message.entries = [{ type, term: 0, index: 0, data }];
    const taken = step(this.#state, message);
    this.#check();
    return taken;
  }

  #tell(type: MessageType, from: RaftId): void {
    const message = draftMessage(type, this.#state.id);
    message.from = from;
    step(this.#state, message);
    this.#check();
  }

  #onApplied(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.type !== ENTRY_NORMAL) applyConfChange(this.#state, entry);
    }
    const message = draftMessage(MSG_STORAGE_APPLY_RESP, this.#state.id);
    message.from = LOCAL_APPLY_THREAD;
    message.entries = entries;
    step(this.#state, message);
  }

  #persistInto(effects: DraftEffects, ready: Ready, prior: HardState): void {
    const { hardState, snapshot, entries, afterAppend } = ready;
    const writes = entries.length > 0 || hardState !== null ||
      snapshot !== null;
    // A checkpoint is a promise too: the leader counts on it.
    const syncs = snapshot !== null ||
      mustSync(prior, hardState ?? prior, entries);
    const { id } = this.#state;
    const own: Message[] = [];
    const others: Message[] = [];
    for (const message of afterAppend) {
      if (message.to === id) own.push(message);
      else others.push(message);
    }
    // What promises rest on is durable already: nothing to wait for.
    const canLeave = !syncs && this.#syncsPending === 0;
    if (canLeave && others.length > 0) {
      effects.send = [...effects.send, ...others];
    }
    if (!writes && (canLeave || afterAppend.length === 0)) {
      for (const message of own) step(this.#state, message);
      this.#check();
      return;
    }
    const response = storageAppendResponse(this.#state, snapshot);
    if (response !== null) own.push(response);
    this.#persistSeq += 1;
    const seq = this.#persistSeq;
    this.#persists.push({ seq, mustSync: syncs, own });
    if (syncs) this.#syncsPending += 1;
    effects.persist = {
      seq,
      ...(hardState === null ? {} : { hardState }),
      ...(snapshot === null ? {} : { snapshot }),
      entries,
      mustSync: syncs,
      afterDurable: canLeave ? [] : others,
    };
  }

  #check(): void {
    checkStep(this.#marks, this.#state);
  }
}
