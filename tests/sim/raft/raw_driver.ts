import {
  type ConfChange,
  encodeConfChange,
  TRANSITION_AUTO,
} from "../../../src/raft/conf_change.ts";
import {
  isLocalThread,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MSG_APP,
  MSG_HEARTBEAT,
} from "../../../src/raft/message.ts";
import type { RaftOptions } from "../../../src/raft/options.ts";
import { RawNode, type RawReady } from "../../../src/raft/raw_node.ts";
import {
  decodePosition,
  encodePosition,
} from "../../../src/raft/read_queue.ts";
import type { RaftState, ReadState } from "../../../src/raft/state.ts";
import {
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
  type RaftId,
} from "../../../src/raft/types.ts";
import type { Batch, Driver, Host } from "./driver.ts";
import { fail } from "./checkers.ts";

/** Drives a `RawNode`, with storage writes beside the core or in step. */
export class RawDriver implements Driver {
  readonly #node: RawNode;
  readonly #host: Host;
  readonly #asyncStorage: boolean;
  #appends: Message[] = [];
  #applies: Message[] = [];
  #isWriting = false;
  #isApplying = false;
  #ready: RawReady | null = null;

  constructor(
    host: Host,
    options: RaftOptions,
    { asyncStorage }: { readonly asyncStorage: boolean },
  ) {
    this.#host = host;
    this.#asyncStorage = asyncStorage;
    this.#node = new RawNode(options, { asyncStorage });
  }

  get state(): RaftState {
    return this.#node.state;
  }

  tick(): void {
    this.#node.tick();
  }

  campaign(): void {
    this.#node.campaign();
  }

  step(message: Message): void {
    this.#node.step(message);
  }

  propose(data: Uint8Array): void {
    this.#node.propose(data);
  }

  proposeConfChange(change: ConfChange): void {
    const isV1 = change.changes.length === 1 &&
      change.transition === TRANSITION_AUTO;
    const type = isV1 ? ENTRY_CONF_CHANGE_V1 : ENTRY_CONF_CHANGE_V2;
    this.#node.propose(encodeConfChange(change), type);
  }

  readIndex(round: number): void {
    this.#node.readIndex(encodePosition(round));
  }

  transferLeader(transferee: RaftId): void {
    this.#node.transferLeader(transferee);
  }

  forgetLeader(): void {
    this.#node.forgetLeader();
  }

  reportUnreachable(peer: RaftId): void {
    this.#node.reportUnreachable(peer);
  }

  reportSnapshot(peer: RaftId, options: { readonly failed: boolean }): void {
    this.#node.reportSnapshot(peer, options);
  }

  pump(): void {
    if (this.#asyncStorage) {
      while (this.#host.isUp && this.#node.hasReady()) this.#takeAsync();
    } else if (this.#ready === null && this.#node.hasReady()) this.#takeSync();
  }

  unfinished(): readonly Batch[] {
    if (this.#ready !== null) return [this.#ready];
    return this.#appends.map(batchOf);
  }

  #takeAsync(): void {
    const ready = this.#node.ready();
    for (const message of ready.messages) {
      if (message.to === LOCAL_APPEND_THREAD) {
        this.#appends.push(message);
        this.#startWriting();
      } else if (message.to === LOCAL_APPLY_THREAD) {
        const last = message.entries.at(-1)?.index ?? 0;
        if (last > this.#host.durableIndex) {
          fail("ApplyBeforeDurable", `${this.#host.id} at ${last}`);
        }
        this.#applies.push(message);
        this.#startApplying();
      } else this.#host.send(message);
    }
    this.#giveReads(ready.readStates);
  }

  #startWriting(): void {
    if (this.#isWriting || this.#appends.length === 0) return;
    this.#isWriting = true;
    const host = this.#host;
    host.afterWrite(() => {
      this.#isWriting = false;
      const count = host.drawGroup(this.#appends.length);
      const group = this.#appends.splice(0, count);
      for (const message of group) host.persist(batchOf(message));
      if (host.diesInWrite()) return host.crash();
      for (const message of group) {
        for (const response of message.responses) this.#release(response);
      }
      host.run(() => this.#startWriting());
    });
  }

  #startApplying(): void {
    if (this.#isApplying || this.#applies.length === 0) return;
    this.#isApplying = true;
    const host = this.#host;
    host.afterApply(() => {
      this.#isApplying = false;
      const message = this.#applies.shift();
      if (message === undefined) return;
      this.#apply(message.entries);
      for (const response of message.responses) this.#release(response);
      host.run(() => this.#startApplying());
    });
  }

  #takeSync(): void {
    const ready = this.#node.ready();
    this.#ready = ready;
    const host = this.#host;
    // A leader's term and vote are durable, so it may send beside its write.
    const early = this.state.role === "leader" &&
        host.durableTerm === this.state.term
      ? ready.messages.filter(({ type }) =>
        type === MSG_APP || type === MSG_HEARTBEAT
      )
      : [];
    for (const message of early) host.send(message);
    host.afterWrite(() => {
      this.#ready = null;
      host.persist(ready);
      if (host.diesInWrite()) return host.crash();
      for (const message of ready.messages) {
        if (!early.includes(message)) host.send(message);
      }
      this.#giveReads(ready.readStates);
      this.#apply(ready.committedEntries);
      host.run(() => this.#node.advance());
    });
  }

  #apply(entries: RawReady["entries"]): void {
    this.#host.apply(entries, (entry) => this.#node.applyConfChange(entry));
  }

  /** Lets go of a message that waited for the disk. */
  #release(message: Message): void {
    if (!this.#host.isUp) return;
    if (!isLocalThread(message.from) && message.to !== this.#host.id) {
      this.#host.send(message);
      return;
    }
    if (!isLocalThread(message.from)) this.#host.onOwn(message);
    this.#node.step(message);
  }

  #giveReads(reads: readonly ReadState[]): void {
    for (const { index, token } of reads) {
      this.#host.onRead(decodePosition(token) ?? 0, index);
    }
  }
}

function batchOf(message: Message): Batch {
  const { entries, snapshot, term, vote, commit } = message;
  const isState = term !== 0 || vote !== 0 || commit !== 0;
  return {
    hardState: isState ? { term, vote, commit } : null,
    snapshot,
    entries,
  };
}
