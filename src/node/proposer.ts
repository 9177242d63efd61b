import { fullNodeId } from "../base/identity.ts";
import type { Clock } from "../io/clock.ts";
import { encodeBatch, encodeClock } from "../fsm/payload.ts";
import { stampForwarded } from "../fsm/stamp.ts";
import type { Core } from "../raft/core.ts";
import { NO_MEMBER, type RaftId, type Term } from "../raft/types.ts";
import {
  ForwardReceiver,
  ForwardSender,
  type SendPacket,
} from "./forwarding.ts";
import {
  FORWARDED_PROPOSALS_MAX,
  UNPERSISTED_PROPOSALS_MAX,
} from "./limits.ts";
import { encodePacket, type Forward, type ForwardVerdict } from "./packet.ts";
import type { Proposals } from "./proposals.ts";
import type { EntryLine } from "./raft_sealing/entry_line.ts";

/** What the proposer works with. */
export interface ProposerParts {
  readonly core: Core;
  readonly proposals: Proposals;
  /** Into this member's own log, as leader. */
  readonly line: EntryLine;
  readonly clock: Clock;
  /** Differs between two starts of this node. */
  readonly boot: number;
  readonly sendPacket: SendPacket;
  /** Name of another member; "" for one that is not known. */
  readonly nameOf: (id: RaftId) => string;
  /** Founds the cluster: the payload to propose, `null` once it has an id. */
  readonly clusterInit: () => Uint8Array | null;
  /** What this member has to tell of itself, `null` when it is known. */
  readonly announcement: () => Uint8Array | null;
  /** The sessions that the cluster has yet to know of, `null` for none. */
  readonly registration: () => Uint8Array | null;
  /** Clients' writes wait while it is false. */
  readonly takesWrites: () => boolean;
}

/** Proposals of the node itself: nobody waits for a reply. */
const NO_PROPOSAL = 0;

/** What a member tells of itself is told again when not applied after this. */
const ANNOUNCE_MS = 1_000;

/** Entries by which a member makes itself known, by when they were proposed. */
type Introduction = "announcement" | "registration";
const NOT_INTRODUCED: Readonly<Record<Introduction, number>> = {
  announcement: -Infinity,
  registration: -Infinity,
};

/**
 * Turns what waits into entries: a leader's own log takes them, a follower asks
 * its leader.
 *
 * A leader proposes nothing while its line is not open: what it has waits here
 * and what others ask for waits in the line.
 *
 * Group commit: while proposals are on their way to the disk, or to the leader,
 * writes gather for the next one.
 */
export class Proposer {
  readonly #parts: ProposerParts;
  readonly #sender: ForwardSender;
  readonly #receiver = new ForwardReceiver();
  /** Clients' proposals in line or not durable, and those not yet handed over. */
  #unpersisted = 0;
  #proposed = 0;
  /** The core takes nothing for now; a tick or a role ends it. */
  #isHeld = false;
  #clockWanted: number | null = null;
  #introducedMs = NOT_INTRODUCED;
  /** The leadership in which this member founded the cluster. */
  #foundedTerm: Term = 0;

  constructor(parts: ProposerParts) {
    this.#parts = parts;
    this.#sender = new ForwardSender(parts.sendPacket, parts.boot);
  }

  /** Entries that this member put into its own log as leader. */
  get count(): number {
    return this.#parts.line.count;
  }

  /** Asks for a clock entry, if this member leads at the next turn. */
  wantClock(wallMs: number): void {
    this.#clockWanted = wallMs;
  }

