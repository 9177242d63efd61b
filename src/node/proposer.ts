import { fullNodeId } from "../base/identity.ts";
import type { Clock } from "../io/clock.ts";
import { encodeBatch, encodeClock } from "../fsm/payload.ts";
import { encodeProposal } from "../fsm/proposal.ts";
import { stampForwarded } from "../fsm/stamp.ts";
import type { Core } from "../raft/core.ts";
import { NO_MEMBER, type RaftId } from "../raft/types.ts";
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

/** What the proposer works with. */
export interface ProposerParts {
  readonly core: Core;
  readonly proposals: Proposals;
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
 * Group commit: while proposals are on their way to the disk, or to the leader,
 * writes gather for the next one.
 */
export class Proposer {
  readonly #parts: ProposerParts;
  readonly #sender: ForwardSender;
  readonly #receiver = new ForwardReceiver();
  /** Clients' proposals that are not durable, and those not yet handed over. */
  #unpersisted = 0;
  #proposed = 0;
  /** The core takes nothing for now; a tick or a role ends it. */
  #isHeld = false;
  #clockWanted: number | null = null;
  #introducedMs = NOT_INTRODUCED;
  #count = 0;

  constructor(parts: ProposerParts) {
    this.#parts = parts;
    this.#sender = new ForwardSender(parts.sendPacket, parts.boot);
  }

  /** Entries that this member put into its own log as leader. */
  get count(): number {
    return this.#count;
  }

  /** Asks for a clock entry, if this member leads at the next turn. */
  wantClock(wallMs: number): void {
    this.#clockWanted = wallMs;
  }

  /** Proposes what it may. Log first what every later entry builds on. */
  run(): void {
    const { core } = this.#parts;
    const { lead, term, id } = core.state;
    if (lead === NO_MEMBER) return;
    if (lead === id) {
      this.#proposeClock();
      this.#introduce();
      if (this.#parts.takesWrites()) this.#proposeBatches();
    } else {
      this.#sender.follow(lead, term);
      this.#introduce();
      if (this.#parts.takesWrites()) this.#forwardBatches();
    }
  }

  /** Puts `payload` into the log under `proposalId`, as leader; false if not. */
  propose(proposalId: number, payload: Uint8Array): boolean {
    const { lead, id } = this.#parts.core.state;
    return lead === id && this.#make(encodeProposal(proposalId, payload));
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
    if (isLeader) {
      this.#proposeClusterInit();
      return;
    }
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
    const { core, sendPacket } = this.#parts;
    // Another leadership than the one that is asked can tell nothing.
    if (core.state.lead !== core.state.id) return;
    if (core.state.term !== packet.term) return;
    const verdict = this.#receiver.receive(
      from,
      packet,
      (forward) => this.#proposeFor(from, forward),
    );
    sendPacket(from, encodePacket(verdict));
  }

  #proposeFor(from: RaftId, { proposalId, payload }: Forward): boolean {
    const { clock, nameOf } = this.#parts;
    const stamped = stampForwarded(payload, {
      nowMs: clock.wallMs(),
      sender: { id: from, fullNodeId: fullNodeId(nameOf(from)) },
    });
    return stamped !== null &&
      this.#make(encodeProposal(proposalId, stamped));
  }

  #proposeBatches(): void {
    const { core, proposals, clock } = this.#parts;
    while (!this.#isHeld && this.#unpersisted < UNPERSISTED_PROPOSALS_MAX) {
      const batch = proposals.takeBatch(core.state.term);
      if (batch === null) return;
      const payload = encodeBatch(batch.writes, clock.wallMs());
      if (this.#make(encodeProposal(batch.id, payload))) {
        this.#unpersisted += 1;
        this.#proposed += 1;
      } else {
        this.#isHeld = true;
        proposals.putBack(batch.id);
      }
    }
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

  #make(data: Uint8Array): boolean {
    if (!this.#parts.core.propose(data)) return false;
    this.#count += 1;
    return true;
  }

  #proposeClusterInit(): void {
    const payload = this.#parts.clusterInit();
    if (payload === null) return;
    this.#make(encodeProposal(NO_PROPOSAL, payload));
  }

  #proposeClock(): void {
    if (this.#clockWanted === null) return;
    const payload = encodeClock(this.#clockWanted);
    this.#clockWanted = null;
    this.#make(encodeProposal(NO_PROPOSAL, payload));
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
      this.#make(encodeProposal(NO_PROPOSAL, payload));
    } else this.#sender.forward(NO_PROPOSAL, payload, nowMs);
  }
}
