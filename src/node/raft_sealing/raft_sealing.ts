import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { KeyCustody } from "../../keys/port.ts";
import type { Sessions } from "../../keys/sessions.ts";
import type { Core } from "../../raft/core.ts";
import type { BufferedStore } from "../../store/buffered_store.ts";
import type { Outcomes } from "../encryption/outcomes.ts";
import {
  type ProposedMarker,
  RaftCutover,
} from "../encryption/raft_cutover.ts";
import type { Identity } from "../identity.ts";
import { EntryLine } from "./entry_line.ts";
import { ProposalGate } from "./gate.ts";
import { OpenAhead } from "./open_ahead.ts";
import { RaftOpener } from "./opener.ts";
import { RaftSealer } from "./sealer.ts";

export interface RaftSealingParts {
  readonly core: Core;
  readonly store: Pick<BufferedStore, "state">;
  readonly identity: Identity;
  readonly custody: KeyCustody;
  /** `null` on a node that never seals. */
  readonly sessions: Sessions | null;
  readonly clock: Clock;
  readonly log: EventLog;
}

export interface RaftSealingHost {
  /** Least time of an election. */
  readonly electionMs: number;
  readonly outcomes: Outcomes;
  /** Of a proposal that `outcomes` will tell of. */
  takeId(): number;
  /** Resolves once a quorum has confirmed that this member leads. */
  confirmLead(): Promise<void>;
  /** Runs a turn of the driver. */
  wake(): void;
  isStopped(): boolean;
  failed(error: unknown): void;
}

/** Everything about sealed entries: how they are made, begun, and opened. */
export class RaftSealing {
  readonly line: EntryLine;
  readonly opening: OpenAhead;
  readonly cutover: RaftCutover;
  readonly #gate = new ProposalGate();
  readonly #parts: RaftSealingParts;
  readonly #host: RaftSealingHost;

  constructor(parts: RaftSealingParts, host: RaftSealingHost) {
    const { core, store, identity, custody, sessions } = parts;
    this.#parts = parts;
    this.#host = host;
    this.opening = new OpenAhead(
      new RaftOpener({ name: identity.name, custody }),
    );
    this.line = new EntryLine({
      ...{ core, gate: this.#gate },
      sealer: new RaftSealer({ sessions, fsm: () => store.state.fsm }),
      appliedTerm: () => store.state.applied.term,
      wake: () => host.wake(),
      failed: (error) => host.failed(error),
    });
    this.cutover = this.#makeCutover();
  }

  #makeCutover(): RaftCutover {
    const { core: { state }, store, clock, log } = this.#parts;
    const host = this.#host;
    return new RaftCutover({
      ...{ clock, log, gate: this.#gate, electionMs: host.electionMs },
      applied: () => store.state.applied,
      cutoverIndex: () => store.state.fsm.encryption.raftCutoverIndex,
      lastIndex: () => state.entryLog.lastIndex(),
      leads: (term) => state.lead === state.id && state.term === term,
      isStopped: () => host.isStopped(),
      confirmLead: () => host.confirmLead(),
      proposeMarker: () => this.#proposeMarker(),
      wake: () => host.wake(),
    });
  }

  #proposeMarker(): ProposedMarker | null {
    const { term, entryLog } = this.#parts.core.state;
    const id = this.#host.takeId();
    if (!this.line.putMarker(id)) return null;
    const outcome = this.#host.outcomes.wait(id, term);
    return { index: entryLog.lastIndex(), outcome };
  }
}
