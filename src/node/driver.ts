import type { Clock, Timer } from "../io/clock.ts";
import type {
  Core,
  Effects,
  Message,
  NeedEntries,
  Persist,
} from "../raft/core.ts";
import { MSG_SNAP } from "../raft/message.ts";
import type { Role } from "../raft/state.ts";
import type {
  LogIndex,
  RaftId,
  SnapshotMetadata,
  Term,
} from "../raft/types.ts";
import { WalCompactedError } from "../wal/errors.ts";
import type { Wal } from "../wal/wal.ts";
import type { Applier } from "./applier.ts";
import type { Lease } from "./lease.ts";
import { READ_RETRY_TICKS } from "./limits.ts";
import type { Proposer } from "./proposer.ts";
import type { Reads } from "./reads.ts";

/** Who leads, as this member sees it. */
export interface Leadership {
  readonly role: Role;
  readonly lead: RaftId;
  readonly term: Term;
}

/** What the driver moves things between. */
export interface DriverParts {
  readonly core: Core;
  readonly wal: Wal;
  readonly applier: Applier;
  readonly proposer: Proposer;
  readonly reads: Reads;
  /** `null` where strong reads always ask. */
  readonly lease: Lease | null;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly send: (messages: readonly Message[]) => void;
  /** Sends a checkpoint to a member whose log cannot be continued. */
  readonly sendCheckpoint: (to: RaftId, index: LogIndex) => void;
  /** Makes the checkpoint that was offered the store; durable when done. */
  readonly install: (metadata: SnapshotMetadata) => Promise<void>;
  /** What the store has applied. */
  readonly applied: () => LogIndex;
  readonly onTick: () => void;
  readonly onLeadership: (leadership: Leadership) => void;
  readonly onFatal: (error: unknown) => void;
}

/**
 * Feeds the raft core and carries out what it asks for.
 *
 * One turn: take what arrived into the core, then pump it dry. Messages leave
 * beside the log's write; only those of `afterDurable` wait for it. There is
 * no await between a pump and the hand-over of its effects.
 */
export class Driver {
  readonly #parts: DriverParts;
  #scheduled = false;
  #stopped = false;
  #ticker: Timer | null = null;
  #leadership: Leadership = { role: "follower", lead: 0, term: 0 };
  /** Ends when every write that follows a checkpoint may go to the log. */
  #installing: Promise<void> | null = null;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#tickLater();
    this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#ticker?.cancel();
  }

  /** Resolves when no checkpoint is being installed. */
  async settled(): Promise<void> {
    while (this.#installing !== null) await this.#installing;
  }

  /** Runs a turn after the callers that are running now. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#parts.clock.soon(() => this.#turn());
  }

  /** Lets `take` give the core something; what it throws ends the node. */
  run(take: (core: Core) => void): void {
    if (this.#stopped) return;
    try {
      take(this.#parts.core);
    } catch (error) {
      this.#fail(error);
    }
    this.wake();
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    try {
      this.#parts.proposer.run();
      this.#startReads();
      const { core } = this.#parts;
      for (let effects = core.pump(); effects !== null; effects = core.pump()) {
        this.#carryOut(effects);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #startReads(): void {
    const { core, reads, lease, clock } = this.#parts;
    if (core.state.lead === 0) return;
    const nowMs = clock.monotonicMs();
    const round = reads.takeRound(nowMs);
    if (round === null) return;
    if (lease !== null && core.state.lead === core.state.id) {
      // A transfer passes over what the lease relies on.
      if (core.state.leadTransferee !== 0) lease.end();
      if (lease.isValid(nowMs)) {
        const { committed } = core.state.entryLog;
        reads.confirm(round, committed, this.#parts.applied());
        return;
      }
    }
    core.readIndex(round);
  }

  #carryOut(effects: Effects): void {
    const { applier, reads, lease } = this.#parts;
    if (effects.send.length > 0) this.#send(effects.send);
    if (effects.persist !== undefined) this.#persist(effects.persist);
    if (effects.apply !== undefined) applier.enqueue(effects.apply);
    for (const need of effects.needEntries) this.#fetch(need);
    for (const { round, index } of effects.reads) {
      const asked = reads.confirm(round, index, this.#parts.applied());
      if (asked !== null && this.#leadership.role === "leader") {
        lease?.extend(asked.startedMs);
      }
    }
    if (effects.soft === undefined) return;
    const { term } = this.#parts.core.state;
    this.#leadership = { ...effects.soft, term };
    lease?.end();
    reads.restart();
    this.#parts.proposer.onRole(effects.soft.role === "leader");
    this.#parts.onLeadership(this.#leadership);
  }

  #send(messages: readonly Message[]): void {
    const { send, sendCheckpoint } = this.#parts;
    if (!messages.some(({ type }) => type === MSG_SNAP)) return send(messages);
    send(messages.filter(({ type }) => type !== MSG_SNAP));
    for (const { type, to, snapshot } of messages) {
      if (type === MSG_SNAP && snapshot !== null) {
        sendCheckpoint(to, snapshot.metadata.index);
      }
    }
  }

  /** Writes in the order they were asked for, also behind a checkpoint. */
  #persist(persist: Persist): void {
    const proposed = this.#parts.proposer.takeProposed();
    if (persist.snapshot === undefined && this.#installing === null) {
      this.#append(persist, proposed).catch((error) => this.#fail(error));
      return;
    }
    const before = this.#installing ?? Promise.resolve();
    const task = before.then(async () => {
      if (this.#stopped) return;
      if (persist.snapshot !== undefined) {
        await this.#parts.install(persist.snapshot.metadata);
      }
      await this.#append(persist, proposed);
    });
    const settled = task.catch((error) => this.#fail(error)).then(() => {
      if (this.#installing === settled) this.#installing = null;
    });
    this.#installing = settled;
  }

  async #append(persist: Persist, proposed: number): Promise<void> {
    const { core, wal, proposer } = this.#parts;
    const { hardState, snapshot, entries, mustSync } = persist;
    await wal.append({
      entries,
      mustSync,
      ...(hardState && { hardState }),
      ...(snapshot && { snapshot: snapshot.metadata }),
    });
    proposer.persisted(proposed);
    if (this.#stopped) return;
    core.persisted(persist.seq);
    if (persist.afterDurable.length > 0) this.#send(persist.afterDurable);
    this.wake();
  }

  /** Reads from disk what the core wants and the log's cache has let go. */
  #fetch({ ticket, from, until, bytesMax }: NeedEntries): void {
    const { wal } = this.#parts;
    const gone = (error: unknown) => {
      if (error instanceof WalCompactedError) return [];
      throw error;
    };
    wal.fetch(from, until, bytesMax).catch(gone).then((entries) => {
      this.run((core) => core.entriesFetched(ticket, entries));
    }).catch((error) => this.#fail(error));
  }

  #tickLater(): void {
    const { clock, heartbeatMs, reads, proposer } = this.#parts;
    this.#ticker = clock.after(heartbeatMs, () => {
      if (this.#stopped) return;
      this.run((core) => core.tick());
      if (this.#stopped) return;
      proposer.onTick();
      const nowMs = clock.monotonicMs();
      reads.restart(nowMs - READ_RETRY_TICKS * heartbeatMs);
      this.#parts.onTick();
      this.#tickLater();
    });
  }

  #fail(error: unknown): void {
    if (!this.#stopped) this.#parts.onFatal(error);
  }
}
