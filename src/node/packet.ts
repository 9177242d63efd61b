import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  getUint64,
  setUint64,
  viewOf,
} from "../base/bytes.ts";
import type { LogIndex, Term } from "../raft/types.ts";

/*
 * What members tell each other besides raft messages. Integers big-endian.
 *
 *     forward  01 ‖ boot u64 ‖ term u64 ‖ sequence u64 ‖ proposal id u64 ‖ payload
 *     verdict  02 ‖ boot u64 ‖ term u64 ‖ sequence u64 ‖ verdict u8
 *     state    03 ‖ applied u64 ‖ commit u64 ‖ flags u8 (1 ready) ‖ phase u8
 *     extra    04 ‖ topic u8 ‖ body
 */
const KIND_FORWARD = 1;
const KIND_VERDICT = 2;
const KIND_STATE = 3;
const KIND_EXTRA = 4;
const FORWARD_HEAD_BYTES = 33;
const VERDICT_BYTES = 26;
const STATE_BYTES = 19;
const EXTRA_HEAD_BYTES = 2;
const FLAG_READY = 1;

/** A proposal that a follower asks the leader of `term` to make. */
export interface Forward {
  readonly kind: "forward";
  /** Drawn when the follower started. */
  readonly boot: number;
  readonly term: Term;
  /** From 1, dense per boot and term. */
  readonly sequence: number;
  readonly proposalId: number;
  /** A command batch without a time, or an announcement. */
  readonly payload: Uint8Array;
}

/**
 * - "taken": it is, or was before, in the leader's log.
 * - "refused": it is not, and never will be.
 * - "gap": earlier ones are missing; none from the gap on was taken.
 */
export const VERDICTS = ["taken", "refused", "gap"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The leader's answer to the forward of the same boot, term and sequence. */
export interface ForwardVerdict {
  readonly kind: "verdict";
  readonly boot: number;
  readonly term: Term;
  readonly sequence: number;
  readonly verdict: Verdict;
}

/** How a member is doing, told now and then. */
export interface MemberState {
  readonly kind: "state";
  readonly applied: LogIndex;
  readonly commit: LogIndex;
  readonly isReady: boolean;
  readonly phase: 0 | 1 | 2;
}

/** One of a topic of its own (extra_packets.ts). */
export interface ExtraPacket {
  readonly kind: "extra";
  readonly topic: number;
  readonly body: Uint8Array;
}

export type Packet = Forward | ForwardVerdict | MemberState | ExtraPacket;

export function encodePacket(packet: Packet): Bytes {
  switch (packet.kind) {
    case "forward": {
      const { payload } = packet;
      const bytes = new Uint8Array(FORWARD_HEAD_BYTES + payload.length);
      const view = writePlace(bytes, KIND_FORWARD, packet);
      setUint64(view, 25, packet.proposalId);
      bytes.set(payload, FORWARD_HEAD_BYTES);
      return bytes;
    }
    case "verdict": {
      const bytes = new Uint8Array(VERDICT_BYTES);
      const view = writePlace(bytes, KIND_VERDICT, packet);
      view.setUint8(25, VERDICTS.indexOf(packet.verdict));
      return bytes;
    }
    case "state": {
      const bytes = new Uint8Array(STATE_BYTES);
      const view = viewOf(bytes);
      bytes[0] = KIND_STATE;
      setUint64(view, 1, packet.applied);
      setUint64(view, 9, packet.commit);
      view.setUint8(17, packet.isReady ? FLAG_READY : 0);
      view.setUint8(18, packet.phase);
      return bytes;
    }
    case "extra": {
      const { topic, body } = packet;
      return concatBytes(Uint8Array.of(KIND_EXTRA, topic), body);
    }
  }
}

function writePlace(
  bytes: Bytes,
  kind: number,
  { boot, term, sequence }: Omit<ForwardVerdict, "kind" | "verdict">,
): DataView {
  assert(sequence > 0, "sequences start at 1");
  const view = viewOf(bytes);
  bytes[0] = kind;
  setUint64(view, 1, boot);
  setUint64(view, 9, term);
  setUint64(view, 17, sequence);
  return view;
}

/** Reads what `encodePacket` wrote; `null` for anything else. Keeps views. */
export function decodePacket(bytes: Uint8Array): Packet | null {
  switch (bytes[0]) {
    case KIND_FORWARD: {
      if (bytes.length < FORWARD_HEAD_BYTES) return null;
      const place = readPlace(bytes);
      const proposalId = getUint64(viewOf(bytes), 25);
      if (place === null || proposalId === null) return null;
      const payload = bytes.subarray(FORWARD_HEAD_BYTES);
      return { kind: "forward", ...place, proposalId, payload };
    }
    case KIND_VERDICT: {
      const place = bytes.length === VERDICT_BYTES ? readPlace(bytes) : null;
      const verdict = VERDICTS[bytes[25] ?? VERDICTS.length];
      if (place === null || verdict === undefined) return null;
      return { kind: "verdict", ...place, verdict };
    }
    case KIND_STATE:
      return bytes.length === STATE_BYTES ? decodeState(viewOf(bytes)) : null;
    case KIND_EXTRA: {
      const topic = bytes[1];
      if (topic === undefined) return null;
      return { kind: "extra", topic, body: bytes.subarray(EXTRA_HEAD_BYTES) };
    }
    default:
      return null;
  }
}

function readPlace(
  bytes: Uint8Array,
): Omit<ForwardVerdict, "kind" | "verdict"> | null {
  const view = viewOf(bytes);
  const boot = getUint64(view, 1);
  const term = getUint64(view, 9);
  const sequence = getUint64(view, 17);
  if (boot === null || term === null || sequence === null) return null;
  return sequence === 0 ? null : { boot, term, sequence };
}

function decodeState(view: DataView): MemberState | null {
  const applied = getUint64(view, 1);
  const commit = getUint64(view, 9);
  const flags = view.getUint8(17);
  const phase = view.getUint8(18);
  if (applied === null || commit === null || flags > FLAG_READY) return null;
  if (phase !== 0 && phase !== 1 && phase !== 2) return null;
  const isReady = flags === FLAG_READY;
  return { kind: "state", applied, commit, isReady, phase };
}
