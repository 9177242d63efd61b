import { present } from "../../../src/base/assert.ts";
import { Core, type Effects, type Message } from "../../../src/raft/core.ts";
import type { ConfirmedRead } from "../../../src/raft/confirmed_read.ts";
import { NO_CONFIG } from "../../../src/raft/membership.ts";
import { type RaftOptions, raftOptions } from "../../../src/raft/options.ts";
import type {
  ConfState,
  Entry,
  RaftId,
  Snapshot,
} from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";

/** A core whose effects are carried out at once, but for sending. */
export class DrivenCore {
  readonly id: RaftId;
  readonly core: Core;
  readonly storage: MemoryStorage;
  readonly applied: Entry[] = [];
  readonly reads: ConfirmedRead[] = [];
  readonly installed: Snapshot[] = [];
  /** Called before the core hears that `entries` are applied. */
  onApply: (entries: readonly Entry[]) => void = () => {};

  constructor(
    id: RaftId,
    config: Partial<ConfState>,
    { storage, ...options }: Partial<RaftOptions> = {},
  ) {
    this.id = id;
    this.storage = (storage as MemoryStorage | undefined) ??
      MemoryStorage.from({
        index: 2,
        term: 1,
        confState: { ...NO_CONFIG, ...config },
      });
    this.core = new Core(raftOptions({
      id,
      storage: this.storage,
      applied: this.storage.firstIndex() - 1,
      randomTicks: () => 0,
      ...options,
    }));
  }

  /** Runs until nothing is to be done; returns what leaves. */
  settle(): readonly Message[] {
    const sent: Message[] = [];
    for (;;) {
      const effects = this.core.pump();
      if (effects === null) return sent;
      sent.push(...effects.send, ...this.#carryOut(effects));
    }
  }

  ticks(count: number): void {
    for (let i = 0; i < count; i += 1) this.core.tick();
  }

  #carryOut(effects: Effects): readonly Message[] {
    const { persist, apply, reads, needEntries } = effects;
    this.reads.push(...reads);
    if (persist !== undefined) {
      if (persist.hardState !== undefined) {
        this.storage.hardState = persist.hardState;
      }
      if (persist.snapshot !== undefined) {
        this.storage.applySnapshot(persist.snapshot);
        this.installed.push(persist.snapshot);
      }
      this.storage.append(persist.entries);
      this.core.persisted(persist.seq);
    }
    if (apply !== undefined) {
      this.applied.push(...apply.entries);
      this.onApply(apply.entries);
      this.core.applied(apply.seq);
    }
    for (const { ticket, from, until, bytesMax } of needEntries) {
      const entries = this.storage.entries(from, until, bytesMax);
      const found = typeof entries === "string" ? [] : entries;
      this.core.entriesFetched(ticket, found);
    }
    return persist?.afterDurable ?? [];
  }
}

/** Cores that hear each other at once, unless they are cut off. */
export class CoreGroup {
  readonly members = new Map<RaftId, DrivenCore>();
  readonly isolated = new Set<RaftId>();
  /** Whether a message never arrives. */
  isLost: (message: Message) => boolean = () => false;

  constructor(...members: readonly DrivenCore[]) {
    for (const member of members) this.members.set(member.id, member);
  }

  /** Voters 1 to `count`. */
  static of(count: number, options: Partial<RaftOptions> = {}): CoreGroup {
    const voters = Array.from({ length: count }, (_, i) => i + 1);
    return new CoreGroup(
      ...voters.map((id) => new DrivenCore(id, { voters }, options)),
    );
  }

  at(id: RaftId): DrivenCore {
    return present(this.members.get(id), `member ${id}`);
  }

  core(id: RaftId): Core {
    return this.at(id).core;
  }

  settle(): void {
    let pending: readonly Message[] = [];
    do {
      for (const message of pending) {
        const isCut = this.isolated.has(message.from) ||
          this.isolated.has(message.to) || this.isLost(message);
        if (!isCut) this.members.get(message.to)?.core.step(message);
      }
      pending = [...this.members.values()].flatMap((one) => one.settle());
    } while (pending.length > 0);
  }

  campaign(id: RaftId): void {
    this.core(id).campaign();
    this.settle();
  }

  ticks(count: number): void {
    for (let i = 0; i < count; i += 1) {
      for (const { core } of this.members.values()) core.tick();
      this.settle();
    }
  }

  leader(): RaftId | null {
    for (const { id, core } of this.members.values()) {
      if (core.state.role === "leader") return id;
    }
    return null;
  }
}
