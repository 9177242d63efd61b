import type { CrashKind } from "../io/disk.ts";
import { CRASH_KINDS, SimDisk } from "../io/disk.ts";
import { SimRandom } from "../io/random.ts";
import { type Dice, hashText } from "../raft/dice.ts";
import { hostClock, Skew } from "./host_clock.ts";
import { Device, hostDisk } from "./host_disk.ts";
import { hostOpenKv, KvFiles } from "./host_kv.ts";
import { hostNet } from "./host_net.ts";
import { Life } from "./life.ts";
import type { OpenSimNode, SimNode } from "./sim_node.ts";
import type { StoreState } from "../../../src/store/meta.ts";
import { HostKeys } from "./encryption/host_keys.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

/**
 * - `absent`: not installed, or retired for good
 * - `down`: no process
 * - `opening`, `up`: the process runs (or is held)
 * - `halted`: the node stopped by itself
 */
export type HostState = "absent" | "down" | "opening" | "up" | "halted";

/** How a machine ends: the process alone, or with all that was not synced. */
export type EndKind = "kill" | "power";

/** All that a machine's disk holds durably at one moment. */
export interface DiskImage {
  readonly disk: SimDisk;
  readonly kvFiles: KvFiles;
}

/** A machine at one moment, as far as others begin with it. */
export interface HostPast {
  readonly image: DiskImage;
  readonly joins: boolean;
  readonly isForeign: boolean;
  readonly isDamaged: boolean;
}

/** A cluster at one moment, to begin others from. */
export interface Past {
  /** By name. */
  readonly hosts: ReadonlyMap<string, HostPast>;
  readonly truth: Truth;
}

/** One machine: a disk, clocks that stray, and a node's lives on it. */
export class Host {
  readonly name: string;
  readonly skew: Skew;
  state: HostState = "absent";
  life: Life | null = null;
  node: SimNode | null = null;
  disk: SimDisk;
  kvFiles: KvFiles;
  device: Device;
  /** Opens by asking a running cluster, not by founding one. */
  joins = false;
  /** What stopped the node by itself. */
  haltedBy: Error | null = null;
  /** Its disk is empty under a used name: it must take part in nothing. */
  isForeign = false;
  /** A bit of what it read was wrong: it may refuse to start. */
  damagedReads = false;
  lives = 0;
  /** An image from before was put back on its disk. */
  isPutBack = false;
  /** What it has to open keys with; `null` in a run without encryption. */
  readonly keys: HostKeys | null;
  /** As its node made it visible last. */
  applied: StoreState | null = null;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #open: OpenSimNode;
  #disks = 0;

  constructor(name: string, world: World, open: OpenSimNode) {
    this.name = name;
    this.#world = world;
    this.#open = open;
    this.#dice = world.dice.split(`host/${name}`);
    this.skew = new Skew(world.time);
    this.keys = this.#drawKeys();
    [this.disk, this.kvFiles, this.device] = this.#newDisk();
  }

  get isRunning(): boolean {
    return this.state === "opening" || this.state === "up";
  }

  /** Name of the life for checkers: a member may win a term only once. */
  get lifeName(): string {
    return `${this.name}/${this.lives}`;
  }