  /** Proposes what it may. Log first what every later entry builds on. */
  run(): void {
    const { core, line } = this.#parts;
    line.run();
    const { lead, term, id } = core.state;
    if (lead === NO_MEMBER) return;
    if (lead === id) {
      if (!line.isOpen) return;
      this.#proposeClusterInit();
      this.#proposeClock();
      this.#introduce();
      if (this.#parts.takesWrites()) this.#proposeBatches();
    } else {
      this.#sender.follow(lead, term);
      this.#introduce();
      if (this.#parts.takesWrites()) this.#forwardBatches();
    }
  }

  /**
   * Lets `payload` become an entry under `proposalId`, as leader; false when it
   * will not. `onDropped` tells later that it will not after all.
   */
  propose(
    proposalId: number,
    payload: Uint8Array,
    onDropped: () => void = () => {},
  ): boolean {
    let isDropped = false;
    let isReturned = false;
    const settle = (isMade: boolean) => {
      if (isMade) return;
      isDropped = true;
      if (isReturned) onDropped();
    };
    const { line } = this.#parts;
    const isTaken = line.add({ proposalId, payload: payload.slice(), settle });
    isReturned = true;
    return isTaken && !isDropped;
  }

  /** Counts what the pump hands to the disk since the last call. */
  takeProposed(): number {
    const proposed = this.#proposed;
    this.#proposed = 0;
    return proposed;
  }

  /** `proposed` of these are durable. */
  persisted(proposed: number): void {
    this.#unpersisted -= proposed;
  }

  onTick(): void {
    this.#isHeld = false;
    this.#sender.onTick(this.#parts.clock.monotonicMs());
  }

  /** Leader or role changed. */
  onRole(isLeader: boolean): void {
    this.#isHeld = false;
    this.#introducedMs = NOT_INTRODUCED;
    if (isLeader) return;
    this.#receiver.forget();
    this.#clockWanted = null;
  }

  onLinkUp(peer: RaftId): void {
    this.#sender.onLinkUp(peer, this.#parts.clock.monotonicMs());
  }

  onPacket(from: RaftId, packet: Forward | ForwardVerdict): void {
    if (packet.kind === "verdict") {
      const nowMs = this.#parts.clock.monotonicMs();
      const refused = this.#sender.onVerdict(packet, nowMs);
      if (refused === null) return;
      this.#isHeld = true;
      this.#parts.proposals.putBack(refused);
      return;
    }
    const { sendPacket } = this.#parts;
    if (!this.#leads(packet.term)) return;
    this.#receiver.receive(from, packet, {
      propose: (decide) => this.#proposeFor(from, packet, decide),
      answer: (verdict) => {
        if (this.#leads(packet.term)) sendPacket(from, encodePacket(verdict));
      },
    });
  }

  /** Another leadership than the one that is asked can tell nothing. */
  #leads(term: Term): boolean {
    const { state } = this.#parts.core;
    return state.lead === state.id && state.term === term;
  }

  #proposeFor(
    from: RaftId,
    { proposalId, payload: asked }: Forward,
    settle: (isTaken: boolean) => void,
  ): void {
    const { clock, nameOf, line } = this.#parts;
    const payload = stampForwarded(asked, {
      nowMs: clock.wallMs(),
      sender: { id: from, fullNodeId: fullNodeId(nameOf(from)) },
    });
    if (payload === null) return settle(false);
    if (!line.add({ proposalId, payload, settle })) settle(false);
  }

  #proposeBatches(): void {
    const { core, proposals, clock, line } = this.#parts;
    while (!this.#isHeld && this.#unpersisted < UNPERSISTED_PROPOSALS_MAX) {
      const { term } = core.state;
      const batch = proposals.takeBatch(term);
      if (batch === null) return;
      const payload = encodeBatch(batch.writes, clock.wallMs());
      this.#unpersisted += 1;
      const settle = (isMade: boolean) =>
        isMade ? this.#proposed += 1 : this.#takeBack(batch.id, term);
      if (!line.add({ proposalId: batch.id, payload, settle })) settle(false);
    }
  }

  #takeBack(id: number, term: Term): void {
    this.#unpersisted -= 1;
    if (this.#leads(term)) this.#isHeld = true;
    this.#parts.proposals.putBack(id);
  }

  #forwardBatches(): void {
    const { core, proposals, clock } = this.#parts;
    while (
      !this.#isHeld && proposals.inFlightCount < FORWARDED_PROPOSALS_MAX
    ) {
      const batch = proposals.takeBatch(core.state.term);
      if (batch === null) return;
      const payload = encodeBatch(batch.writes, 0);
      this.#sender.forward(batch.id, payload, clock.monotonicMs());
    }
  }

  #proposeClusterInit(): void {
    const { term } = this.#parts.core.state;
    if (this.#foundedTerm === term) return;
    const payload = this.#parts.clusterInit();
    if (payload !== null && this.propose(NO_PROPOSAL, payload)) {
      this.#foundedTerm = term;
    }
  }

  #proposeClock(): void {
    if (this.#clockWanted === null) return;
    const payload = encodeClock(this.#clockWanted);
    this.#clockWanted = null;
    this.propose(NO_PROPOSAL, payload);
  }

  #introduce(): void {
    this.#makeKnown("announcement");
    this.#makeKnown("registration");
  }

  #makeKnown(what: Introduction): void {
    const { core, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#introducedMs[what] < ANNOUNCE_MS) return;
    const payload = this.#parts[what]();
    if (payload === null) return;
    this.#introducedMs = { ...this.#introducedMs, [what]: nowMs };
    if (core.state.lead === core.state.id) {
      this.propose(NO_PROPOSAL, payload);
    } else this.#sender.forward(NO_PROPOSAL, payload, nowMs);
  }
}
