import { NO_CONFIG, voterIds } from "../../../src/raft/membership.ts";
import {
  type Message,
  messageName,
  MSG_VOTE_RESP,
} from "../../../src/raft/message.ts";
import { jointVote } from "../../../src/raft/quorum.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_NORMAL,
  type LogIndex,
  type RaftId,
} from "../../../src/raft/types.ts";
import { MemoryStorage } from "../../scenario/memory_storage.ts";
import { proposeConfChange, proposePoison } from "./admin.ts";
import { Checkers, ENTRY_BYTES_MAX, fail } from "./checkers.ts";
import { Dice, foldHash } from "./dice.ts";
import { SimMember, type Surroundings } from "./member.ts";
import { Network } from "./network.ts";
import {
  CALM_DISK,
  CALM_NET,
  drawSwarm,
  type Swarm,
  TICK_MS,
} from "./swarm.ts";
import { Timeline } from "./timeline.ts";

/** Index of the checkpoint that founding members start from. */
const FOUNDING_INDEX = 2;
const IDS_MAX = 14;
const CALM_MS_MAX = 20_000;
const TRACE_LINES = 400;

export interface RunOptions {
  /** Events of the phase with faults. */
  readonly eventsMax: number;
  /** Keeps the last lines of what happened. */
  readonly isTracing?: boolean;
}

/** What became of a run. */
export interface RunResult {
  readonly events: number;
  readonly commits: number;
  /** Number for everything that happened, the same for the same seed. */
  readonly hash: number;
}

/** A group of members under faults, all of it from one seed. */
export class Group implements Surroundings {
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly checkers = new Checkers();
  readonly isTracing: boolean;
  disk: Swarm["disk"];
  readonly lines: string[] = [];
  readonly #dice: Dice;
  readonly #seedDice: Dice;
  readonly #members = new Map<RaftId, SimMember>();
  readonly #network: Network;
  #isCalm = false;
  readonly #reads = new Map<number, LogIndex>();
  #nextRead = 1;
  #nextPayload = 1;
  #nextId: RaftId;
  #hash = 0;

  constructor(seed: string, options: RunOptions) {
    this.#seedDice = new Dice(seed);
    this.isTracing = options.isTracing === true;
    this.swarm = drawSwarm(this.#seedDice.split("swarm"));
    this.disk = this.swarm.disk;
    this.timeline = new Timeline(this.#seedDice.split("time"));
    this.#dice = this.#seedDice.split("actors");
    this.#network = new Network(
      this.swarm.net,
      this,
      this.#seedDice.split("net"),
    );
    const { voters, learners } = this.swarm;
    this.#nextId = voters + learners + 1;
    const config: ConfState = {
      ...NO_CONFIG,
      voters: Array.from({ length: voters }, (_, nth) => nth + 1),
      learners: Array.from({ length: learners }, (_, nth) => voters + nth + 1),
    };
    this.checkers.found(FOUNDING_INDEX, 1);
    for (const id of [...config.voters, ...config.learners]) {
      this.#join(
        id,
        MemoryStorage.from({
          index: FOUNDING_INDEX,
          term: 1,
          confState: config,
        }),
      );
    }
  }

  /** Runs the phase with faults, then without: all has to recover. */
  run(options: RunOptions): RunResult {
    this.#scheduleActors();
    let events = 0;
    while (events < options.eventsMax && this.timeline.step()) events += 1;
    events += this.#recover();
    return { events, commits: this.checkers.commitMax, hash: this.#hash };
  }

  member(id: RaftId): SimMember | undefined {
    return this.#members.get(id);
  }

  send(from: SimMember, message: Message): void {
    const { type, to, term, index } = message;
    this.#hash = foldHash(this.#hash, from.id * 64 + to);
    this.#hash = foldHash(this.#hash, type + term * 64 + index * 4096);
    if (!this.#isCalm && type === MSG_VOTE_RESP && this.#dice.chance(0.01)) {
      this.trace(() => `${from.id} crashes after its ${messageName(type)}`);
      from.later(0, () => this.#crash(from));
    }
    this.#network.send(from, message);
  }

  onRead(member: SimMember, round: number, index: LogIndex): void {
    const least = this.#reads.get(round);
    if (least === undefined || index < least) {
      fail("StaleRead", `${member.id} answered ${index}, not ${least}`);
    }
  }

  onApplied(member: SimMember, entry: Entry): void {
    this.#hash = foldHash(this.#hash, member.id * 4096 + entry.index);
    if (entry.type === ENTRY_NORMAL) return;
    const { config } = member.machine;
    this.trace(() => `${member.id} applied a change at ${entry.index}`);
    if (isMember(config, member.id)) return;
    // Whoever sees that it is removed stops some time later, for good.
    member.later(this.#dice.exponential(500), () => {
      if (!isMember(member.machine.config, member.id)) this.#end(member);
    });
  }

  /** What a leader counts on is on the disks of the others. */
  onLeader(leader: SimMember): void {
    const { entryLog, membership } = leader.state;
    for (const [id, { match }] of membership.progress) {
      const member = this.#members.get(id);
      if (member === undefined || match === 0) continue;
      const term = member.storage.term(match);
      const own = entryLog.term(match);
      if (term === own || term === "compacted" || own === "compacted") continue;
      // Whoever moved on to a later term may have replaced what matched.
      if (member.durableTerm > leader.state.term) continue;
      fail("Match", `${leader.id} counts on ${match} of ${id}: ${term}`);
    }
  }

  trace(text: () => string): void {
    if (!this.isTracing) return;
    this.lines.push(`${this.timeline.now.toFixed(2).padStart(9)} ${text()}`);
    if (this.lines.length > TRACE_LINES) this.lines.shift();
  }

  #join(id: RaftId, storage: MemoryStorage): void {
    const dice = this.#seedDice.split(`member ${id}`);
    const mode = this.swarm.mode === "mixed"
      ? dice.pick(["sync", "async", "core"] as const)
      : this.swarm.mode;
    const options = { world: this, dice, mode };
    const member = new SimMember(id, storage, options);
    this.#members.set(id, member);
    member.start();
  }

