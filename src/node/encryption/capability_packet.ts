import { assert } from "../../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  getUint64,
  setUint64,
  utf8,
  viewOf,
} from "../../base/bytes.ts";
import {
  KEK_ID_BYTES_MAX,
  type KeyWrap,
  WRAPPED_BYTES_MAX,
  WRAPS_MAX,
} from "../../base/data_key.ts";
import type { CapabilityAnswer, CapabilityAsk } from "../encryption_port.ts";

/*
 * Bodies of two packets. Integers big-endian.
 *
 *     ask     request u64 ‖ cluster id 16 ‖ term u64 ‖ target u64 ‖ count u8 ‖
 *             that many: length u16 ‖ KEK id ‖ length u16 ‖ wrapped
 *     answer  request u64 ‖ length u8 of the proof (0 or 32) ‖ proof ‖ statement
 */
const ASK_HEAD_BYTES = 41;
const ANSWER_HEAD_BYTES = 9;
const PROOF_BYTES = 32;
/** A name, two numbers and KEYS_MAX epochs come to less. */
export const STATEMENT_BYTES_MAX = 4_096;
const VISIBLE = /^[\x21-\x7e]+$/;

/** A challenge to a member; `request` finds its answer. */
export interface CapabilityAskPacket extends CapabilityAsk {
  readonly kind: "capability-ask";
  readonly request: number;
}

export interface CapabilityAnswerPacket extends CapabilityAnswer {
  readonly kind: "capability-answer";
  readonly request: number;
}

export function encodeAsk(ask: CapabilityAskPacket): Bytes {
  const { request, clusterId, term, target, challenges } = ask;
  assert(challenges.length <= WRAPS_MAX, "at most WRAPS_MAX challenges");
  const head = new Uint8Array(ASK_HEAD_BYTES);
  const view = viewOf(head);
  setUint64(view, 0, request);
  head.set(clusterId, 8);
  setUint64(view, 24, term);
  view.setBigUint64(32, target);
  head[40] = challenges.length;
  const parts = challenges.flatMap(({ kek, wrapped }) => [
    ...withLength(utf8(kek)),
    ...withLength(wrapped),
  ]);
  return concatBytes(head, ...parts);
}

/** Reads what `encodeAsk` wrote; `null` for anything else. */
export function decodeAsk(bytes: Uint8Array): CapabilityAskPacket | null {
  if (bytes.length < ASK_HEAD_BYTES) return null;
  const view = viewOf(bytes);
  const request = getUint64(view, 0);
  const term = getUint64(view, 24);
  const count = view.getUint8(40);
  if (request === null || term === null || count > WRAPS_MAX) return null;
  const challenges: KeyWrap[] = [];
  let at = ASK_HEAD_BYTES;
  for (let i = 0; i < count; i += 1) {
    const kek = readPart(bytes, at, KEK_ID_BYTES_MAX);
    if (kek === null) return null;
    const wrapped = readPart(bytes, at + 2 + kek.length, WRAPPED_BYTES_MAX);
    const name = String.fromCharCode(...kek);
    if (wrapped === null || !VISIBLE.test(name)) return null;
    challenges.push({ kek: name, wrapped });
    at += 4 + kek.length + wrapped.length;
  }
  if (at !== bytes.length) return null;
  return {
    kind: "capability-ask",
    request,
    clusterId: bytes.slice(8, 24),
    term,
    target: view.getBigUint64(32),
    challenges,
  };
}

export function encodeAnswer(answer: CapabilityAnswerPacket): Bytes {
  const { request, statement, proof } = answer;
  const head = new Uint8Array(ANSWER_HEAD_BYTES);
  setUint64(viewOf(head), 0, request);
  head[8] = proof.length;
  return concatBytes(head, proof, statement);
}

/** Reads what `encodeAnswer` wrote; `null` for anything else. */
export function decodeAnswer(
  bytes: Uint8Array,
): CapabilityAnswerPacket | null {
  if (bytes.length < ANSWER_HEAD_BYTES) return null;
  const view = viewOf(bytes);
  const request = getUint64(view, 0);
  const proofBytes = view.getUint8(8);
  if (proofBytes !== 0 && proofBytes !== PROOF_BYTES) return null;
  const statementAt = ANSWER_HEAD_BYTES + proofBytes;
  const statementBytes = bytes.length - statementAt;
  if (request === null || statementBytes < 0) return null;
  if (statementBytes > STATEMENT_BYTES_MAX) return null;
  return {
    kind: "capability-answer",
    request,
    proof: proofBytes === 0
      ? EMPTY_BYTES
      : bytes.slice(ANSWER_HEAD_BYTES, statementAt),
    statement: bytes.slice(statementAt),
  };
}

function withLength(bytes: Uint8Array): [Bytes, Uint8Array] {
  const length = new Uint8Array(2);
  viewOf(length).setUint16(0, bytes.length);
  return [length, bytes];
}

function readPart(
  bytes: Uint8Array,
  at: number,
  bytesMax: number,
): Bytes | null {
  if (at + 2 > bytes.length) return null;
  const length = viewOf(bytes).getUint16(at);
  const until = at + 2 + length;
  if (length === 0 || length > bytesMax || until > bytes.length) return null;
  return bytes.slice(at + 2, until);
}
