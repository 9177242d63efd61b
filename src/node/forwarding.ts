import type { RaftId, Term } from "../raft/types.ts";
import { encodePacket, type Forward, type ForwardVerdict } from "./packet.ts";

/** Hands a packet to the link to `to`; false when it was dropped. */
export type SendPacket = (to: RaftId, packet: Uint8Array) => boolean;

interface Unanswered extends Forward {
  readonly sentMs: number;
}

/** An answer that is worth hanging on for at most this long; then ask again. */
const ANSWER_MS_MAX = 500;

/**
 * The follower's side of proposals made through the leader.
 *
 * A stream of forwards per leadership: dense sequences, all unanswered ones
 * sent again when the link comes up, so that the leader takes each exactly once
 * or tells that it did not. What a leadership leaves unanswered is decided by
 * the log alone (see Proposals).
 */
export class ForwardSender {
  readonly #send: SendPacket;
  readonly #boot: number;
  #lead: RaftId = 0;
  #term: Term = 0;
  #sequence = 0;
  #unanswered: Unanswered[] = [];

  /** `boot` differs between two starts of this node. */
  constructor(send: SendPacket, boot: number) {
    this.#send = send;
    this.#boot = boot;
  }

  /** Follows `lead` of `term`; forgets what went to another leadership. */
  follow(lead: RaftId, term: Term): void {
    if (this.#lead === lead && this.#term === term) return;
    this.#lead = lead;
    this.#term = term;
    this.#sequence = 0;
    this.#unanswered = [];
  }

  /** Asks the leader to propose `payload` under `proposalId`. */
  forward(proposalId: number, payload: Uint8Array, nowMs: number): void {
    this.#sequence += 1;
    const forward: Unanswered = {
      kind: "forward",
      boot: this.#boot,
      term: this.#term,
      sequence: this.#sequence,
      proposalId,
      payload,
      sentMs: nowMs,
    };
    this.#unanswered.push(forward);
    this.#send(this.#lead, encodePacket(forward));
  }

  /** Returns the id of the proposal that was refused, if one was. */
  onVerdict(verdict: ForwardVerdict, nowMs: number): number | null {
    const { boot, term, sequence } = verdict;
    if (boot !== this.#boot || term !== this.#term) return null;
    if (verdict.verdict === "gap") {
      this.#resend(nowMs);
      return null;
    }
    const at = this.#unanswered.findIndex((one) => one.sequence === sequence);
    if (at < 0) return null;
    const [answered] = this.#unanswered.splice(at, 1);
    return verdict.verdict === "refused" ? answered?.proposalId ?? null : null;
  }

  /** The link to `peer` came up: what was on it may be lost. */
  onLinkUp(peer: RaftId, nowMs: number): void {
    if (peer === this.#lead) this.#resend(nowMs);
  }

  /** Sends again what was not answered for too long. */
  onTick(nowMs: number): void {
    const [oldest] = this.#unanswered;
    if (oldest === undefined) return;
    if (nowMs - oldest.sentMs >= ANSWER_MS_MAX) this.#resend(nowMs);
  }

  #resend(nowMs: number): void {
    this.#unanswered = this.#unanswered.map((one) => ({
      ...one,
      sentMs: nowMs,
    }));
    for (const one of this.#unanswered) {
      if (!this.#send(this.#lead, encodePacket(one))) return;
    }
  }
}

interface Stream {
  readonly boot: number;
  readonly term: Term;
  /** Highest sequence that was passed on, in order. */
  passed: number;
  /** Those of them that are yet to be taken or refused. */
  readonly pending: Set<number>;
  /** Those of the last REFUSED_KEPT that were refused. */
  readonly refused: Set<number>;
}

/** A sender has far fewer forwards unanswered: older refusals are known there. */
const REFUSED_KEPT = 1_024;

/**
 * The leader's side: takes each forward of a stream once, in order.
 *
 * Only streams of its own leadership count; it forgets them with it.
 */
export class ForwardReceiver {
  readonly #streams = new Map<RaftId, Stream>();

  /**
   * Answers a forward to the leader of `term`, once it is decided. `propose` is
   * called for one that is new, and tells whether it is in the log, now or
   * later.
   */
  receive(
    from: RaftId,
    { boot, term, sequence }: Forward,
    { propose, answer }: {
      readonly propose: (decide: (isTaken: boolean) => void) => void;
      readonly answer: (verdict: ForwardVerdict) => void;
    },
  ): void {
    const stream = this.#streamOf(from, boot, term);
    const say = (verdict: ForwardVerdict["verdict"]) =>
      answer({ kind: "verdict", boot, term, sequence, verdict });
    if (sequence > stream.passed + 1) return say("gap");
    // Asked again too early: it is told when it is known.
    if (stream.pending.has(sequence)) return;
    if (sequence <= stream.passed) {
      return say(stream.refused.has(sequence) ? "refused" : "taken");
    }
    stream.passed = sequence;
    stream.pending.add(sequence);
    propose((isTaken) => {
      stream.pending.delete(sequence);
      if (!isTaken) refuse(stream, sequence);
      say(isTaken ? "taken" : "refused");
    });
  }

  /** The leadership ended. */
  forget(): void {
    this.#streams.clear();
  }

  #streamOf(from: RaftId, boot: number, term: Term): Stream {
    const known = this.#streams.get(from);
    if (known?.boot === boot && known.term === term) return known;
    const fresh: Stream = {
      ...{ boot, term, passed: 0 },
      pending: new Set(),
      refused: new Set(),
    };
    this.#streams.set(from, fresh);
    return fresh;
  }
}

function refuse({ refused }: Stream, sequence: number): void {
  refused.add(sequence);
  for (const old of refused) {
    if (old > sequence - REFUSED_KEPT) break;
    refused.delete(old);
  }
}
