import type { Clock } from "../../io/clock.ts";
import type { LogIndex, RaftId } from "../../raft/types.ts";
import { CAUGHT_UP_ENTRIES } from "./limits.ts";

/** What holds are judged by. */
export interface HoldHost {
  readonly clock: Clock;
  /** Last index of this member's log. */
  readonly lastIndex: () => LogIndex;
  /** What `peer` is known to have of it; 0 when unknown. */
  readonly matchOf: (peer: RaftId) => LogIndex;
}

interface Hold {
  readonly index: LogIndex;
  /** `null` while the checkpoint is on its way. */
  readonly untilMs: number | null;
}

/** Which entries members need that get a checkpoint, or just got one. */
export class Holds {
  readonly #host: HoldHost;
  readonly #holds = new Map<RaftId, Hold>();

  constructor(host: HoldHost) {
    this.#host = host;
  }

  /** `peer` will need what comes after `index`. */
  begin(peer: RaftId, index: LogIndex): void {
    this.#holds.set(peer, { index, untilMs: null });
  }

  /** Nothing is on its way to `peer` any more: the hold ends in `ms`. */
  linger(peer: RaftId, ms: number): void {
    const hold = this.#holds.get(peer);
    if (hold === undefined) return;
    const untilMs = this.#host.clock.monotonicMs() + ms;
    this.#holds.set(peer, { ...hold, untilMs });
  }

  /** Entries above this index are needed; `null` when none are. */
  retainFrom(): LogIndex | null {
    let least: LogIndex | null = null;
    for (const [peer, hold] of this.#holds) {
      const index = this.#indexOf(peer, hold);
      if (index === null) this.#holds.delete(peer);
      else least = Math.min(least ?? index, index);
    }
    return least;
  }

  /** Ends all of them; those that begin later count again. */
  clear(): void {
    this.#holds.clear();
  }

  #indexOf(peer: RaftId, { index, untilMs }: Hold): LogIndex | null {
    if (untilMs === null) return index;
    const { clock, lastIndex, matchOf } = this.#host;
    if (clock.monotonicMs() >= untilMs) return null;
    const match = matchOf(peer);
    if (match >= index && lastIndex() - match <= CAUGHT_UP_ENTRIES) return null;
    return Math.max(index, match);
  }
}
