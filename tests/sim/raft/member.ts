import { type Message, MSG_APP_RESP } from "../../../src/raft/message.ts";
import { type RaftOptions, raftOptions } from "../../../src/raft/options.ts";
import type { RaftLog } from "../../../src/raft/port.ts";
import type { RaftState } from "../../../src/raft/state.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
  type RaftId,
  type Snapshot,
} from "../../../src/raft/types.ts";
import type { MemoryStorage } from "../../scenario/memory_storage.ts";
import { CachedStorage } from "./cached_storage.ts";
import { type Checkers, fail, newNotes, type Notes } from "./checkers.ts";
import { CoreDriver } from "./core_driver.ts";
import type { Dice } from "./dice.ts";
import type { Batch, Driver, Host } from "./driver.ts";
import {
  applyTo,
  decodeMachine,
  encodeMachine,
  type Machine,
} from "./machine.ts";
import { RawDriver } from "./raw_driver.ts";
import { type Mode, type Swarm, TICK_MS } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

/** One event fills the windows of all members at most. */
const SENT_MAX = 2_000;

/** The world as a member sees it. */
export interface Surroundings {
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly checkers: Checkers;
  readonly disk: Swarm["disk"];
  /** Whether anyone reads `trace`. */
  readonly isTracing: boolean;
  send(from: SimMember, message: Message): void;
  onRead(member: SimMember, round: number, index: LogIndex): void;
  onApplied(member: SimMember, entry: Entry): void;
  /** Now and then, about a member that leads. */
  onLeader(member: SimMember): void;
  trace(text: () => string): void;
}

/** One member: a core with its driver, a disk and a state machine. */
export class SimMember implements Host {
  readonly id: RaftId;
  readonly storage: MemoryStorage;
  readonly mode: Mode;
  boot = 0;
  isUp = false;
  pausedUntil = 0;
  notes: Notes = newNotes(0, 0);
  machine: Machine;
  readonly #world: Surroundings;
  readonly #dice: Dice;
  #driver: Driver | null = null;
  /** Newest commit index that surely survives a crash. */
  #syncedCommit: LogIndex = 0;
  /** Messages since the last event. */
  #sent = 0;

  constructor(
    id: RaftId,
    storage: MemoryStorage,
    options: {
      readonly world: Surroundings;
      readonly dice: Dice;
      readonly mode: Mode;
    },
  ) {
    this.id = id;
    this.storage = storage;
    this.mode = options.mode;
    this.#world = options.world;
    this.#dice = options.dice;
    this.machine = decodeMachine(storage.checkpoint);
  }

  get driver(): Driver {
    return this.#driver ?? fail("Simulation", `${this.id} is down`);
  }

  get state(): RaftState {
    return this.driver.state;
  }

  get isLeader(): boolean {
    return this.isUp && this.state.role === "leader";
  }

  get durableIndex(): LogIndex {
    return this.storage.lastIndex();
  }

  get durableTerm(): number {
    return this.storage.hardState.term;
  }

  get config(): ConfState {
    return this.machine.config;
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
    this.#driver = this.#makeDriver();
    const { committed } = this.state.entryLog;
    this.notes = newNotes(committed, this.machine.index);
    this.#world.trace(() => `${this.id} starts, boot ${this.boot}`);
    checkers.after(this);
    this.#tickLater();
    this.driver.pump();
  }

