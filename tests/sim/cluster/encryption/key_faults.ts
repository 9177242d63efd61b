import type { Dice } from "../../raft/dice.ts";
import type { Host } from "../host.ts";
import type { World } from "../world.ts";
import type { KeySetting } from "./host_keys.ts";
import {
  KEY_FAULT_KINDS,
  type KeyFaultKind,
  type KeySwarm,
} from "./key_swarm.ts";

const FAULT_MS_MEAN = 2_500;
/** Starts between an image and its return: fewer than that. */
const STARTS_MAX = 4;
const STARTS_APART_MS = 800;

/** Makes things go wrong with keys until told to stop. */
export class KeyFaults {
  readonly #world: World;
  readonly #swarm: KeySwarm;
  readonly #dice: Dice;
  /** Who is not told rightly: one at a time. */
  #mistaken: Host | null = null;
  #isOver = false;
  #isPutting = false;

  constructor(world: World, swarm: KeySwarm) {
    this.#world = world;
    this.#swarm = swarm;
    this.#dice = world.dice.split("key faults");
  }

  start(): void {
    for (const kind of KEY_FAULT_KINDS) {
      const mean = this.#swarm.everySeconds[kind] * 1_000;
      if (mean > 0) this.#next(kind, mean);
    }
  }

  /** Ends all of them; who is not told rightly is started again. */
  stop(): void {
    this.#isOver = true;
    for (const { keys } of this.#world.hosts) {
      if (keys !== null) keys.isDown = false;
    }
    if (this.#mistaken !== null) this.#correct(this.#mistaken);
  }

  /**
   * A change that all have proven to be capable of is about to be proposed: now
   * and then one of them is told wrongly right then.
   */
  changing(): void {
    if (this.#isOver || this.#swarm.everySeconds["wrong-kek"] === 0) return;
    if (!this.#dice.chance(0.4)) return;
    const host = this.#dice.pick(this.#world.hosts);
    this.#world.time.after(this.#dice.exponential(3), () => {
      if (!this.#isOver) this.#mistake(host);
    });
  }

  #next(kind: KeyFaultKind, mean: number): void {
    this.#world.time.after(this.#dice.exponential(mean), () => {
      if (this.#isOver) return;
      this.#cause(kind);
      this.#next(kind, mean);
    });
  }

  #cause(kind: KeyFaultKind): void {
    const host = this.#dice.pick(this.#world.hosts);
    switch (kind) {
      case "kek-down":
        return this.#takeDown(host);
      case "wrong-kek":
        return this.#mistake(host);
      case "encryption":
        return this.#world.keyOperator?.act();
      case "put-back":
        return this.#putBack(host);
    }
  }

  #takeDown(one: Host): void {
    const hosts = this.#dice.chance(0.5) ? [one] : this.#world.hosts;
    const names = hosts.map(({ name }) => name).join();
    this.#world.note(`the KEK of ${names} is away`);
    for (const { keys } of hosts) keys?.down();
    this.#world.time.after(this.#dice.exponential(FAULT_MS_MEAN), () => {
      this.#world.note(`the KEK of ${names} is back`);
      for (const { keys } of hosts) {
        if (keys !== null) keys.isDown = false;
      }
    });
  }

  #mistake(host: Host): void {
    const { keys } = host;
    if (keys === null || !host.isRunning || this.#mistaken !== null) return;
    this.#mistaken = host;
    const ways: KeySetting[] = ["other-kek", "no-flag", "no-kek"];
    if (this.#swarm.kekCount > 1) ways.push("fewer", "fewer");
    this.#restart(host, this.#dice.pick(ways));
    this.#world.time.after(this.#dice.exponential(FAULT_MS_MEAN), () => {
      if (this.#mistaken === host) this.#correct(host);
    });
  }

  #correct(host: Host): void {
    this.#mistaken = null;
    this.#restart(host, "right");
  }

  #restart(host: Host, setting: KeySetting): void {
    this.#world.note(`${host.name} is to start with KEKs: ${setting}`);
    host.keys?.set(setting, this.#world.now);
    host.resume();
    if (host.isRunning) host.crash("kill");
  }

  /** Takes an image, and puts it back some starts later. */
  #putBack(host: Host): void {
    if (this.#isPutting || host.node === null) return;
    this.#isPutting = true;
    const image = host.image(this.#dice.u32());
    const starts = this.#dice.below(STARTS_MAX);
    this.#world.note(`an image of ${host.name} is taken`);
    this.#afterStarts(host, starts, () => {
      this.#isPutting = false;
      host.resume();
      host.crash("kill");
      if (host.isRunning) return;
      host.putBack(image, this.#dice.u32());
    });
  }

  /** Ends `host` that many times, each time when it is known to the others. */
  #afterStarts(host: Host, starts: number, task: () => void): void {
    this.#world.time.after(this.#dice.exponential(STARTS_APART_MS), () => {
      if (this.#isOver) return;
      const isReady = host.node?.status().ready === true;
      if (starts === 0) return task();
      if (isReady) host.crash("kill");
      this.#afterStarts(host, isReady ? starts - 1 : starts, task);
    });
  }
}
