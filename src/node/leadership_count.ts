import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import { NO_MEMBER, type RaftId, type Term } from "../raft/types.ts";
import type { Leadership } from "./driver.ts";

/** Counts of one member's consensus since its start. */
export interface RaftCounters {
  /** Entries that it proposed as leader. */
  readonly proposals: number;
  /** Elections that it stood in. */
  readonly elections: number;
  /** Leaders that it saw after the first. */
  readonly leaderChanges: number;
  /** Ms for which it has known who leads in this term; 0 for nobody. */
  readonly leaderMs: number;
}

/** Who leads in a term, and since when that is known here. */
interface Reign {
  readonly lead: RaftId;
  readonly term: Term;
  readonly fromMs: number;
}

/** Writes down who leads, and counts. */
export class LeadershipCount {
  readonly #log: EventLog;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #elections = 0;
  #changes = 0;
  #lastLead: RaftId = NO_MEMBER;
  #reign: Reign | null = null;

  constructor(log: EventLog, clock: Pick<Clock, "monotonicMs">) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `proposals` is counted elsewhere. */
  counters(proposals: number): RaftCounters {
    const [elections, leaderChanges] = [this.#elections, this.#changes];
    const leaderMs = this.#reign === null
      ? 0
      : this.#clock.monotonicMs() - this.#reign.fromMs;
    return { proposals, elections, leaderChanges, leaderMs };
  }

  /** `leader` is the name of the one who leads; "" when unknown. */
  onLeadership({ role, lead, term }: Leadership, leader: string): void {
    this.#log.write("info", "leadership_changed", { role, leader, term });
    if (role === "candidate") this.#elections += 1;
    this.#reign = this.#reignOf(lead, term);
    if (lead === NO_MEMBER || lead === this.#lastLead) return;
    if (this.#lastLead !== NO_MEMBER) this.#changes += 1;
    this.#lastLead = lead;
  }

  #reignOf(lead: RaftId, term: Term): Reign | null {
    if (lead === NO_MEMBER) return null;
    const last = this.#reign;
    return last?.lead === lead && last.term === term
      ? last
      : { lead, term, fromMs: this.#clock.monotonicMs() };
  }
}
