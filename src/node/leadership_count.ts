import type { EventLog } from "../io/log.ts";
import { NO_MEMBER, type RaftId } from "../raft/types.ts";
import type { Leadership } from "./driver.ts";

/** Counts of one member's consensus since its start. */
export interface RaftCounters {
  /** Entries that it proposed as leader. */
  readonly proposals: number;
  /** Elections that it stood in. */
  readonly elections: number;
  /** Leaders that it saw after the first. */
  readonly leaderChanges: number;
}

/** Writes down who leads, and counts. */
export class LeadershipCount {
  readonly #log: EventLog;
  #elections = 0;
  #changes = 0;
  #lastLead: RaftId = NO_MEMBER;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** `proposals` is counted elsewhere. */
  counters(proposals: number): RaftCounters {
    const [elections, leaderChanges] = [this.#elections, this.#changes];
    return { proposals, elections, leaderChanges };
  }

  /** `leader` is the name of the one who leads; "" when unknown. */
  onLeadership({ role, lead, term }: Leadership, leader: string): void {
    this.#log.write("info", "leadership_changed", { role, leader, term });
    if (role === "candidate") this.#elections += 1;
    if (lead === NO_MEMBER || lead === this.#lastLead) return;
    if (this.#lastLead !== NO_MEMBER) this.#changes += 1;
    this.#lastLead = lead;
  }
}
