import { assert } from "../base/assert.ts";
import type { Inflights } from "./inflights.ts";
import type { LogIndex, RaftId } from "./types.ts";

/**
 * How a leader feeds a member: one message at a time while it searches the
 * place where the logs meet, a stream once it knows, nothing while a
 * checkpoint is on its way.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/** Records of all members by id, in ascending order of id. */
export type ProgressMap = ReadonlyMap<RaftId, Progress>;

const STATE_NAMES = {
  probe: "StateProbe",
  replicate: "StateReplicate",
  snapshot: "StateSnapshot",
} as const;

/** What a new record starts with. */
export interface ProgressStart {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly isLearner: boolean;
  readonly recentActive: boolean;
  /** Kept: belongs to the record from now on. */
  readonly inflights: Inflights;
}

/**
 * What the leader knows about one member. Mutable: the leader's hot state.
 *
 * Invariant: `match < next` once the member answered. Also kept by followers
 * (never fed), so that a new leader has a record for everyone.
 */
export class Progress {
  /** Highest index known to be durable on the member. */
  match: LogIndex;
  /** First index to send next; a guess while probing. */
  next: LogIndex;
  /** Highest commit index sent to the member in this leadership. */
  sentCommit: LogIndex = 0;
  state: ProgressState = "probe";
  /** Index of the checkpoint on its way, in state "snapshot" only. */
  pendingSnapshot: LogIndex = 0;
  /** Whether the member was heard since the last check of the quorum. */
  recentActive: boolean;
  /** Whether appends wait for an answer or a heartbeat's answer. */
  appendsPaused = false;
  readonly isLearner: boolean;
  readonly inflights: Inflights;

  constructor(start: ProgressStart) {
    this.match = start.match;
    this.next = start.next;
    this.isLearner = start.isLearner;
    this.recentActive = start.recentActive;
    this.inflights = start.inflights;
  }

  /**
   * Copies the record with another role. The copy shares `inflights`, so only
   * one of the two may be used afterwards.
   */
  withLearner(isLearner: boolean): Progress {
    const { match, next, recentActive, inflights } = this;
    const copy = new Progress(
      { match, next, isLearner, recentActive, inflights },
    );
    copy.sentCommit = this.sentCommit;
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.appendsPaused = this.appendsPaused;
    return copy;
  }

  /** Forgets all but the role, for a new leadership or term. */
  reset(match: LogIndex, next: LogIndex): void {
    this.#enter("probe");
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
  }

  /** Starts to search where the logs meet. */
  becomeProbe(): void {
    // A checkpoint that arrived moves the guess past it.
    const known = this.state === "snapshot"
      ? Math.max(this.match, this.pendingSnapshot)
      : this.match;
    this.#enter("probe");
    this.next = known + 1;
    this.#clampSentCommit();
  }

  /** Starts to stream from just after what is known to match. */
  becomeReplicate(): void {
    this.#enter("replicate");
    this.next = this.match + 1;
  }

  /** Stops appends until the checkpoint at `index` is reported or passed. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter("snapshot");
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  /** Accounts for an append of `count` entries, `bytes` of data in all. */
  onAppendSent(count: number, bytes: number): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.appendsPaused = this.inflights.isFull();
      return;
    }
    assert(this.state === "probe", "no append is sent beside a checkpoint");
    if (count > 0) this.appendsPaused = true;
  }

  /** Takes note that `index` is durable there; false when that is no news. */
  maybeUpdate(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.appendsPaused = false;
    return true;
  }

  /**
   * Moves back after the member refused the append that follows `rejected`;
   * `hint` is the last index where the logs may still meet.
   *
   * False when the refusal is stale: its append was not the last one sent.
   */
  maybeDecrement(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
      this.#clampSentCommit();
      return true;
    }
    if (this.next - 1 !== rejected) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.#clampSentCommit();
    this.appendsPaused = false;
    return true;
  }

  /** Tells whether the member would learn something from commit `index`. */
  canBumpCommit(index: LogIndex): boolean {
    return index > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** Tells whether appends have to wait. */
  isPaused(): boolean {
    return this.state === "snapshot" || this.appendsPaused;
  }

  /** One line for operators and transcripts. */
  describe(): string {
    let text = `${STATE_NAMES[this.state]} match=${this.match}` +
      ` next=${this.next}`;
    if (this.isLearner) text += " learner";
    if (this.isPaused()) text += " paused";
    if (this.pendingSnapshot > 0) {
      text += ` pendingSnap=${this.pendingSnapshot}`;
    }
    if (!this.recentActive) text += " inactive";
    if (this.inflights.count > 0) {
      text += ` inflight=${this.inflights.count}`;
      if (this.inflights.isFull()) text += "[full]";
    }
    return text;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.appendsPaused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }

  #clampSentCommit(): void {
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }
}

/** One line per member, ids decimal. */
export function describeProgressMap(progress: ProgressMap): string {
  let text = "";
  for (const [id, record] of progress) text += `${id}: ${record.describe()}\n`;
  return text;
}