  /** Ends the process: only what is durable stays. */
  crash(): void {
    if (!this.isUp) return;
    this.#world.trace(() => `${this.id} crashes`);
    // A write that was under way may have made it, as a whole or not at all.
    const batches = this.driver.unfinished();
    const written = this.#dice.below(batches.length + 1);
    for (const batch of batches.slice(0, written)) this.persist(batch);
    const { hardState } = this.storage;
    if (this.#dice.chance(0.5)) {
      const commit = Math.min(this.#syncedCommit, hardState.commit);
      this.storage.hardState = { ...hardState, commit };
    }
    this.isUp = false;
    this.boot += 1;
    this.#driver = null;
    this.pausedUntil = 0;
  }

  /** Does `act` with the core, then what the core wants done. */
  run(act: (driver: Driver) => void): void {
    if (!this.isUp) return;
    this.#sent = 0;
    act(this.driver);
    if (!this.isUp) return;
    this.driver.pump();
    if (!this.isUp) return;
    this.#world.checkers.after(this);
    if (this.isLeader && this.#dice.chance(0.1)) this.#world.onLeader(this);
  }

  receive(message: Message): void {
    this.#world.checkers.onReceive(this, message);
    this.run((driver) => driver.step(message));
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

  afterWrite(act: () => void): void {
    this.later(this.#dice.exponential(this.#world.disk.delayMs), act);
  }

  afterApply(act: () => void): void {
    this.later(this.#dice.exponential(this.#world.disk.applyDelayMs), act);
  }

  drawGroup(count: number): number {
    return this.#dice.between(1, count);
  }

  diesInWrite(): boolean {
    return this.#dice.chance(this.#world.disk.crashInWrite);
  }

  fetch(
    from: LogIndex,
    until: LogIndex,
    bytesMax: number,
  ): readonly Entry[] {
    const read = this.storage.entries(from, until, bytesMax);
    return typeof read === "string" ? [] : read;
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

  persist(batch: Batch): void {
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

  apply(
    entries: readonly Entry[],
    configAfter: (entry: Entry) => ConfState,
  ): void {
    const { unstable } = this.state.entryLog;
    const pending = unstable.snapshot?.metadata.index ?? 0;
    for (const entry of entries) {
      // A checkpoint overtook it.
      if (entry.index <= Math.max(this.machine.index, pending)) continue;
      const config = entry.type === ENTRY_NORMAL
        ? this.machine.config
        : configAfter(entry);
      this.machine = applyTo(this.machine, entry, config);
      this.#world.checkers.onApply(this, entry, this.machine);
      this.#world.onApplied(this, entry);
      // A newcomer is let in by a checkpoint that knows it, by no older one.
      if (entry.type !== ENTRY_NORMAL) this.checkpoint(Infinity);
    }
  }

  onRead(round: number, index: LogIndex): void {
    this.#world.onRead(this, round, index);
  }

  onOwn(message: Message): void {
    if (message.type === MSG_APP_RESP) {
      this.#world.checkers.onSend(this, message);
    }
  }

  send(message: Message): void {
    if (!this.isUp) return;
    this.#sent += 1;
    if (this.#sent > SENT_MAX) fail("Storm", `${this.id} sends on and on`);
    this.#world.checkers.onSend(this, message);
    this.#world.send(this, message);
  }

  #makeDriver(): Driver {
    const options: RaftOptions = raftOptions({
      ...this.#world.swarm.core,
      id: this.id,
      storage: this.mode === "core"
        ? new CachedStorage(this.storage, {
          cached: this.#world.swarm.cachedEntries,
        })
        : this.storage,
      randomTicks: (count) => this.#dice.below(count),
      applied: this.machine.index,
      confState: this.machine.config,
      log: this.#log(),
    });
    switch (this.mode) {
      case "core":
        return new CoreDriver(this, options);
      case "async":
        return new RawDriver(this, options, { asyncStorage: true });
      case "sync":
        return new RawDriver(this, options, { asyncStorage: false });
    }
  }

  #tickLater(): void {
    const { skew } = this.#world.swarm.clock;
    const rate = 1 + skew * ((this.id * 7919 % 100) / 100 - 0.5);
    this.later(TICK_MS * rate, () => {
      this.run((driver) => driver.tick());
      // Each transfer puts off the next check of the quorum.
      if (this.isUp && this.#world.swarm.rates.transfer === 0) {
        this.#world.checkers.onTick(this);
      }
      this.#tickLater();
    });
  }

  #install(snapshot: Snapshot): void {
    if (!this.storage.applySnapshot(snapshot)) return;
    this.machine = decodeMachine(snapshot);
    this.notes.applied = this.machine.index;
    this.#world.checkers.onMachine(this.machine);
  }

  #log(): RaftLog {
    const error = (text: string) => fail("CoreError", text);
    if (!this.#world.isTracing) return { error };
    const show = (text: string) => this.#world.trace(() => `  ${text}`);
    return { info: show, warn: show, error };
  }
}
