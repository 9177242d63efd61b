import { assert } from "../base/assert.ts";
import { applyConfChange } from "./conf_switch.ts";
import {
  draftMessage,
  isLocalMessage,
  isLocalThread,
  isResponseMessage,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MSG_FORGET_LEADER,
  MSG_HUP,
  MSG_PROP,
  MSG_READ_INDEX,
  MSG_SNAP_STATUS,
  MSG_STORAGE_APPEND,
  MSG_STORAGE_APPLY,
  MSG_STORAGE_APPLY_RESP,
  MSG_TRANSFER_LEADER,
  MSG_UNREACHABLE,
} from "./message.ts";
import type { RaftOptions } from "./options.ts";
import {
  mustSync,
  type Ready,
  ReadySource,
  storageAppendResponse,
} from "./ready.ts";
import { startRaft } from "./start.ts";
import type { RaftState } from "./state.ts";
import { step } from "./step.ts";
import { tick } from "./tick.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type EntryType,
  type RaftId,
} from "./types.ts";

/** Why a message was not taken. */
export type StepRefusal =
  | "proposal-dropped"
  | "local-message"
  | "unknown-peer"
  | "malformed-message";

/** A `Ready` as transcripts know it: storage work may be among the messages. */
export interface RawReady extends Omit<Ready, "afterAppend"> {
  /** As upstream: says nothing about a checkpoint, which must sync anyway. */
  readonly mustSync: boolean;
}

/**
 * One member as etcd's raft presents it: `ready` and, unless storage writes
 * are asynchronous, `advance`.
 *
 * For transcripts and tools; programs drive `Core`.
 */
export class RawNode {
  readonly state: RaftState;
  readonly #source: ReadySource;
  readonly #asyncStorage: boolean;
  #onAdvance: Message[] = [];

  constructor(
    options: RaftOptions,
    { asyncStorage }: { readonly asyncStorage: boolean },
  ) {
    this.state = startRaft(options);
    this.#asyncStorage = asyncStorage;
    this.#source = new ReadySource(this.state, {
      applyUnstable: !asyncStorage,
    });
  }

  tick(): void {
    tick(this.state);
  }

  campaign(): void {
    step(this.state, draftMessage(MSG_HUP, this.state.id));
  }

  propose(
    data: Uint8Array,
    type: EntryType = ENTRY_NORMAL,
  ): StepRefusal | null {
    const message = draftMessage(MSG_PROP, this.state.id);
    message.from = this.state.id;
    message.entries = [{ type, term: 0, index: 0, data }];
    return step(this.state, message) ? null : "proposal-dropped";
  }

  readIndex(token: Uint8Array): void {
    const message = draftMessage(MSG_READ_INDEX, this.state.id);
    message.entries = [{ type: ENTRY_NORMAL, term: 0, index: 0, data: token }];
    step(this.state, message);
  }

  transferLeader(transferee: RaftId): void {
    this.#tell(MSG_TRANSFER_LEADER, transferee);
  }

  forgetLeader(): void {
    this.#tell(MSG_FORGET_LEADER, this.state.id);
  }

  reportUnreachable(peer: RaftId): void {
    this.#tell(MSG_UNREACHABLE, peer);
  }

  reportSnapshot(peer: RaftId, { failed }: { readonly failed: boolean }): void {
    const message = draftMessage(MSG_SNAP_STATUS, this.state.id);
    message.from = peer;
    message.reject = failed;
    step(this.state, message);
  }

  /** Takes a message from the network or from a thread of this member. */
  step(message: Message): StepRefusal | null {
    return stepFromOutside(this.state, message);
  }

  applyConfChange(entry: Entry): ConfState {
    return applyConfChange(this.state, entry);
  }

  hasReady(): boolean {
    return this.#source.hasAny();
  }

  /** Takes out all that is to be done. */
  ready(): RawReady {
    const prior = this.#source.hardState;
    const { afterAppend, ...ready } = this.#source.take();
    const next = ready.hardState ?? prior;
    const messages = this.#asyncStorage
      ? this.#withStorageWork(ready, afterAppend)
      : this.#withoutOwn(ready, afterAppend);
    return {
      ...ready,
      messages,
      mustSync: mustSync(prior, next, ready.entries),
    };
  }

  /** Says that the last `ready` is done with. */
  advance(): void {
    assert(!this.#asyncStorage, "async storage answers by messages");
    const messages = this.#onAdvance;
    this.#onAdvance = [];
    for (const message of messages) step(this.state, message);
  }

  #tell(type: number, from: RaftId): void {
    const message = draftMessage(type, this.state.id);
    message.from = from;
    step(this.state, message);
  }

  #withStorageWork(
    ready: Omit<Ready, "afterAppend">,
    afterAppend: readonly Message[],
  ): readonly Message[] {
    const { entries, hardState, snapshot, committedEntries } = ready;
    const messages = [...ready.messages];
    if (
      entries.length > 0 || hardState !== null || snapshot !== null ||
      afterAppend.length > 0
    ) {
      const append = draftMessage(MSG_STORAGE_APPEND, LOCAL_APPEND_THREAD);
      append.from = this.state.id;
      append.entries = entries;
      append.snapshot = snapshot;
      if (hardState !== null) {
        append.term = hardState.term;
        append.vote = hardState.vote;
        append.commit = hardState.commit;
      }
      const response = storageAppendResponse(this.state, snapshot);
      append.responses = response === null
        ? afterAppend
        : [...afterAppend, response];
      messages.push(append);
    }
    if (committedEntries.length > 0) {
      const apply = draftMessage(MSG_STORAGE_APPLY, LOCAL_APPLY_THREAD);
      apply.from = this.state.id;
      apply.entries = committedEntries;
      apply.responses = [this.#applyResponse(committedEntries)];
      messages.push(apply);
    }
    return messages;
  }

  #withoutOwn(
    ready: Omit<Ready, "afterAppend">,
    afterAppend: readonly Message[],
  ): readonly Message[] {
    assert(this.#onAdvance.length === 0, "one ready is out at a time");
    const messages = [...ready.messages];
    for (const message of afterAppend) {
      if (message.to === this.state.id) this.#onAdvance.push(message);
      else messages.push(message);
    }
    const response = storageAppendResponse(this.state, ready.snapshot);
    if (response !== null) this.#onAdvance.push(response);
    if (ready.committedEntries.length > 0) {
      this.#onAdvance.push(this.#applyResponse(ready.committedEntries));
    }
    return messages;
  }

  #applyResponse(entries: readonly Entry[]): Message {
    const response = draftMessage(MSG_STORAGE_APPLY_RESP, this.state.id);
    response.from = LOCAL_APPLY_THREAD;
    response.entries = entries;
    return response;
  }
}

/** Steps `message` unless it cannot have come from where it says. */
export function stepFromOutside(
  state: RaftState,
  message: Message,
  isWellFormed: (message: Message) => boolean = () => true,
): StepRefusal | null {
  const { type, from } = message;
  const isOwnThread = isLocalThread(from);
  if (isLocalMessage(type) && !isOwnThread) return "local-message";
  if (!isWellFormed(message)) return "malformed-message";
  if (
    isResponseMessage(type) && !isOwnThread &&
    !state.membership.progress.has(from)
  ) return "unknown-peer";
  return step(state, message) ? null : "proposal-dropped";
}
