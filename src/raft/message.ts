import { EMPTY_BYTES } from "../base/bytes.ts";
import type { Entry, LogIndex, RaftId, Snapshot, Term } from "./types.ts";
import { NO_MEMBER } from "./types.ts";

/**
 * Message types by their number on the wire.
 *
 * The numbers are those of etcd's raft, so that its trace tools read ours.
 */
export const MSG_HUP = 0;
export const MSG_BEAT = 1;
export const MSG_PROP = 2;
export const MSG_APP = 3;
export const MSG_APP_RESP = 4;
export const MSG_VOTE = 5;
export const MSG_VOTE_RESP = 6;
export const MSG_SNAP = 7;
export const MSG_HEARTBEAT = 8;
export const MSG_HEARTBEAT_RESP = 9;
export const MSG_UNREACHABLE = 10;
export const MSG_SNAP_STATUS = 11;
export const MSG_CHECK_QUORUM = 12;
export const MSG_TRANSFER_LEADER = 13;
export const MSG_TIMEOUT_NOW = 14;
export const MSG_READ_INDEX = 15;
export const MSG_READ_INDEX_RESP = 16;
export const MSG_PRE_VOTE = 17;
export const MSG_PRE_VOTE_RESP = 18;
export const MSG_STORAGE_APPEND = 19;
export const MSG_STORAGE_APPEND_RESP = 20;
export const MSG_STORAGE_APPLY = 21;
export const MSG_STORAGE_APPLY_RESP = 22;
export const MSG_FORGET_LEADER = 23;

/** Name of each type, at its number. */
export const MESSAGE_NAMES = [
  "MsgHup",
  "MsgBeat",
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
  "MsgForgetLeader",
] as const;

/** Number of a message type, [0, MESSAGE_NAMES.length). */
export type MessageType = number;

/** Stands for the log writer of this member; never the id of a member. */
export const LOCAL_APPEND_THREAD: RaftId = -1;

/** Stands for the applier of this member; never the id of a member. */
export const LOCAL_APPLY_THREAD: RaftId = -2;

/**
 * One message between members, or between a member and its own threads.
 *
 * Unset is zero, empty or `null`. Which fields a type uses: see the functions
 * that make it. Nothing changes a message after it was stepped or sent.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: RaftId;
  readonly from: RaftId;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
  readonly vote: RaftId;
  readonly snapshot: Snapshot | null;
  readonly reject: boolean;
  readonly rejectHint: LogIndex;
  readonly context: Uint8Array;
  readonly responses: readonly Message[];
}

/** A message while it is being made. */
export type DraftMessage = {
  -readonly [Field in keyof Message]: Message[Field];
};

/** Context of a vote request that a leadership transfer caused. */
export const CAMPAIGN_TRANSFER: Uint8Array = new TextEncoder().encode(
  "CampaignTransfer",
);

export const NO_ENTRIES: readonly Entry[] = Object.freeze([]);
const NO_MESSAGES: readonly Message[] = Object.freeze([]);

/**
 * Makes a message of `type` for `to` with everything else unset.
 *
 * All messages come from here, so that all have one hidden class.
 */
export function draftMessage(type: MessageType, to: RaftId): DraftMessage {
  return {
    type,
    to,
    from: NO_MEMBER,
    term: 0,
    logTerm: 0,
    index: 0,
    entries: NO_ENTRIES,
    commit: 0,
    vote: NO_MEMBER,
    snapshot: null,
    reject: false,
    rejectHint: 0,
    context: EMPTY_BYTES,
    responses: NO_MESSAGES,
  };
}

/** Tells whether `id` is one of this member's own threads. */
export function isLocalThread(id: RaftId): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

/** Tells whether a message of `type` must never come from the network. */
export function isLocalMessage(type: MessageType): boolean {
  switch (type) {
    case MSG_HUP:
    case MSG_BEAT:
    case MSG_UNREACHABLE:
    case MSG_SNAP_STATUS:
    case MSG_CHECK_QUORUM:
    case MSG_STORAGE_APPEND:
    case MSG_STORAGE_APPEND_RESP:
    case MSG_STORAGE_APPLY:
    case MSG_STORAGE_APPLY_RESP:
      return true;
    default:
      return false;
  }
}

/** Tells whether a message of `type` keeps its first sender when passed on. */
export function isForwardedMessage(type: MessageType): boolean {
  return type === MSG_PROP || type === MSG_READ_INDEX ||
    type === MSG_TRANSFER_LEADER;
}

/** Tells whether a message of `type` answers one: its sender must be known. */
export function isResponseMessage(type: MessageType): boolean {
  switch (type) {
    case MSG_APP_RESP:
    case MSG_VOTE_RESP:
    case MSG_HEARTBEAT_RESP:
    case MSG_UNREACHABLE:
    case MSG_READ_INDEX_RESP:
    case MSG_PRE_VOTE_RESP:
    case MSG_STORAGE_APPEND_RESP:
    case MSG_STORAGE_APPLY_RESP:
      return true;
    default:
      return false;
  }
}

/** Tells whether `context` marks a vote request of a leadership transfer. */
export function isTransferContext(context: Uint8Array): boolean {
  if (context.length !== CAMPAIGN_TRANSFER.length) return false;
  return context.every((byte, at) => byte === CAMPAIGN_TRANSFER[at]);
}

/** Name of `type` for a line of text. */
export function messageName(type: MessageType): string {
  return MESSAGE_NAMES[type] ?? `Msg${type}`;
}

/** Id in a line of text: lower-case hex. */
export function idText(id: RaftId): string {
  return id.toString(16);
}
