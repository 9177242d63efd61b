import type { Clock } from "../../io/clock.ts";
import type { EventLog } from "../../io/log.ts";
import type { LogIndex, Term } from "../../raft/types.ts";
import { NotReadyError } from "../errors.ts";
import { CUTOVER_MS_MAX } from "../limits.ts";
import { CutoverAbortedError } from "../raft_sealing/errors.ts";
import type { ProposalGate } from "../raft_sealing/gate.ts";
import type { EncryptionOutcome } from "./outcomes.ts";

/** The entry from whose index on the log is sealed, on its way. */
export interface ProposedMarker {
  readonly index: LogIndex;
  readonly outcome: Promise<EncryptionOutcome>;
}

export interface RaftCutoverHost {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly gate: ProposalGate;
  /** Least time of an election. */
  readonly electionMs: number;
  /** Of the last applied entry. */
  applied(): { readonly index: LogIndex; readonly term: Term };
  /** As it is applied here; 0 for none. */
  cutoverIndex(): LogIndex;
  /** Of the last entry of this member's log, durable or not. */
  lastIndex(): LogIndex;
  leads(term: Term): boolean;
  isStopped(): boolean;
  /** Resolves once a quorum has confirmed that this member leads. */
  confirmLead(): Promise<void>;
  /** Puts the marker behind the last entry, unsealed; `null` when refused. */
  proposeMarker(): ProposedMarker | null;
  /** Runs a turn of the driver. */
  wake(): void;
}

interface Marker {
  readonly index: LogIndex;
  readonly term: Term;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
}

/** A marker that is not applied after this many election times is in doubt. */
const MARKER_ELECTIONS_MAX = 20;

/**
 * The barrier of the raft cutover (docs/adr/0109): the gate closes, all that is
 * in the log is applied, the marker follows alone, and once it is applied here
 * the gate opens and what waited goes on, sealed.
 *
 * Until the marker is proposed a deadline gives up cleanly. From then on the
 * gate stays closed until the log tells what became of it.
 */
export class RaftCutover {
  readonly #host: RaftCutoverHost;
  readonly #waiters = new Set<Waiter>();
  #marker: Marker | null = null;

  constructor(host: RaftCutoverHost) {
    this.#host = host;
  }

  /** A marker was proposed here and nobody knows yet what becomes of it. */
  get isInDoubt(): boolean {
    return this.#marker !== null;
  }

  /**
   * Carries the cutover out as the leader of `term`, under the lock of changes
   * and after a fan-out in that term.
   *
   * "lost": nothing was changed, another member leads or will. "unknown": the
   * gate stays closed here until the log tells.
   *
   * @throws {CutoverAbortedError} Nothing was changed.
   * @throws {NotReadyError} The node is stopping; nothing was changed.
   */
  async run(term: Term): Promise<EncryptionOutcome> {
    const index = this.#host.cutoverIndex();
    if (index > 0) return { kind: "taken", index };
    if (this.isInDoubt) return { kind: "unknown" };
    if (!await this.#isConfirmed()) {
      throw new CutoverAbortedError("no quorum confirmed who leads in time");
    }
    this.#mustNotStop();
    if (!this.#host.leads(term)) return { kind: "lost" };
    this.#close();
    const marker = await this.#proposed(term);
    if (marker === null) return { kind: "lost" };
    return await this.#outcomeOf(marker);
  }

  /** Entries were applied, another leads, or the node stops. */
  progressed(): void {
    this.#learn();
    for (const waiter of [...this.#waiters]) {
      if (!waiter.isDone() && !this.#host.isStopped()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /**
   * Waits until all of the log is applied here, then proposes the marker;
   * `null` when the leadership ended first. The gate is open again if there is
   * no marker.
   */
  async #proposed(term: Term): Promise<ProposedMarker | null> {
    const isDrained = () =>
      this.#host.applied().index === this.#host.lastIndex();
    const isLost = () => !this.#host.leads(term);
    try {
      await this.#until(() => isDrained() || isLost(), CUTOVER_MS_MAX);
      this.#mustNotStop();
      if (isLost()) return null;
      if (!isDrained()) {
        throw new CutoverAbortedError(
          `what was under way was not applied within ${CUTOVER_MS_MAX} ms`,
        );
      }
      const marker = this.#host.proposeMarker();
      if (marker === null) {
        throw new CutoverAbortedError("the leader takes no proposals just now");
      }
      this.#marker = { index: marker.index, term };
      this.#host.wake();
      return marker;
    } finally {
      if (this.#marker === null) this.#open("aborted");
    }
  }

  async #outcomeOf(marker: ProposedMarker): Promise<EncryptionOutcome> {
    let outcome: EncryptionOutcome = { kind: "unknown" };
    let isKnown = false;
    void marker.outcome.then((known) => {
      outcome = known;
      isKnown = true;
      this.progressed();
    });
    const { electionMs } = this.#host;
    await this.#until(() => isKnown, electionMs * MARKER_ELECTIONS_MAX);
    return outcome;
  }

  /**
   * The marker's place in the log is decided: an entry is applied there, or one
   * of a later term, which no log has before an entry of the marker's.
   */
  #learn(): void {
    if (this.#marker === null) return;
    const { index, term } = this.#host.applied();
    if (index < this.#marker.index && term <= this.#marker.term) return;
    this.#marker = null;
    this.#open(this.#host.cutoverIndex() > 0 ? "sealed" : "overwritten");
  }

  async #isConfirmed(): Promise<boolean> {
    let answer: boolean | null = null;
    const answered = (isConfirmed: boolean) => {
      answer = isConfirmed;
      this.progressed();
    };
    void this.#host.confirmLead().then(
      () => answered(true),
      () => answered(false),
    );
    this.#host.wake();
    await this.#until(() => answer !== null, CUTOVER_MS_MAX);
    return answer === true;
  }

  /** Resolves when it is so, the node stops, or after `ms`. */
  async #until(isDone: () => boolean, ms: number): Promise<void> {
    if (isDone() || this.#host.isStopped()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { isDone, resolve };
    this.#waiters.add(waiter);
    const timer = this.#host.clock.after(ms, resolve);
    await promise;
    timer.cancel();
    this.#waiters.delete(waiter);
  }

  #close(): void {
    const { gate, clock, log } = this.#host;
    gate.close(clock.monotonicMs());
    log.write("info", "encryption_gate_closed");
  }

  #open(why: "sealed" | "overwritten" | "aborted"): void {
    const { gate, clock, log } = this.#host;
    const closedMs = gate.closedMs ?? clock.monotonicMs();
    gate.open();
    const ms = Math.round(clock.monotonicMs() - closedMs);
    log.write("info", "encryption_gate_opened", { why, ms });
    this.#host.wake();
  }

  #mustNotStop(): void {
    if (this.#host.isStopped()) throw new NotReadyError("the node is stopping");
  }
}
