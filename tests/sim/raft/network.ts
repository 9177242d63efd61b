import {
  type Message,
  MESSAGE_NAMES,
  messageName,
  MSG_SNAP,
} from "../../../src/raft/message.ts";
import type { RaftId } from "../../../src/raft/types.ts";
import { formatMessage } from "../../scenario/format.ts";
import type { Dice } from "./dice.ts";
import type { SimMember } from "./member.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

/** What the network needs of the group. */
export interface Endpoints {
  readonly timeline: Timeline;
  member(id: RaftId): SimMember | undefined;
  trace(text: () => string): void;
}

const REPLAYS_MAX = 64;

/** Links that lose, repeat, delay and reorder messages, or are cut. */
export class Network {
  settings: Swarm["net"];
  readonly #endpoints: Endpoints;
  readonly #dice: Dice;
  /** Directed links that carry nothing, as from * 1000 + to. */
  readonly #cut = new Set<number>();
  #cutType = -1;
  readonly #past: Message[] = [];

  constructor(settings: Swarm["net"], endpoints: Endpoints, dice: Dice) {
    this.settings = settings;
    this.#endpoints = endpoints;
    this.#dice = dice;
  }

  send(from: SimMember, message: Message): void {
    const { loss, duplication, replay } = this.settings;
    this.#endpoints.trace(() => formatMessage(message));
    const isLost = this.#dice.chance(loss) || this.#isCut(message);
    if (message.type === MSG_SNAP) this.#reportLater(from, message, isLost);
    if (isLost) {
      if (this.#dice.chance(0.05)) {
        from.later(
          1,
          () => from.run((driver) => driver.reportUnreachable(message.to)),
        );
      }
      return;
    }
    this.#deliverLater(message);
    if (this.#dice.chance(duplication)) this.#deliverLater(message);
    if (replay === 0) return;
    if (this.#past.length < REPLAYS_MAX) this.#past.push(message);
    else this.#past[this.#dice.below(REPLAYS_MAX)] = message;
    if (this.#dice.chance(replay)) {
      this.#deliverLater(this.#dice.pick(this.#past));
    }
  }

  /** Cuts all links between `group` and the others, or only one direction. */
  partition(
    group: ReadonlySet<RaftId>,
    ids: readonly RaftId[],
    direction: "both" | "in" | "out",
  ): void {
    for (const from of ids) {
      for (const to of ids) {
        if (group.has(from) === group.has(to)) continue;
        if (direction === "in" && group.has(from)) continue;
        if (direction === "out" && group.has(to)) continue;
        this.#cut.add(from * 1_000 + to);
      }
    }
  }

  /** Loses all messages of one random type. */
  cutType(): void {
    this.#cutType = this.#dice.below(MESSAGE_NAMES.length);
    this.#endpoints.trace(() => `${messageName(this.#cutType)} is cut`);
  }

  heal(): void {
    this.#cut.clear();
    this.#cutType = -1;
  }

  #isCut({ type, from, to }: Message): boolean {
    return type === this.#cutType || this.#cut.has(from * 1_000 + to);
  }

  #deliverLater(message: Message): void {
    const delay = 0.1 + this.#dice.exponential(this.settings.delayMs);
    this.#endpoints.timeline.after(delay, () => {
      const member = this.#endpoints.member(message.to);
      if (member === undefined || !member.isUp) return;
      member.later(0, () => member.receive(message));
    });
  }

  #reportLater(from: SimMember, message: Message, failed: boolean): void {
    if (this.#dice.chance(this.settings.reportsLost)) return;
    const delay = this.#dice.exponential(2 * this.settings.delayMs + 1);
    from.later(delay, () => {
      from.run((driver) => driver.reportSnapshot(message.to, { failed }));
    });
  }
}
