import { present } from "../../../src/base/assert.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import {
  type ConfChange,
  encodeConfChange,
} from "../../../src/raft/conf_change.ts";
import { checkProgress } from "../../../src/raft/invariants.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import {
  type DraftMessage,
  draftMessage,
  type Message,
  type MessageType,
} from "../../../src/raft/message.ts";
import { type RaftOptions, raftOptions } from "../../../src/raft/options.ts";
import { RawNode } from "../../../src/raft/raw_node.ts";
import type { RaftState, ReadState } from "../../../src/raft/state.ts";
import { step } from "../../../src/raft/step.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
  type RaftId,
} from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";

/** Options of upstream's tests: nothing on that a test does not ask for. */
const PLAIN = {
  electionTicks: 10,
  heartbeatTicks: 1,
  messageBytesMax: Infinity,
  applyBytesMax: Infinity,
  uncommittedBytesMax: Infinity,
  inflightCountMax: 256,
  inflightBytesMax: 0,
  preVote: false,
  checkQuorum: false,
  stepDownOnRemoval: false,
  snapshotTicksMax: 0,
} satisfies Partial<RaftOptions>;

export interface MemberOptions extends Partial<RaftOptions> {
  readonly config?: Partial<ConfState>;
  readonly memory?: MemoryStorage;
  readonly asyncStorage?: boolean;
}

/** One node with a stable log in memory. */
export class Member {
  readonly id: RaftId;
  readonly storage: MemoryStorage;
  readonly raw: RawNode;
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];

  constructor(id: RaftId, given: MemberOptions = {}) {
    const { config, memory, asyncStorage = false, ...options } = given;
    this.id = id;
    this.storage = memory ?? MemoryStorage.from({
      confState: { ...NO_CONFIG, ...config },
    });
    this.raw = new RawNode(
      raftOptions({
        ...PLAIN,
        randomTicks: () => 0,
        ...options,
        id,
        storage: this.storage,
      }),
      { asyncStorage },
    );
  }

  get state(): RaftState {
    return this.raw.state;
  }

  /** Stores, applies and answers for everything; returns what leaves. */
  settle(): readonly Message[] {
    const sent: Message[] = [];
    while (this.raw.hasReady()) {
      const ready = this.raw.ready();
      if (ready.hardState !== null) this.storage.hardState = ready.hardState;
      if (ready.snapshot !== null) this.storage.applySnapshot(ready.snapshot);
      this.storage.append(ready.entries);
      sent.push(...ready.messages);
      this.reads.push(...ready.readStates);
      for (const entry of ready.committedEntries) {
        this.applied.push(entry);
        if (entry.type !== ENTRY_NORMAL) this.raw.applyConfChange(entry);
      }
      this.raw.advance();
    }
    return sent;
  }

  /** Steps past the filter for messages from outside. */
  step(message: Message): boolean {
    return step(this.state, message);
  }

  ticks(count: number): void {
    for (let i = 0; i < count; i += 1) this.raw.tick();
  }

  propose(text: string): boolean {
    return this.raw.propose(utf8(text)) === null;
  }

  proposeChange(change: ConfChange): boolean {
    const data = encodeConfChange(change);
    return this.raw.propose(data, ENTRY_CONF_CHANGE_V2) === null;
  }

  /** Data of what was applied, as text; empty entries left out. */
  appliedTexts(): readonly string[] {
    return this.applied
      .filter(({ type, data }) => type === ENTRY_NORMAL && data.length > 0)
      .map(({ data }) => new TextDecoder().decode(data));
  }
}

/** Members that hear each other at once, unless a link is cut. */
export class Network {
  readonly members = new Map<RaftId, Member>();
  /** Everything that left a member, dropped or not. */
  readonly traffic: Message[] = [];
  readonly #cuts = new Set<string>();
  readonly #droppedTypes = new Set<MessageType>();

  constructor(...members: readonly Member[]) {
    for (const member of members) this.members.set(member.id, member);
  }

  /** Voters 1 to `count` with the same options. */
  static of(count: number, options: MemberOptions = {}): Network {
    const voters = Array.from({ length: count }, (_, i) => i + 1);
    return new Network(
      ...voters.map((id) => new Member(id, { config: { voters }, ...options })),
    );
  }

  at(id: RaftId): Member {
    return present(this.members.get(id), `member ${id}`);
  }

  cut(a: RaftId, b: RaftId): void {
    this.#cuts.add(`${a}>${b}`);
    this.#cuts.add(`${b}>${a}`);
  }

  isolate(id: RaftId): void {
    for (const other of this.members.keys()) {
      if (other !== id) this.cut(id, other);
    }
  }

  drop(type: MessageType): void {
    this.#droppedTypes.add(type);
  }

  heal(): void {
    this.#cuts.clear();
    this.#droppedTypes.clear();
  }

  /** Runs until nobody has anything to do. */
  settle(): void {
    let pending: Message[] = [];
    do {
      for (const message of pending) {
        const to = this.members.get(message.to);
        if (to !== undefined && this.#passes(message)) to.step(message);
      }
      pending = [];
      for (const member of this.members.values()) {
        pending.push(...member.settle().map(freezeMessage));
        checkProgress(member.state);
      }
      this.traffic.push(...pending);
    } while (pending.length > 0);
  }

  /** Delivers `messages`, then settles. */
  send(...messages: readonly Message[]): void {
    for (const message of messages) {
      this.at(message.to).step(freezeMessage(message));
    }
    this.settle();
  }

  campaign(id: RaftId): void {
    this.at(id).raw.campaign();
    this.settle();
  }

  propose(id: RaftId, text: string): boolean {
    const taken = this.at(id).propose(text);
    this.settle();
    return taken;
  }

  ticks(id: RaftId, count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.at(id).raw.tick();
      this.settle();
    }
  }

  #passes({ from, to, type }: Message): boolean {
    return !this.#cuts.has(`${from}>${to}`) && !this.#droppedTypes.has(type);
  }
}

/** Makes a change of what was sent fail. */
function freezeMessage(message: Message): Message {
  Object.freeze(message.entries);
  for (const entry of message.entries) Object.freeze(entry);
  return Object.freeze(message);
}

/** A message of `type` with `fields` set. */
export function messageOf(
  type: MessageType,
  fields: Partial<DraftMessage> & { readonly to: RaftId },
): Message {
  return { ...draftMessage(type, fields.to), ...fields };
}

/** A normal entry holding `text`. */
export function entryOf(index: number, term: number, text = ""): Entry {
  return { type: ENTRY_NORMAL, term, index, data: utf8(text) };
}

/** Messages of `type` among `messages`. */
export function ofType(
  messages: readonly Message[],
  type: MessageType,
): readonly Message[] {
  return messages.filter((message) => message.type === type);
}
