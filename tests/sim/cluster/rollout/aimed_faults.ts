import type { Dice } from "../../raft/dice.ts";
import type { Host } from "../host.ts";
import type { World } from "../world.ts";
import type { RolloutSwarm } from "./rollout_swarm.ts";

const CUT_MS_MEAN = 1_200;
/** Between a checkpoint that was sent, and a member that needs one again. */
const AGAIN_MS_MEAN = 300;

/**
 * Makes things go wrong at the moments that matter to a cutover: while the gate
 * is closed, as the marker leaves, and around the storage cutover, when old
 * checkpoints are about.
 */
export class AimedFaults {
  readonly #world: World;
  readonly #swarm: RolloutSwarm;
  readonly #dice: Dice;
  #isOver = false;
  #count = 0;

  constructor(world: World, swarm: RolloutSwarm) {
    this.#world = world;
    this.#swarm = swarm;
    this.#dice = world.dice.split("aimed faults");
  }

  stop(): void {
    this.#isOver = true;
  }

  /** `host` has the marker in its log, nobody else has it yet. */
  marked(host: Host): void {
    if (!this.#isWanted()) return;
    // The others get it, and one of them leads before it takes place.
    if (this.#dice.chance(0.5)) this.#cut(this.#othersOf(host), [host]);
    else this.#soon(() => this.#trouble(host));
  }

  /** `host` is about to propose a change of encryption. */
  changing(host: Host): void {
    if (!this.#isWanted()) return;
    this.#soon(() => {
      if (this.#dice.chance(0.5)) this.#trouble(host);
      else this.#leaveBehind(host);
    });
  }

  /** A line of a node's log. */
  heard(host: Host, line: string): void {
    if (line.startsWith("info encryption_gate_closed") && this.#isWanted()) {
      this.#soon(() => this.#trouble(host));
    }
    const isSent = line.startsWith("info checkpoint_delivered") &&
      this.#world.truth.fsm.encryption.storageCutoverIndex === 0;
    if (isSent && this.#isWanted()) {
      this.#after(AGAIN_MS_MEAN, () => this.#leaveBehind(host));
    }
  }

  #isWanted(): boolean {
    const { aimChance } = this.#swarm;
    return !this.#isOver && aimChance > 0 && this.#dice.chance(aimChance);
  }

  /** Within about the time in which a message comes and its answer goes. */
  #soon(task: () => void): void {
    const { baseMs, meanMs } = this.#world.network.delays;
    this.#after((baseMs + meanMs) * this.#dice.pick([0.3, 1, 3]), task);
  }

  /** The leader of a moment ago dies, or some do not hear each other. */
  #trouble(leader: Host): void {
    const others = this.#othersOf(leader);
    switch (this.#dice.below(6)) {
      case 0:
        return leader.isRunning ? leader.crash("kill") : undefined;
      case 1:
        return leader.isRunning ? leader.crash("power") : undefined;
      case 2:
        leader.hold();
        return this.#after(CUT_MS_MEAN, () => leader.resume());
      case 3:
        // It is heard, and hears nothing: what it sent may take place.
        return this.#cut(others, [leader]);
      case 4:
        return this.#cut([leader], others);
      default:
        return leader.armCrash(this.#dice.between(1, 12));
    }
  }

  /** One of the others misses what comes, so that it needs a checkpoint. */
  #leaveBehind(leader: Host): void {
    const others = this.#othersOf(leader);
    if (others.length === 0) return;
    const one = this.#dice.pick(others);
    const rest = this.#othersOf(one);
    this.#cut(rest, [one]);
    this.#cut([one], rest);
  }

  #othersOf(one: Host): readonly Host[] {
    return this.#world.hosts.filter((host) => host !== one);
  }

  #cut(from: readonly Host[], to: readonly Host[]): void {
    const { network } = this.#world;
    this.#count += 1;
    const reason = `aimed ${this.#count}`;
    const names = [from, to].map((some) => some.map(({ name }) => name).join());
    this.#world.note(`${names[0]} do not reach ${names[1]} (${reason})`);
    for (const one of from) {
      for (const other of to) network.cut(one.name, other.name, reason);
    }
    this.#after(CUT_MS_MEAN, () => {
      this.#world.note(`${reason} is over`);
      network.heal(reason);
    });
  }

  #after(meanMs: number, task: () => void): void {
    this.#world.time.after(this.#dice.exponential(meanMs), () => {
      if (!this.#isOver) task();
    });
  }
}