  #end(member: SimMember): void {
    this.trace(() => `${member.id} is gone`);
    member.crash();
    this.#members.delete(member.id);
  }

  #crash(member: SimMember): void {
    if (this.#isCalm) return;
    member.crash();
    const delay = this.#dice.exponential(this.#dice.pick([5, 100, 600]));
    this.timeline.after(delay, () => this.#restart(member));
  }

  #restart(member: SimMember): void {
    if (!member.isUp && this.#members.has(member.id)) member.start();
  }

  #scheduleActors(): void {
    this.#repeat("propose", () => this.#propose(this.#someone()));
    this.#repeat("burst", () => {
      const member = this.#leader() ?? this.#someone();
      for (let i = this.#dice.below(12); i > 0; i -= 1) this.#propose(member);
    });
    this.#repeat("read", () => this.#read(this.#someone()));
    this.#repeat("crash", () => this.#crash(this.#someone()));
    this.#repeat("crashLeader", () => {
      const leader = this.#leader();
      if (leader === null) return;
      for (let i = this.#dice.below(4); i > 0; i -= 1) this.#propose(leader);
      leader.later(this.#dice.exponential(3), () => this.#crash(leader));
    });
    this.#repeat("partition", () => this.#partition());
    this.#repeat("isolateLeader", () => this.#isolateLeader());
    this.#repeat("relay", () => this.#relay());
    this.#repeat("typeCut", () => {
      this.#network.cutType();
      this.#healLater();
    });
    this.#repeat("pause", () => {
      const length = this.#dice.exponential(100);
      this.#someone().pausedUntil = this.timeline.now + length;
    });
    this.#scheduleOperators();
  }

  #scheduleOperators(): void {
    const dice = this.#dice;
    this.#repeat("confChange", () => {
      const member = this.#leader() ?? this.#someone();
      if (!member.isUp) return;
      proposeConfChange(member, dice, () => this.#newMember());
    });
    this.#repeat("poison", () => {
      const member = this.#leader() ?? this.#someone();
      if (member.isUp) proposePoison(member, dice);
    });
    this.#repeat("transfer", () => {
      const target = this.#someone().id;
      this.#someone().run((driver) => driver.transferLeader(target));
    });
    this.#repeat("checkpoint", () => {
      const member = this.#someone();
      if (member.isUp) member.checkpoint(dice.pick([0, 0, 3]));
    });
    this.#repeat("forget", () => {
      this.#someone().run((driver) => driver.forgetLeader());
    });
    this.#repeat("campaign", () => {
      this.#someone().run((driver) => driver.campaign());
    });
  }

  /** Does `act` as often as the swarm says, until the calm. */
  #repeat(name: keyof Swarm["rates"], act: () => void): void {
    const rate = this.swarm.rates[name];
    if (rate === 0) return;
    const dice = this.#seedDice.split(name);
    const again = () => {
      this.timeline.after(dice.exponential(1_000 / rate), () => {
        if (this.#isCalm) return;
        act();
        again();
      });
    };
    again();
  }

  #someone(): SimMember {
    return this.#dice.pick([...this.#members.values()]);
  }

  /** A member that believes it leads, if there is one. */
  #leader(): SimMember | null {
    const leaders = [...this.#members.values()].filter((one) => one.isLeader);
    return leaders.length === 0 ? null : this.#dice.pick(leaders);
  }

  #propose(member: SimMember): void {
    const data = new Uint8Array(4 + this.#dice.below(ENTRY_BYTES_MAX - 3));
    new DataView(data.buffer).setUint32(0, this.#nextPayload);
    this.#nextPayload += 1;
    member.run((driver) => driver.propose(data));
  }

  #read(member: SimMember): void {
    const round = this.#nextRead;
    this.#nextRead += 1;
    this.#reads.set(round, this.checkers.commitMax);
    member.run((driver) => driver.readIndex(round));
  }

  #newMember(): RaftId | null {
    if (this.#nextId > IDS_MAX) return null;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#join(id, new MemoryStorage());
    return id;
  }

  #partition(): void {
    const ids = [...this.#members.keys()];
    const group = new Set(ids.filter(() => this.#dice.chance(0.5)));
    const direction = this.#dice.pick(["both", "both", "in", "out"] as const);
    this.trace(() => `cut ${direction} of ${[...group].join(" ")}`);
    this.#network.partition(group, ids, direction);
    this.#healLater();
  }

  /** Cuts a leader off, at times with one follower, and keeps it busy. */
  #isolateLeader(): void {
    const leader = this.#leader();
    if (leader === null) return;
    const group = new Set([leader.id]);
    if (this.#dice.chance(0.4)) group.add(this.#someone().id);
    this.trace(() => `isolate ${[...group].join(" ")}`);
    this.#network.partition(group, [...this.#members.keys()], "both");
    for (let i = this.#dice.below(6); i > 0; i -= 1) this.#propose(leader);
    this.#healLater();
  }

  /**
   * Lets a leader hand entries to one member only, ends it, and makes another
   * one campaign: leaves tails of many terms behind (Raft figure 8).
   */
  #relay(): void {
    const leader = this.#leader();
    if (leader === null) return;
    const heir = this.#someone();
    const group = new Set([leader.id, this.#someone().id]);
    this.#network.partition(group, [...this.#members.keys()], "both");
    this.#propose(leader);
    leader.later(this.#dice.exponential(20), () => {
      this.#crash(leader);
      this.#network.heal();
      heir.run((driver) => driver.campaign());
    });
  }

  #healLater(): void {
    this.timeline.after(this.#dice.exponential(150), () => {
      this.#network.heal();
      this.trace(() => "healed");
    });
  }

  /**
   * Stops all faults; a leader has to appear, commit, and bring everyone up to
   * date within a bounded time.
   */
  #recover(): number {
    this.trace(() => "calm");
    this.#isCalm = true;
    this.#network.heal();
    this.#network.settings = CALM_NET;
    this.disk = CALM_DISK;
    for (const member of this.#members.values()) {
      member.pausedUntil = 0;
      this.#restart(member);
    }
    return this.#settle() + (this.#loseMinority() ? this.#settle() : 0);
  }

  /** Runs until all who are there agree; returns the number of events. */
  #settle(): number {
    const until = this.timeline.now + CALM_MS_MAX;
    const marker = this.checkers.commitMax + 1;
    let events = 0;
    let checkAt = this.timeline.now + 30 * TICK_MS;
    while (this.timeline.now < until && this.timeline.step()) {
      events += 1;
      if (this.timeline.now < checkAt) continue;
      checkAt = this.timeline.now + 10 * TICK_MS;
      if (this.#isSettled(marker)) return events;
      const leader = this.#leader();
      if (leader !== null) this.#propose(leader);
    }
    return fail("Liveness", this.#describe());
  }

  /**
   * Ends some members for good, so that those left are just a quorum: they
   * have to go on alone. False when nobody can be spared.
   */
  #loseMinority(): boolean {
    const leader = this.#leader();
    if (leader === null || !this.#dice.chance(0.5)) return false;
    const { entryLog, membership } = leader.state;
    // What is on its way may change who is a quorum.
    if (entryLog.lastIndex() > entryLog.committed) return false;
    const { config } = membership;
    const votes = new Map(voterIds(config).map((id) => [id, true]));
    let isAnyLost = false;
    for (const id of this.#shuffled([...votes.keys()])) {
      votes.set(id, false);
      const member = this.#members.get(id);
      if (member === undefined || jointVote(config, votes) === "won") {
        isAnyLost = true;
        member?.crash();
        this.#members.delete(id);
      } else votes.set(id, true);
    }
    return isAnyLost;
  }

  #shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, at: this.#dice.u32() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  /** Whether one leader's members all applied what it committed. */
  #isSettled(marker: LogIndex): boolean {
    const leaders = [...this.#members.values()].filter((one) => one.isLeader);
    const leader = leaders
      .sort((a, b) => b.state.term - a.state.term)[0];
    if (leader === undefined) return false;
    const { committed } = leader.state.entryLog;
    const { config, progress } = leader.state.membership;
    if (committed < marker || config.autoLeave) return false;
    for (const id of progress.keys()) {
      const member = this.#members.get(id);
      if (member === undefined) continue;
      if (member.machine.index < committed) return false;
      if (member.state.lead !== leader.id) return false;
    }
    return true;
  }

  #describe(): string {
    return [...this.#members.values()].map((member) => {
      const { role, term, entryLog, membership } = member.state;
      return `${member.id} ${role} term ${term} ${entryLog.describe()} ` +
        `last ${entryLog.lastIndex()} voters ${membership.config.voters}` +
        `&&${membership.config.votersOutgoing}`;
    }).join("\n");
  }
}

function isMember(config: ConfState, id: RaftId): boolean {
  const { voters, votersOutgoing, learners } = config;
  return voters.includes(id) || votersOutgoing.includes(id) ||
    learners.includes(id);
}
