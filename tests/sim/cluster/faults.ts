import type { Dice } from "../raft/dice.ts";
import type { Host } from "./host.ts";
import { FAULT_KINDS, type FaultKind } from "./swarm.ts";
import type { World } from "./world.ts";

/** How long a fault that ends by itself lasts, in virtual ms. */
const FAULT_MS_MEAN = 2_500;
/** Between the fastest clock and the slowest: less than leases allow for. */
const DRIFT_MAX = 0.08;
const RESTART_IN_PEACE_MS = 200;
const RESTART_MS = [0, 100, 1_000, 6_000] as const;

/** Makes things go wrong until told to stop. */
export class Faults {
  readonly #world: World;
  readonly #dice: Dice;
  #isOver = false;
  #count = 0;

  constructor(world: World) {
    this.#world = world;
    this.#dice = world.dice.split("faults");
  }

  start(): void {
    for (const kind of FAULT_KINDS) {
      const mean = this.#world.swarm.everySeconds[kind] * 1_000;
      if (mean > 0) this.#next(kind, mean);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Starts `host` again, some time after it has gone. */
  restart(host: Host): void {
    const delay = this.#isOver
      ? RESTART_IN_PEACE_MS
      : this.#dice.pick(RESTART_MS);
    this.#after(delay, () => host.start());
  }

  /** A node wrote to its log that it does something with a checkpoint. */
  heard(host: Host, line: string): void {
    const isWanted = this.#world.swarm.everySeconds["crash-in-transfer"] > 0;
    if (this.#isOver || !isWanted || !line.includes("checkpoint_")) return;
    if (this.#dice.chance(0.2)) host.armCrash(this.#dice.between(1, 40));
  }

  #next(kind: FaultKind, mean: number): void {
    this.#after(this.#dice.exponential(mean), () => {
      if (this.#isOver) return;
      this.#cause(kind);
      this.#next(kind, mean);
    });
  }

  #cause(kind: FaultKind): void {
    const world = this.#world;
    const { network } = world;
    const dice = this.#dice;
    // Whatever happens to the leader is worth more.
    const leader = dice.chance(0.4) ? world.leader() : null;
    const host = leader ?? dice.pick(world.hosts);
    switch (kind) {
      case "reset":
        return network.reset(...network.pick());
      case "partition":
        return this.#part(world.someHosts(dice), dice.chance(0.4));
      case "isolate-leader":
        return this.#part([world.leader() ?? host], dice.chance(0.4));
      case "leader-with-one":
        return this.#leaveOne(world.leader() ?? host);
      case "hold":
        host.hold();
        return this.#for(() => host.resume());
      case "drift":
        host.skew.setRate(1 + (dice.u32() / 2 ** 32 - 0.5) * DRIFT_MAX);
        return;
      case "jump":
        host.skew.wallOffsetMs += dice.between(-5_000, 5_000);
        return;
      case "crash":
        return this.#crash(host);
      case "crash-in-operation":
        return host.armCrash(dice.between(1, 60));
      case "crash-in-transfer":
        // Comes with checkpoints: see `heard`.
        return;
      case "crash-all":
        for (const each of world.hosts) this.#crash(each);
        return;
      case "restart":
        return host.stop();
      case "slow-disk": {
        const { device } = host;
        device.slowness = dice.pick([10, 100, 500]);
        return this.#for(() => void (device.slowness = 1));
      }
      case "fail-sync":
        return this.#excused(host, "sync", () => {
          host.disk.failSyncAt = host.disk.syncs + dice.between(1, 5);
        });
      case "fail-store":
        return this.#excused(host, "store", () => {
          host.device.failingCommits = dice.between(1, 3);
        });
      case "no-space":
        return this.#fill(host);
      case "damage-read":
        return this.#damageRead(host);
      case "empty-disk":
        return this.#emptyDisk(host);
      case "member":
        return world.operator.act();
    }
  }

  #part(some: readonly Host[], isOneWay: boolean): void {
    const names = some.map(({ name }) => name);
    const reason = this.#reason();
    const how = isOneWay ? "is not heard" : "is apart";
    this.#world.note(`${names.join()} ${how} (${reason})`);
    this.#world.network.part(names, isOneWay, reason);
    this.#for(() => this.#heal(reason));
  }

  /** The leader reaches exactly one other member. */
  #leaveOne(leader: Host): void {
    const { hosts, network } = this.#world;
    const others = hosts.filter((host) => host !== leader);
    if (others.length < 2) return;
    const kept = this.#dice.pick(others);
    const reason = this.#reason();
    this.#world.note(`${leader.name} has only ${kept.name} (${reason})`);
    for (const other of others) {
      if (other === kept) continue;
      network.cut(leader.name, other.name, reason);
      network.cut(other.name, leader.name, reason);
    }
    this.#for(() => this.#heal(reason));
  }

  #crash(host: Host): void {
    if (!host.isRunning) return;
    host.crash(this.#dice.pick(["kill", "power"]));
  }

  #fill(host: Host): void {
    this.#excused(host, "space", () => {
      const { disk } = host;
      disk.capacityBytes = 0;
      this.#for(() => void (disk.capacityBytes = Infinity));
    });
  }

  #damageRead(host: Host): void {
    const { atlas } = this.#world;
    if (
      !host.isRunning || !atlas.claim(host.name, ...this.#world.voterSets())
    ) {
      return;
    }
    this.#excused(host, "damage", () => {
      const { disk } = host;
      disk.damageRead = (path, _, bytes) => {
        // The name of a backing store's rows is the simulation's own.
        if (bytes.length === 0 || path.endsWith(".sqlite")) return;
        disk.damageRead = null;
        const bit = this.#dice.below(bytes.length * 8);
        this.#world.note(`${host.name} reads "${path}" with a wrong bit`);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ 1 << (bit & 7);
      };
      this.#crash(host);
      host.damagedReads = true;
    });
  }

  /** The machine comes back under its name with nothing on its disk. */
  #emptyDisk(host: Host): void {
    const { atlas, truth } = this.#world;
    if (!host.isRunning || !truth.knowsDisk(host.name)) return;
    if (!atlas.claim(host.name, ...this.#world.voterSets())) return;
    host.crash("power");
    host.replaceDisk();
    host.isForeign = true;
  }

  #excused(host: Host, excuse: string, cause: () => void): void {
    if (host.life === null) return;
    this.#world.note(`${host.name} gets a fault: ${excuse}`);
    host.life.excuses.add(excuse);
    cause();
  }

  #heal(reason: string): void {
    this.#world.note(`${reason} is over`);
    this.#world.network.heal(reason);
  }

  #for(end: () => void): void {
    this.#after(this.#dice.exponential(FAULT_MS_MEAN), end);
  }

  #after(ms: number, task: () => void): void {
    this.#world.time.after(ms, task);
  }

  #reason(): string {
    this.#count += 1;
    return `cut ${this.#count}`;
  }
}
