import { assert } from "../base/assert.ts";
import { EntryLog } from "./log.ts";
import { type Membership, NO_MEMBERSHIP } from "./membership.ts";
import { type Message, NO_ENTRIES } from "./message.ts";
import type { RaftOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { RaftLog } from "./port.ts";
import { ReadQueue } from "./read_queue.ts";
import {
  type Entry,
  type HardState,
  type LogIndex,
  NO_MEMBER,
  type RaftId,
  type Term,
} from "./types.ts";

export type Role = "follower" | "candidate" | "leader" | "pre-candidate";

/** What is worth telling when it changes; volatile. */
export interface SoftState {
  readonly lead: RaftId;
  readonly role: Role;
}

/** A confirmed read: the state at `index` or later answers it. */
export interface ReadState {
  readonly index: LogIndex;
  readonly token: Uint8Array;
}

/** Stable entries that `peer` should get and that are not in memory. */
export interface NeedEntries {
  readonly ticket: number;
  readonly peer: RaftId;
  readonly from: LogIndex;
  readonly until: LogIndex;
  readonly bytesMax: number;
}

/**
 * All that one member knows, in one place; the functions of this folder work
 * on it. Mutable, but without a clock, randomness, I/O or promises of its own.
 */
export class RaftState {
  readonly id: RaftId;
  readonly options: RaftOptions;
  readonly log: RaftLog | null;
  readonly entryLog: EntryLog;

  term: Term = 0;
  vote: RaftId = NO_MEMBER;
  role: Role = "follower";
  lead: RaftId = NO_MEMBER;
  membership: Membership = NO_MEMBERSHIP;
  isLearner = false;

  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** Ticks without a leader before this member campaigns. */
  electionTimeout = 0;
  readonly votes = new Map<RaftId, boolean>();

  leadTransferee: RaftId = NO_MEMBER;
  /** Nothing above this index may change the membership until applied. */
  pendingConfIndex: LogIndex = 0;
  /** Index of the entry or checkpoint the membership comes from. */
  confIndex: LogIndex = 0;
  uncommittedBytes = 0;

  reads = new ReadQueue();
  /** Reads that wait for the first commit in this leader's term. */
  parkedReads: Message[] = [];
  readStates: ReadState[] = [];

  /** What may leave now. */
  messages: Message[] = [];
  /** What waits until all that is known now is durable. */
  afterAppend: Message[] = [];

  /** Who waits for entries from disk; our own id waits to apply them. */
  readonly fetches = new Map<RaftId, NeedEntries>();
  /** Entries from disk that are to be applied next. */
  fetched: readonly Entry[] = NO_ENTRIES;
  needs: NeedEntries[] = [];
  nextTicket = 1;
  /** Ticks since a checkpoint was sent, by member. */
  readonly snapshotElapsed = new Map<RaftId, number>();
  /** Commit index from which on the end of the log is beyond doubt. */
  suspectUntil: LogIndex;
  /** Ticks left in which a leader of before the start may count on us. */
  quietTicks: number;

  constructor(options: RaftOptions) {
    this.id = options.id;
    this.options = options;
    this.log = options.log;
    this.suspectUntil = options.tailSuspect;
    this.quietTicks = options.quietTicks;
    this.entryLog = new EntryLog(
      options.storage,
      options.applyBytesMax,
      options.log,
    );
  }

  hardState(): HardState {
    const { term, vote } = this;
    return { term, vote, commit: this.entryLog.committed };
  }

  /** Tells whether this member may campaign. */
  isPromotable(): boolean {
    const own = this.membership.progress.get(this.id);
    return own !== undefined && !own.isLearner &&
      !this.entryLog.hasPendingSnapshot() && !this.isTailSuspect();
  }

  /** Tells whether entries that this member acknowledged may be missing here. */
  isTailSuspect(): boolean {
    return this.suspectUntil > this.entryLog.committed;
  }

  /** Record of the leader about itself. */
  ownProgress(): Progress {
    const own = this.membership.progress.get(this.id);
    assert(own !== undefined, "a leader has a record of itself");
    return own;
  }
}
