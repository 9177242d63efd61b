import type { EventLog } from "../io/log.ts";
import type { Core } from "../raft/core.ts";
import { voterIds } from "../raft/membership.ts";
import type { Peers } from "./peers.ts";

export interface TailJudgeParts {
  readonly core: Core;
  readonly log: EventLog;
  readonly peers: Pick<Peers, "hearsAll">;
  /** Does not wait for the other voters. */
  readonly trustsTail: boolean;
}

/**
 * Decides when a member whose log a crash tore may vote again.
 *
 * What it acknowledged and lost is still at another voter, if it was committed:
 * with all of them here the election finds it. One or two voters have nobody to
 * ask.
 */
export class TailJudge {
  readonly #parts: TailJudgeParts;
  #isHeldSaid = false;

  constructor(parts: TailJudgeParts) {
    this.#parts = parts;
  }

  judge(): void {
    const { core, log, peers, trustsTail } = this.#parts;
    if (!core.state.isTailSuspect()) return;
    const voters = voterIds(core.state.membership.config);
    const isAsked = voters.length > 2 && !trustsTail;
    if (isAsked && !peers.hearsAll(voters)) return this.#sayHeld();
    log.write("info", "wal_tail_trusted", { voters: voters.length });
    core.trustTail();
  }

  #sayHeld(): void {
    if (this.#isHeldSaid) return;
    this.#isHeldSaid = true;
    const { core, log } = this.#parts;
    log.write("warn", "wal_tail_held", { until: core.state.suspectUntil });
  }
}
