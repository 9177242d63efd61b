import type { EventLog } from "../io/log.ts";
import { NO_MEMBER, type RaftId } from "../raft/types.ts";
import type { Leadership } from "./driver.ts";

/** Writes down who leads, and counts. */
export class LeadershipCount {
  readonly #log: EventLog;
  #elections = 0;
  #changes = 0;
  #lastLead: RaftId = NO_MEMBER;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Elections that this member stood in. */
  get elections(): number {
    return this.#elections;
  }

  /** Leaders that it saw after the first. */
  get changes(): number {
    return this.#changes;
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
