import { assert } from "../base/assert.ts";
import type { Clock, Timer } from "../io/clock.ts";
import { encodeBatch, encodeClock } from "../fsm/payload.ts";
import { encodeProposal } from "../fsm/proposal.ts";
import type {
  Core,
  Effects,
  Message,
  NeedEntries,
  Persist,
} from "../raft/core.ts";
import type { Role } from "../raft/state.ts";
import type { LogIndex } from "../raft/types.ts";
import type { Wal } from "../wal/wal.ts";
import type { Applier } from "./applier.ts";
import { NotReadyError } from "./errors.ts";
import { UNPERSISTED_PROPOSALS_MAX } from "./limits.ts";
import type { Proposals } from "./proposals.ts";
import type { Reads } from "./reads.ts";

/** What the driver moves things between. */
export interface DriverParts {
  readonly core: Core;
  readonly wal: Wal;
  readonly applier: Applier;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly send: (messages: readonly Message[]) => void;
  /** Founds the cluster: the payload to propose, `null` once it has an id. */
  readonly clusterInit: () => Uint8Array | null;
  /** What the store has applied. */
  readonly applied: () => LogIndex;
  readonly onRole: () => void;
  readonly onFatal: (error: unknown) => void;
}

/** Proposals of the node itself: nobody waits for a reply. */
const NO_PROPOSAL = 0;

/**
 * Feeds the raft core and carries out what it asks for.
 *
 * One turn: take what arrived into the core, then pump it dry. Messages leave
 * beside the log's write; only those of `afterDurable` wait for it. There is
 * no await between a pump and the hand-over of its effects.
 *
 * Group commit: while a proposal is on its way to the disk, writes gather for
 * the next one.
 */
export class Driver {
  readonly #parts: DriverParts;
  #scheduled = false;
  #stopped = false;
  /** Clients' proposals that are not durable, and those not yet handed over. */
  #unpersisted = 0;
  #proposed = 0;
  #ticker: Timer | null = null;
  #clockWanted: number | null = null;
  #role: Role = "follower";

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  get role(): Role {
    return this.#role;
  }

  start(): void {
    this.#tickLater();
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#ticker?.cancel();
  }

  /** Runs a turn after the callers that are running now. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#parts.clock.soon(() => this.#turn());
  }

  /** Proposes a clock entry at the next turn, if this member leads then. */
  proposeClock(wallMs: number): void {
    this.#clockWanted = wallMs;
    this.wake();
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    try {
      this.#propose();
      this.#startReads();
      const { core } = this.#parts;
      for (let effects = core.pump(); effects !== null; effects = core.pump()) {
        this.#carryOut(effects);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Log first what every later entry builds on, then clients' writes. */
  #propose(): void {
    const { core, proposals, clock } = this.#parts;
    if (this.#role !== "leader") return;
    this.#proposeClock();
    while (this.#unpersisted < UNPERSISTED_PROPOSALS_MAX) {
      const batch = proposals.takeBatch();
      if (batch === null) return;
      const payload = encodeBatch(batch.writes, clock.wallMs());
      if (core.propose(encodeProposal(batch.id, payload))) {
        this.#unpersisted += 1;
        this.#proposed += 1;
      } else {
        proposals.refuse(batch.id, new NotReadyError("the leader is busy"));
      }
    }
  }

  #proposeClusterInit(): void {
    const payload = this.#parts.clusterInit();
    if (payload === null) return;
    this.#parts.core.propose(encodeProposal(NO_PROPOSAL, payload));
  }

  #proposeClock(): void {
    if (this.#clockWanted === null) return;
    const payload = encodeClock(this.#clockWanted);
    this.#clockWanted = null;
    this.#parts.core.propose(encodeProposal(NO_PROPOSAL, payload));
  }

  #startReads(): void {
    const { core, reads } = this.#parts;
    if (this.#role !== "leader") return;
    const round = reads.takeRound();
    if (round !== null) core.readIndex(round);
  }

  #carryOut(effects: Effects): void {
    const { applier, reads } = this.#parts;
    if (effects.send.length > 0) this.#parts.send(effects.send);
    if (effects.persist !== undefined) this.#persist(effects.persist);
    if (effects.apply !== undefined) applier.enqueue(effects.apply);
    for (const need of effects.needEntries) this.#fetch(need);
    for (const { round, index } of effects.reads) {
      reads.confirm(round, index, this.#parts.applied());
    }
    if (effects.soft === undefined) return;
    this.#role = effects.soft.role;
    if (this.#role === "leader") this.#proposeClusterInit();
    this.#parts.onRole();
    this.wake();
  }

  #persist(persist: Persist): void {
    const { wal, core, send } = this.#parts;
    const proposed = this.#proposed;
    this.#proposed = 0;
    assert(persist.snapshot === undefined, "no checkpoint is received yet");
    const { hardState, entries, mustSync } = persist;
    const batch = { entries, mustSync, ...(hardState && { hardState }) };
    wal.append(batch).then(() => {
      this.#unpersisted -= proposed;
      core.persisted(persist.seq);
      if (persist.afterDurable.length > 0) send(persist.afterDurable);
      this.wake();
    }).catch((error) => this.#fail(error));
  }

  /** Reads from disk what the core wants and the log's cache has let go. */
  #fetch({ ticket, from, until, bytesMax }: NeedEntries): void {
    const { wal, core } = this.#parts;
    wal.fetch(from, until, bytesMax).then((entries) => {
      core.entriesFetched(ticket, entries);
      this.wake();
    }).catch((error) => this.#fail(error));
  }

  #tickLater(): void {
    const { clock, heartbeatMs, core } = this.#parts;
    this.#ticker = clock.after(heartbeatMs, () => {
      if (this.#stopped) return;
      try {
        core.tick();
      } catch (error) {
        return this.#fail(error);
      }
      this.wake();
      this.#tickLater();
    });
  }

  #fail(error: unknown): void {
    this.#parts.onFatal(error);
  }
}
