import { assert } from "../base/assert.ts";
import { getUint64, setUint64, viewOf } from "../base/bytes.ts";
import {
  draftMessage,
  isLocalMessage,
  type Message,
  MESSAGE_NAMES,
  MSG_FORGET_LEADER,
  MSG_SNAP,
  NO_ENTRIES,
} from "../raft/message.ts";
import {
  type Entry,
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
  type EntryType,
} from "../raft/types.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { CONTEXT_BYTES_MAX, MESSAGE_ENTRIES_MAX } from "./limits.ts";

/*
 * A raft message. Integers are big-endian; u64 are safe integers.
 *
 *     offset  bytes  field
 *     0       1      type
 *     1       1      flags: bit 0 reject; others 0
 *     2       2      context length c
 *     4       4      entry count
 *     8       64     to, from, term, log term, index, commit, vote,
 *                    reject hint, each u64
 *     72      c      context
 *     72 + c         entries: type u8 ‖ data length u32 ‖ term u64 ‖
 *                    index u64 ‖ data
 */
const MESSAGE_FIXED_BYTES = 72;
const ENTRY_FIXED_BYTES = 21;
const FLAG_REJECT = 1;

/**
 * Tells whether a message of `type` may travel: not those of a member to
 * itself, and not a checkpoint, which has a connection of its own.
 */
export function isWireMessage(type: number): boolean {
  return type >= 0 && type < MESSAGE_NAMES.length && type !== MSG_SNAP &&
    type !== MSG_FORGET_LEADER && !isLocalMessage(type);
}

/** Bytes that `message` takes. */
export function messageBytes(message: Message): number {
  const { entries, context } = message;
  let bytes = MESSAGE_FIXED_BYTES + context.length +
    entries.length * ENTRY_FIXED_BYTES;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}

/** Writes `messageBytes(message)` bytes at `at` of `target`. */
export function writeMessage(
  target: Uint8Array,
  at: number,
  message: Message,
): void {
  const { context, entries } = message;
  assert(isWireMessage(message.type), "a message that leaves may travel");
  const view = viewOf(target);
  view.setUint8(at, message.type);
  view.setUint8(at + 1, message.reject ? FLAG_REJECT : 0);
  view.setUint16(at + 2, context.length);
  view.setUint32(at + 4, entries.length);
  setUint64(view, at + 8, message.to);
  setUint64(view, at + 16, message.from);
  setUint64(view, at + 24, message.term);
  setUint64(view, at + 32, message.logTerm);
  setUint64(view, at + 40, message.index);
  setUint64(view, at + 48, message.commit);
  setUint64(view, at + 56, message.vote);
  setUint64(view, at + 64, message.rejectHint);
  target.set(context, at + MESSAGE_FIXED_BYTES);
  let end = at + MESSAGE_FIXED_BYTES + context.length;
  for (const { type, term, index, data } of entries) {
    view.setUint8(end, type);
    view.setUint32(end + 1, data.length);
    setUint64(view, end + 5, term);
    setUint64(view, end + 13, index);
    target.set(data, end + ENTRY_FIXED_BYTES);
    end += ENTRY_FIXED_BYTES + data.length;
  }
}

/**
 * Reads the message that fills `bytes`. Context and data are views of them.
 *
 * What the fields of a type must say together is the core's to check.
 *
 * @throws {TransportFrameInvalidError}
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length < MESSAGE_FIXED_BYTES) throw invalid("it is cut short");
  const view = viewOf(bytes);
  const type = view.getUint8(0);
  if (!isWireMessage(type)) throw invalid(`type ${type} does not travel`);
  const flags = view.getUint8(1);
  if (flags > FLAG_REJECT) throw invalid(`flags ${flags} are unknown`);
  const contextBytes = view.getUint16(2);
  if (contextBytes > CONTEXT_BYTES_MAX) throw invalid("its context is long");
  const entriesAt = MESSAGE_FIXED_BYTES + contextBytes;
  if (entriesAt > bytes.length) throw invalid("it is cut short");
  const message = draftMessage(type, member(view, 8));
  message.from = member(view, 16);
  message.term = safe(view, 24);
  message.logTerm = safe(view, 32);
  message.index = safe(view, 40);
  message.commit = safe(view, 48);
  message.vote = safe(view, 56);
  message.rejectHint = safe(view, 64);
  message.reject = flags === FLAG_REJECT;
  if (contextBytes > 0) {
    message.context = bytes.subarray(MESSAGE_FIXED_BYTES, entriesAt);
  }
  message.entries = readEntries(bytes, view, entriesAt);
  return message;
}

/** The entries from `at` to the end of `bytes`. */
function readEntries(
  bytes: Uint8Array,
  view: DataView,
  at: number,
): readonly Entry[] {
  const count = view.getUint32(4);
  if (count === 0 && at === bytes.length) return NO_ENTRIES;
  const room = (bytes.length - at) / ENTRY_FIXED_BYTES;
  if (count > MESSAGE_ENTRIES_MAX || count > room) {
    throw invalid(`it cannot hold ${count} entries`);
  }
  const entries: Entry[] = [];
  for (let i = 0; i < count; i += 1) {
    if (bytes.length - at < ENTRY_FIXED_BYTES) throw invalid("an entry is cut");
    const type = view.getUint8(at);
    if (!isEntryType(type)) throw invalid(`entry type ${type} is unknown`);
    const dataBytes = view.getUint32(at + 1);
    const term = safe(view, at + 5);
    const index = safe(view, at + 13);
    at += ENTRY_FIXED_BYTES;
    if (dataBytes > bytes.length - at) throw invalid("an entry is cut");
    const data = bytes.subarray(at, at + dataBytes);
    entries.push({ type, term, index, data });
    at += dataBytes;
  }
  if (at !== bytes.length) throw invalid("bytes follow it");
  return entries;
}

function isEntryType(type: number): type is EntryType {
  return type === ENTRY_NORMAL || type === ENTRY_CONF_CHANGE_V1 ||
    type === ENTRY_CONF_CHANGE_V2;
}

function safe(view: DataView, at: number): number {
  const value = getUint64(view, at);
  if (value === null) throw invalid("a number is above 2^53");
  return value;
}

function member(view: DataView, at: number): number {
  const id = safe(view, at);
  if (id === 0) throw invalid("it names no member");
  return id;
}

function invalid(finding: string): TransportFrameInvalidError {
  return new TransportFrameInvalidError(`a raft message: ${finding}`);
}
