import { SimNet } from "../io/net.ts";
import type { SimClock } from "../io/clock.ts";
import type { Dice } from "../raft/dice.ts";
import type { EndKind } from "./host.ts";

/** Delays of a network in virtual ms. */
export interface NetworkDelays {
  readonly baseMs: number;
  readonly meanMs: number;
}

/**
 * The network of all machines: a way is cut while there is any reason to.
 */
export class Network {
  readonly net: SimNet;
  readonly delays: NetworkDelays;
  readonly #hosts: readonly string[];
  readonly #dice: Dice;
  /** By way `from>to`. */
  readonly #reasons = new Map<string, Set<string>>();

  constructor(
    hosts: readonly string[],
    time: SimClock,
    dice: Dice,
    delays: NetworkDelays,
  ) {
    this.#hosts = hosts;
    this.#dice = dice;
    this.delays = delays;
    this.net = new SimNet(
      time,
      () => delays.baseMs + dice.exponential(delays.meanMs),
    );
  }

  /** Tells whether bytes pass. */
  isOpen(from: string, to: string): boolean {
    return (this.#reasons.get(`${from}>${to}`)?.size ?? 0) === 0;
  }

  cut(from: string, to: string, reason: string): void {
    if (from === to) return;
    const reasons = this.#reasons.get(`${from}>${to}`) ?? new Set();
    this.#reasons.set(`${from}>${to}`, reasons.add(reason));
    this.net.cut(from, to);
  }

  /** Takes a reason back everywhere. */
  heal(reason: string): void {
    for (const [way, reasons] of this.#reasons) {
      if (!reasons.delete(reason) || reasons.size > 0) continue;
      const [from = "", to = ""] = way.split(">");
      this.net.heal(from, to);
    }
  }

  /** Opens every way, but for machines that are off. */
  healAll(): void {
    const all = [...this.#reasons.values()].flatMap((set) => [...set]);
    for (const reason of new Set(all)) {
      if (!reason.startsWith("off ")) this.heal(reason);
    }
  }

  /** No way between `some` and all others, or only none from `some`. */
  part(some: readonly string[], isOneWay: boolean, reason: string): void {
    for (const from of some) {
      for (const to of this.#hosts) {
        if (some.includes(to)) continue;
        this.cut(from, to, reason);
        if (!isOneWay) this.cut(to, from, reason);
      }
    }
  }

  /** Breaks the connections between two machines. */
  reset(a: string, b: string): void {
    this.net.breakBetween(a, b);
  }

  /** A machine is gone: killed, others hear at once; without power, later. */
  down(host: string, kind: EndKind): void {
    if (kind === "kill") return this.net.reset(host);
    this.net.vanish(host);
    for (const other of this.#hosts) {
      this.cut(host, other, `off ${host}`);
      this.cut(other, host, `off ${host}`);
    }
  }

  up(host: string): void {
    this.heal(`off ${host}`);
  }

  pick(): [string, string] {
    const a = this.#dice.pick(this.#hosts);
    const others = this.#hosts.filter((host) => host !== a);
    return [a, others.length === 0 ? a : this.#dice.pick(others)];
  }
}