  /** Starts the process. */
  start(): void {
    if (this.isRunning) return;
    this.lives += 1;
    const life = new Life(this.#world.lifeHost(this), this.lives);
    if (this.isForeign) life.excuses.add("empty disk");
    if (this.damagedReads) life.excuses.add("damage");
    if (this.device.failingCommits > 0) life.excuses.add("store");
    if (this.disk.capacityBytes !== Infinity) life.excuses.add("space");
    this.life = life;
    this.state = "opening";
    this.applied = null;
    this.haltedBy = null;
    this.#world.network.up(this.name);
    this.#world.note(`${this.name} starts, life ${this.lives}`);
    life.later(0, () => void this.#run(life));
  }

  /** Stops in good order. */
  stop(): void {
    const { life, node } = this;
    if (life === null || node === null || !this.isRunning) return;
    this.#world.note(`${this.name} stops in good order`);
    life.run(() => {
      node.stop().then(
        () => this.#ended(life, "down", null),
        (error) => this.#ended(life, "halted", error),
      );
    });
  }

  /** The machine dies now. */
  crash(kind: EndKind): void {
    const { life } = this;
    if (life === null || !this.isRunning) return;
    const kept = kind === "kill" ? "all" : this.#dice.pick(this.#powerCuts());
    this.#world.note(`${this.name} dies: ${kind}, disk keeps ${kept}`);
    this.state = "down";
    this.#end(life);
    this.disk.restart(kept);
    this.#world.network.down(this.name, kind);
    this.#world.gone(this);
  }

  /**
   * A member whose log ends torn waits for all voters before it votes: with
   * another one damaged for good, nobody would lead again.
   */
  #powerCuts(): readonly CrashKind[] {
    const others = [...this.#world.atlas.damaged].filter((name) =>
      name !== this.name
    );
    return others.length === 0 ? CRASH_KINDS : ["none", "all"];
  }

  /** Dies in the operation on disk, store or network that comes `count`th. */
  armCrash(count: number): void {
    if (this.life !== null) this.life.armedAt = this.life.operations + count;
  }

  /** The armed operation has come. */
  async dieIn(effect: () => Promise<unknown>): Promise<void> {
    const { life } = this;
    const how = this.#dice.pick(["before", "within", "after"]);
    this.#world.note(`${this.name} dies ${how} an operation`);
    if (how === "within") this.disk.crashAt = this.disk.operations + 1;
    if (how !== "before") await effect().catch(() => {});
    if (this.life === life) this.crash("power");
  }

  hold(): void {
    if (!this.isRunning) return;
    this.#world.note(`${this.name} is held`);
    this.life?.hold();
  }

  resume(): void {
    if (this.life?.isHeld) this.#world.note(`${this.name} goes on`);
    this.life?.resume();
  }

  /** Puts an empty disk into the machine, which is down. */
  replaceDisk(): void {
    this.#world.note(`${this.name} gets an empty disk`);
    [this.disk, this.kvFiles, this.device] = this.#newDisk();
    this.#world.forget(this);
  }

  /** What its disk holds durably now. */
  image(seed: number): DiskImage {
    const disk = this.disk.clone(seed);
    return { disk, kvFiles: this.kvFiles.copy(disk) };
  }

  /** Its disk, which is at rest, gets back what it had once. */
  putBack(image: DiskImage, seed: number): void {
    this.#world.note(`${this.name} gets an image of before`);
    this.#takeOver(image, seed);
    this.isPutBack = true;
    this.#world.forget(this);
  }

  /** Begins with a disk that another machine had. */
  begin({ image, joins, isForeign }: HostPast, seed: number): void {
    this.#takeOver(image, seed);
    this.joins = joins;
    this.isForeign = isForeign;
  }

  #takeOver(image: DiskImage, seed: number): void {
    this.disk = image.disk.clone(seed);
    this.kvFiles = image.kvFiles.copy(this.disk);
  }

  #drawKeys(): HostKeys | null {
    const { keys } = this.#world.swarm;
    if (keys === null) return null;
    if (keys.kekCount === 1) return new HostKeys([1]);
    return new HostKeys(this.#dice.split("keks").pick([[1, 2], [2, 1]]));
  }

  #newDisk(): [SimDisk, KvFiles, Device] {
    this.#disks += 1;
    const label = `disk/${this.#disks}`;
    const disk = new SimDisk({ seed: this.#dice.split(label).u32() });
    const device = new Device(this.#dice.split(`${label}/time`));
    return [disk, new KvFiles(disk), device];
  }

  async #run(life: Life): Promise<void> {
    const world = this.#world;
    const dice = this.#dice.split(`life/${life.number}`);
    const onFatal = (error: Error) => this.#halt(life, error);
    const random = new SimRandom(hashText(`${dice.u32()}`));
    const keys = this.keys?.settings(life, random, this.device) ?? null;
    const hadKeys = world.keyWatch?.sidecar(this) != null;
    world.keyWatch?.look(this);
    try {
      const node = await this.#open({
        disk: hostDisk(life, this.disk, this.device),
        openKv: hostOpenKv(life, this.kvFiles, this.device),
        clock: hostClock(life, this.skew, (ms) => dice.u32() / 2 ** 32 * ms),
        random,
        keys,
        log: {
          write: (level, event, fields) =>
            world.logged(this, `${level} ${event} ${JSON.stringify(fields)}`),
        },
        net: hostNet(life, world.network.net.host(this.name), dice),
      }, { ...world.nodeOptions(this), onFatal });
      if (life.isEnded) return;
      node.start();
      this.node = node;
      this.state = "up";
      world.note(`${this.name} is up`);
      world.keyWatch?.isUp(this, hadKeys);
    } catch (error) {
      onFatal(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #halt(life: Life, error: Error): void {
    if (life.isEnded) return;
    this.#world.note(`${this.name} stops by itself: ${error}`);
    const { node } = this;
    this.#world.halted(this, life, error);
    if (node === null) return this.#ended(life, "halted", error);
    node.stop().catch(() => {}).then(() => this.#ended(life, "halted", error));
  }

  #ended(life: Life, state: HostState, error: Error | null): void {
    if (this.life !== life) return;
    this.haltedBy = error;
    this.state = state;
    this.#end(life);
    // A new process finds what the last one wrote, synced or not; after a
    // failed sync the machine restarts, so that nobody takes it for durable.
    const isLost = life.excuses.has("sync");
    this.disk.restart(isLost ? "none" : "all");
    this.#world.network.down(this.name, "kill");
    this.#world.gone(this);
  }

  #end(life: Life): void {
    life.end();
    this.life = null;
    this.node = null;
  }
}
