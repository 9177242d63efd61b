import {
  isLocalThread,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MSG_APP,
  MSG_HEARTBEAT,
} from "../../../src/raft/message.ts";
import { raftOptions } from "../../../src/raft/options.ts";
import type { RaftLog } from "../../../src/raft/raft_log.ts";
import { RawNode, type RawReady } from "../../../src/raft/raw_node.ts";
import type { RaftState, ReadState } from "../../../src/raft/state.ts";
import {
  type Entry,
  ENTRY_NORMAL,
  type HardState,
  type LogIndex,
  type RaftId,
  type Snapshot,
} from "../../../src/raft/types.ts";
import type { MemoryStorage } from "../../scenario/memory_storage.ts";
import { type Checkers, fail, newNotes, type Notes } from "./checkers.ts";
import type { Dice } from "./dice.ts";
import {
  applyTo,
  decodeMachine,
  encodeMachine,
  type Machine,
} from "./machine.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

/** The world as a member sees it. */
export interface Surroundings {
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly checkers: Checkers;
  send(from: SimMember, message: Message): void;
  onReads(member: SimMember, reads: readonly ReadState[]): void;
  onApplied(member: SimMember, entry: Entry): void;
  /** Whether faults are over. */
  readonly isCalm: boolean;
  /** Whether anyone reads `trace`. */
  readonly isTracing: boolean;
  trace(text: () => string): void;
}

/** One member: the core, its driver, a disk and a state machine. */
export class SimMember {
  readonly id: RaftId;
  readonly storage: MemoryStorage;
  readonly asyncStorage: boolean;
  boot = 0;
  isUp = false;
  pausedUntil = 0;
  notes: Notes = newNotes(0, 0);
  machine: Machine;
  readonly #world: Surroundings;
  readonly #dice: Dice;
  #node: RawNode | null = null;
  /** Newest commit index that surely survives a crash. */
  #syncedCommit: LogIndex = 0;
  #appends: Message[] = [];
  #applies: Message[] = [];
  #isWriting = false;
  #isApplying = false;
  #ready: RawReady | null = null;

  constructor(
    id: RaftId,
    storage: MemoryStorage,
    options: {
      readonly world: Surroundings;
      readonly dice: Dice;
      readonly asyncStorage: boolean;
    },
  ) {
    this.id = id;
    this.storage = storage;
    this.asyncStorage = options.asyncStorage;
    this.#world = options.world;
    this.#dice = options.dice;
    this.machine = decodeMachine(storage.checkpoint);
  }

  get node(): RawNode {
    return this.#node ?? fail("Simulation", `${this.id} is down`);
  }

  get state(): RaftState {
    return this.node.state;
  }

  get isLeader(): boolean {
    return this.isUp && this.state.role === "leader";
  }

