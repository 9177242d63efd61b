import { assert, present } from "../base/assert.ts";
import { encodingSizeOf } from "./entry_size.ts";
import { appliableOf, requestEntries } from "./fetch.ts";
import {
  draftMessage,
  LOCAL_APPEND_THREAD,
  type Message,
  MSG_STORAGE_APPEND_RESP,
  NO_ENTRIES,
} from "./message.ts";
import type { RaftState, ReadState, SoftState } from "./state.ts";
import type { Entry, HardState, LogIndex, Snapshot } from "./types.ts";

/** All that a member wants done, in one piece; parts may be empty. */
export interface Ready {
  readonly soft: SoftState | null;
  readonly hardState: HardState | null;
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  readonly committedEntries: readonly Entry[];
  /** What may leave at once. */
  readonly messages: readonly Message[];
  /** What waits until entries, hard state and checkpoint are durable. */
  readonly afterAppend: readonly Message[];
}

/**
 * Takes out of a state what is to be done, piece by piece, and remembers what
 * was told before.
 */
export class ReadySource {
  readonly #state: RaftState;
  /** Whether entries may be applied before they are durable here. */
  readonly #applyUnstable: boolean;
  #soft: SoftState;
  #hard: HardState;

  constructor(
    state: RaftState,
    { applyUnstable }: { readonly applyUnstable: boolean },
  ) {
    this.#state = state;
    this.#applyUnstable = applyUnstable;
    this.#soft = { lead: state.lead, role: state.role };
    this.#hard = state.hardState();
  }

  /** Hard state as told last. */
  get hardState(): HardState {
    return this.#hard;
  }

  /** Tells whether `take` would return anything. */
  hasAny(): boolean {
    const { messages, afterAppend, readStates, entryLog } = this.#state;
    return messages.length > 0 || afterAppend.length > 0 ||
      readStates.length > 0 || this.#isSoftNew() || this.#isHardNew() ||
      entryLog.unstable.hasNextEntries() ||
      entryLog.unstable.nextSnapshot() !== null ||
      this.#hasCommitted();
  }

  /** Takes out everything; it counts as in progress from now on. */
  take(): Ready {
    const state = this.#state;
    const { entryLog } = state;
    const { unstable } = entryLog;
    const ready: Ready = {
      soft: this.#takeSoft(),
      hardState: this.#takeHard(),
      readStates: state.readStates,
      entries: unstable.hasNextEntries() ? unstable.nextEntries() : NO_ENTRIES,
      snapshot: unstable.nextSnapshot(),
      committedEntries: this.#takeCommitted(),
      messages: state.messages,
      afterAppend: state.afterAppend,
    };
    // Always fresh: what was handed out must not grow later.
    state.readStates = [];
    state.messages = [];
    state.afterAppend = [];
    unstable.acceptInProgress();
    return ready;
  }

  #takeSoft(): SoftState | null {
    if (!this.#isSoftNew()) return null;
    this.#soft = { lead: this.#state.lead, role: this.#state.role };
    return this.#soft;
  }

  #takeHard(): HardState | null {
    if (!this.#isHardNew()) return null;
    this.#hard = this.#state.hardState();
    return this.#hard;
  }

  #hasCommitted(): boolean {
    return this.#state.entryLog.hasNextCommitted(this.#applyUnstable) &&
      !this.#state.fetches.has(this.#state.id);
  }

  #takeCommitted(): readonly Entry[] {
    if (!this.#hasCommitted()) return NO_ENTRIES;
    const { entryLog } = this.#state;
    const entries = this.#takeFetched() ??
      entryLog.nextCommitted(this.#applyUnstable);
    if (entries === "not-cached") {
      const { applyBytesMax } = this.#state.options;
      const range = this.#committedRange();
      requestEntries(this.#state, this.#state.id, range, applyBytesMax);
      return NO_ENTRIES;
    }
    assert(typeof entries !== "string", "committed entries are in the log");
    const last = present(entries.at(-1), "a committed entry");
    const bytes = encodingSizeOf(entries);
    entryLog.acceptApplying(last.index, bytes, this.#applyUnstable);
    return entries;
  }

  #takeFetched(): readonly Entry[] | null {
    const { fetched, options } = this.#state;
    if (fetched.length === 0) return null;
    this.#state.fetched = NO_ENTRIES;
    const range = this.#committedRange();
    const entries = appliableOf(fetched, range, options.applyBytesMax);
    return entries.length === 0 ? null : entries;
  }

  #committedRange(): { readonly from: LogIndex; readonly until: LogIndex } {
    const { entryLog } = this.#state;
    const until = entryLog.maxAppliable(this.#applyUnstable) + 1;
    return { from: entryLog.applying + 1, until };
  }

  #isSoftNew(): boolean {
    return this.#soft.lead !== this.#state.lead ||
      this.#soft.role !== this.#state.role;
  }

  #isHardNew(): boolean {
    const { term, vote, entryLog } = this.#state;
    return this.#hard.term !== term || this.#hard.vote !== vote ||
      this.#hard.commit !== entryLog.committed;
  }
}

/** Whether what is to be written must be durable before it is answered for. */
export function mustSync(
  prior: HardState,
  next: HardState,
  entries: readonly Entry[],
): boolean {
  return entries.length > 0 || prior.term !== next.term ||
    prior.vote !== next.vote;
}

/**
 * What the log writer answers when it has written what `snapshot` and the
 * unstable entries hold; `null` when there is nothing to answer for.
 *
 * Names the last entry also when it was written before: an answer to it that
 * got an older term in between was ignored, and only this one makes up for it.
 */
export function storageAppendResponse(
  state: RaftState,
  snapshot: Snapshot | null,
): Message | null {
  const { entryLog } = state;
  const hasEntries = entryLog.unstable.length > 0;
  if (!hasEntries && snapshot === null) return null;
  const response = draftMessage(MSG_STORAGE_APPEND_RESP, state.id);
  response.from = LOCAL_APPEND_THREAD;
  response.term = state.term;
  response.snapshot = snapshot;
  if (hasEntries) {
    response.index = entryLog.lastIndex();
    response.logTerm = entryLog.lastTerm();
  }
  return response;
}