  start(): void {
    const { swarm, checkers } = this.#world;
    const { checkpoint } = this.storage;
    if (
      !swarm.eagerMachine || this.machine.index < checkpoint.metadata.index
    ) this.machine = decodeMachine(checkpoint);
    this.boot += 1;
    this.isUp = true;
    this.#syncedCommit = this.storage.hardState.commit;
    this.#node = new RawNode(
      raftOptions({
        ...swarm.core,
        id: this.id,
        storage: this.storage,
        randomTicks: (count) => this.#dice.below(count),
        applied: this.machine.index,
        confState: this.machine.config,
        log: this.#log(),
      }),
      { asyncStorage: this.asyncStorage },
    );
    const { committed } = this.state.entryLog;
    this.notes = newNotes(committed, this.machine.index);
    this.#world.trace(() => `${this.id} starts, boot ${this.boot}`);
    checkers.after(this);
    this.#tickLater(this.boot);
    this.#pump();
  }

  /** Ends the process: only what is durable stays. */
  crash(): void {
    if (!this.isUp) return;
    this.#world.trace(() => `${this.id} crashes`);
    // A write that was under way may have made it, as a whole or not at all.
    const written = this.#dice.below(this.#appends.length + 1);
    for (const message of this.#appends.slice(0, written)) this.#write(message);
    if (this.#ready !== null && this.#dice.chance(0.5)) {
      this.#persist(this.#ready);
    }
    const { hardState } = this.storage;
    if (this.#dice.chance(0.5)) {
      const commit = Math.min(this.#syncedCommit, hardState.commit);
      this.storage.hardState = { ...hardState, commit };
    }
    this.isUp = false;
    this.boot += 1;
    this.#node = null;
    this.#appends = [];
    this.#applies = [];
    this.#isWriting = false;
    this.#isApplying = false;
    this.#ready = null;
    this.pausedUntil = 0;
  }

  /** Does `act` on the core, then what the core wants done. */
  run(act: (node: RawNode) => void): void {
    if (!this.isUp) return;
    act(this.node);
    this.#pump();
    if (this.isUp) this.#world.checkers.after(this);
  }

  /** Runs `act` later unless the process ends before. */
  later(delay: number, act: () => void): void {
    const { boot } = this;
    const { timeline } = this.#world;
    const attempt = () => {
      if (this.boot !== boot) return;
      if (this.pausedUntil > timeline.now) {
        timeline.after(this.pausedUntil - timeline.now, attempt);
      } else act();
    };
    timeline.after(delay, attempt);
  }

  /**
   * Keeps a checkpoint of the state machine and forgets entries older than the
   * `trailing` last ones before it.
   */
  checkpoint(trailing: number): void {
    const { index, config } = this.machine;
    const { storage } = this;
    if (index <= storage.checkpoint.metadata.index) return;
    const term = storage.term(index);
    if (typeof term !== "number") {
      return fail("Checkpoint", `${this.id} applied ${index}: ${term}`);
    }
    storage.checkpoint = {
      data: encodeMachine(this.machine),
      metadata: { index, term, confState: config },
    };
    const until = index - trailing;
    if (until >= storage.firstIndex()) storage.compact(until);
    this.#world.trace(() => `${this.id} keeps a checkpoint at ${index}`);
  }

  #tickLater(boot: number): void {
    const { skew } = this.#world.swarm.clock;
    const rate = 1 + skew * ((this.id * 7919 % 100) / 100 - 0.5);
    this.later(10 * rate, () => {
      if (this.boot !== boot) return;
      this.run((node) => node.tick());
      this.#tickLater(boot);
    });
  }

  #pump(): void {
    if (this.asyncStorage) {
      while (this.isUp && this.node.hasReady()) this.#takeAsync();
    } else if (this.#ready === null && this.node.hasReady()) this.#takeSync();
  }

  #takeAsync(): void {
    const ready = this.node.ready();
    for (const message of ready.messages) {
      if (message.to === LOCAL_APPEND_THREAD) {
        this.#appends.push(message);
        this.#startWriting();
      } else if (message.to === LOCAL_APPLY_THREAD) {
        for (const { index } of message.entries) {
          if (index > this.storage.lastIndex()) {
            fail("ApplyBeforeDurable", `${this.id} at ${index}`);
          }
        }
        this.#applies.push(message);
        this.#startApplying();
      } else this.#send(message);
    }
    this.#world.onReads(this, ready.readStates);
  }

  #startWriting(): void {
    if (this.#isWriting || this.#appends.length === 0) return;
    this.#isWriting = true;
    const { swarm } = this.#world;
    this.later(this.#dice.exponential(swarm.disk.delayMs), () => {
      this.#isWriting = false;
      const count = this.#dice.between(1, this.#appends.length);
      const group = this.#appends.splice(0, count);
      for (const message of group) this.#write(message);
      if (this.#diesInWrite()) return this.crash();
      for (const message of group) {
        for (const response of message.responses) this.#release(response);
      }
      this.run(() => this.#startWriting());
    });
  }

  #diesInWrite(): boolean {
    const { swarm, isCalm } = this.#world;
    return !isCalm && this.#dice.chance(swarm.disk.crashInWrite);
  }

  #startApplying(): void {
    if (this.#isApplying || this.#applies.length === 0) return;
    this.#isApplying = true;
    const { applyDelayMs } = this.#world.swarm.disk;
    this.later(this.#dice.exponential(applyDelayMs), () => {
      this.#isApplying = false;
      const message = this.#applies.shift();
      if (message === undefined) return;
      this.#apply(message.entries);
      for (const response of message.responses) this.#release(response);
      this.run(() => this.#startApplying());
    });
  }

  #write(message: Message): void {
    const { entries, snapshot, term, vote, commit } = message;
    const isState = term !== 0 || vote !== 0 || commit !== 0;
    this.#persist({
      hardState: isState ? { term, vote, commit } : null,
      snapshot,
      entries,
    });
  }

  #persist(
    batch: {
      readonly hardState: HardState | null;
      readonly snapshot: Snapshot | null;
      readonly entries: readonly Entry[];
    },
  ): void {
    const { storage } = this;
    const prior = storage.hardState;
    const next = batch.hardState ?? prior;
    if (next.term < prior.term) fail("HardStateRegress", `${this.id}`);
    storage.hardState = {
      ...next,
      commit: Math.max(next.commit, prior.commit),
    };
    if (batch.snapshot !== null) this.#install(batch.snapshot);
    const first = batch.entries[0];
    if (first !== undefined) {
      const before = storage.term(first.index - 1);
      this.#world.checkers.onEntries(
        batch.entries,
        typeof before === "number" ? before : null,
      );
      storage.append(batch.entries);
    }
    if (
      first !== undefined || batch.snapshot !== null ||
      next.term !== prior.term || next.vote !== prior.vote
    ) this.#syncedCommit = storage.hardState.commit;
  }

  #install(snapshot: Snapshot): void {
    if (!this.storage.applySnapshot(snapshot)) return;
    this.machine = decodeMachine(snapshot);
    this.notes.applied = this.machine.index;
    this.#world.checkers.onMachine(this.machine);
  }

  #takeSync(): void {
    const ready = this.node.ready();
    this.#ready = ready;
    // A leader's term and vote are durable, so it may send beside its write.
    const early = this.isLeader &&
        this.storage.hardState.term === this.state.term
      ? ready.messages.filter(({ type }) =>
        type === MSG_APP || type === MSG_HEARTBEAT
      )
      : [];
    for (const message of early) this.#send(message);
    const { swarm } = this.#world;
    this.later(this.#dice.exponential(swarm.disk.delayMs), () => {
      this.#ready = null;
      this.#persist(ready);
      if (this.#diesInWrite()) return this.crash();
      for (const message of ready.messages) {
        if (!early.includes(message)) this.#send(message);
      }
      this.#world.onReads(this, ready.readStates);
      this.#apply(ready.committedEntries);
      this.run((node) => node.advance());
    });
  }

  #apply(entries: readonly Entry[]): void {
    const { unstable } = this.state.entryLog;
    const pending = unstable.snapshot?.metadata.index ?? 0;
    for (const entry of entries) {
      // A checkpoint overtook it.
      if (entry.index <= Math.max(this.machine.index, pending)) continue;
      const config = entry.type === ENTRY_NORMAL
        ? this.machine.config
        : this.node.applyConfChange(entry);
      this.machine = applyTo(this.machine, entry, config);
      this.#world.checkers.onApply(this, entry, this.machine);
      this.#world.onApplied(this, entry);
      // A newcomer is let in by a checkpoint that knows it, by no older one.
      if (entry.type !== ENTRY_NORMAL) this.checkpoint(Infinity);
    }
  }

  /** Lets go of a message that waited for the disk. */
  #release(message: Message): void {
    if (!this.isUp) return;
    if (isLocalThread(message.from)) {
      this.node.step(message);
      return;
    }
    if (message.to !== this.id) return this.#send(message);
    this.#world.checkers.onSend(this, message);
    this.node.step(message);
  }

  #send(message: Message): void {
    this.#world.checkers.onSend(this, message);
    this.#world.send(this, message);
  }

  #log(): RaftLog {
    const error = (text: string) => fail("CoreError", text);
    if (!this.#world.isTracing) return { error };
    const show = (text: string) => this.#world.trace(() => `  ${text}`);
    return { info: show, warn: show, error };
  }
}
