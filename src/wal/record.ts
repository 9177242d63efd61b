import { assert } from "../base/assert.ts";
import { type Bytes, getUint64, setUint64, viewOf } from "../base/bytes.ts";
import {
  type ConfState,
  type Entry,
  ENTRY_CONF_CHANGE_V1,
  ENTRY_CONF_CHANGE_V2,
  ENTRY_NORMAL,
  type EntryType,
  type HardState,
  type LogIndex,
  type RaftId,
  type SnapshotMetadata,
  type Term,
} from "../raft/types.ts";

/*
 * A frame's payload is a run of sub-records: type u8 ‖ length u32 ‖ body.
 * Integers are big-endian.
 *
 *     type  body
 *     1     HardState: term u64 ‖ vote u64 ‖ commit u64
 *     2     Entry: type u8 ‖ term u64 ‖ index u64 ‖ data
 *     3     SnapshotMark: kind u8 (0 mark, 1 install) ‖ index u64 ‖ term u64
 *           ‖ auto-leave u8 ‖ four lists (voters, outgoing voters, learners,
 *           next learners), each count u16 ‖ count × u64
 *     4     SegmentHeader: segment_header.ts
 *     5     CleanShutdown: empty
 *     6     Floor: index u64 ‖ term u64
 */
const RECORD_HARD_STATE = 1;
const RECORD_ENTRY = 2;
const RECORD_SNAPSHOT_MARK = 3;
const RECORD_SEGMENT_HEADER = 4;
const RECORD_CLEAN_SHUTDOWN = 5;
const RECORD_FLOOR = 6;

export const RECORD_HEADER_BYTES = 5;
export const HARD_STATE_BYTES = 24;
export const FLOOR_BYTES = 16;
const ENTRY_FIXED_BYTES = 17;
/** The least an entry takes in a frame. */
export const ENTRY_RECORD_BYTES_MIN = RECORD_HEADER_BYTES + ENTRY_FIXED_BYTES;
const MARK_FIXED_BYTES = 18;
/** Members of one list of a configuration. */
export const CONF_MEMBERS_MAX = 1024;

/** The entry before the first one kept, and its term. */
export interface Floor {
  readonly index: LogIndex;
  readonly term: Term;
}

/** `install`: the log restarts behind the mark; else it only notes progress. */
export interface SnapshotMark {
  readonly install: boolean;
  readonly metadata: SnapshotMetadata;
}

/** One sub-record as found on disk; `body` and `data` are views. */
export type WalRecord =
  | { readonly kind: "hard-state"; readonly hardState: HardState }
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "snapshot-mark"; readonly mark: SnapshotMark }
  | { readonly kind: "segment-header"; readonly body: Uint8Array }
  | { readonly kind: "clean-shutdown" }
  | { readonly kind: "floor"; readonly floor: Floor };

/** Bytes `entry` takes in a payload. */
export function entryRecordBytes(entry: Entry): number {
  return ENTRY_RECORD_BYTES_MIN + entry.data.length;
}

/** Bytes the body of a mark takes. */
export function markBytes(metadata: SnapshotMetadata): number {
  let bytes = MARK_FIXED_BYTES;
  for (const list of memberLists(metadata.confState)) {
    bytes += 2 + list.length * 8;
  }
  return bytes;
}

/** Writes sub-records one after the other into a payload made to measure. */
export class RecordWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#at = at;
  }

  /** Offset behind what was written. */
  get at(): number {
    return this.#at;
  }

  hardState(hardState: HardState): void {
    this.#header(RECORD_HARD_STATE, HARD_STATE_BYTES);
    this.#at = writeHardState(this.#view, this.#at, hardState);
  }

  entry(entry: Entry): void {
    const { data } = entry;
    this.#header(RECORD_ENTRY, ENTRY_FIXED_BYTES + data.length);
    const at = this.#at;
    this.#view.setUint8(at, entry.type);
    setUint64(this.#view, at + 1, entry.term);
    setUint64(this.#view, at + 9, entry.index);
    this.#bytes.set(data, at + ENTRY_FIXED_BYTES);
    this.#at = at + ENTRY_FIXED_BYTES + data.length;
  }

  snapshotMark(mark: SnapshotMark): void {
    this.#header(RECORD_SNAPSHOT_MARK, markBytes(mark.metadata));
    this.#at = writeMark(this.#view, this.#at, mark);
  }

  segmentHeader(body: Uint8Array): void {
    this.#header(RECORD_SEGMENT_HEADER, body.length);
    this.#bytes.set(body, this.#at);
    this.#at += body.length;
  }

  cleanShutdown(): void {
    this.#header(RECORD_CLEAN_SHUTDOWN, 0);
  }

  floor(floor: Floor): void {
    this.#header(RECORD_FLOOR, FLOOR_BYTES);
    this.#at = writeFloor(this.#view, this.#at, floor);
  }

  #header(type: number, length: number): void {
    this.#view.setUint8(this.#at, type);
    this.#view.setUint32(this.#at + 1, length);
    this.#at += RECORD_HEADER_BYTES;
  }
}

/**
 * Splits `payload` into its sub-records; `null` when it is not a run of them.
 *
 * Allocates no more than a small object per sub-record: data are views.
 */
export function decodeRecords(payload: Uint8Array): WalRecord[] | null {
  const view = viewOf(payload);
  const records: WalRecord[] = [];
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < RECORD_HEADER_BYTES) return null;
    const type = view.getUint8(at);
    const length = view.getUint32(at + 1);
    const start = at + RECORD_HEADER_BYTES;
    if (length > payload.length - start) return null;
    const record = decodeRecord(type, payload.subarray(start, start + length));
    if (record === null) return null;
    records.push(record);
    at = start + length;
  }
  return records;
}

function decodeRecord(type: number, body: Uint8Array): WalRecord | null {
  const view = viewOf(body);
  switch (type) {
    case RECORD_HARD_STATE: {
      if (body.length !== HARD_STATE_BYTES) return null;
      const hardState = readHardState(view, 0);
      return hardState && { kind: "hard-state", hardState };
    }
    case RECORD_ENTRY: {
      const entry = readEntry(view, body);
      return entry && { kind: "entry", entry };
    }
    case RECORD_SNAPSHOT_MARK: {
      const read = readMark(view, 0);
      if (read === null || read.until !== body.length) return null;
      return { kind: "snapshot-mark", mark: read.mark };
    }
    case RECORD_SEGMENT_HEADER:
      return { kind: "segment-header", body };
    case RECORD_CLEAN_SHUTDOWN:
      return body.length === 0 ? { kind: "clean-shutdown" } : null;
    case RECORD_FLOOR: {
      if (body.length !== FLOOR_BYTES) return null;
      const floor = readFloor(view, 0);
      return floor && { kind: "floor", floor };
    }
    default:
      return null;
  }
}

/** Writes 24 bytes at `at`, returns the offset behind them. */
export function writeHardState(
  view: DataView,
  at: number,
  hardState: HardState,
): number {
  setUint64(view, at, hardState.term);
  setUint64(view, at + 8, hardState.vote);
  setUint64(view, at + 16, hardState.commit);
  return at + HARD_STATE_BYTES;
}

/** Reads 24 bytes at `at`, which are there; `null` for a bad number. */
export function readHardState(view: DataView, at: number): HardState | null {
  const term = getUint64(view, at);
  const vote = getUint64(view, at + 8);
  const commit = getUint64(view, at + 16);
  if (term === null || vote === null || commit === null) return null;
  return { term, vote, commit };
}

/** Writes 16 bytes at `at`, returns the offset behind them. */
export function writeFloor(view: DataView, at: number, floor: Floor): number {
  setUint64(view, at, floor.index);
  setUint64(view, at + 8, floor.term);
  return at + FLOOR_BYTES;
}

/** Reads 16 bytes at `at`, which are there; `null` for a bad number. */
export function readFloor(view: DataView, at: number): Floor | null {
  const index = getUint64(view, at);
  const term = getUint64(view, at + 8);
  return index === null || term === null ? null : { index, term };
}

function readEntry(view: DataView, body: Uint8Array): Entry | null {
  if (body.length < ENTRY_FIXED_BYTES) return null;
  const type = view.getUint8(0);
  const term = getUint64(view, 1);
  const index = getUint64(view, 9);
  if (!isEntryType(type) || term === null || index === null) return null;
  if (index === 0) return null;
  return { type, term, index, data: body.subarray(ENTRY_FIXED_BYTES) };
}

function isEntryType(type: number): type is EntryType {
  return type === ENTRY_NORMAL || type === ENTRY_CONF_CHANGE_V1 ||
    type === ENTRY_CONF_CHANGE_V2;
}

/** Writes a mark's body at `at`, returns the offset behind it. */
export function writeMark(
  view: DataView,
  at: number,
  mark: SnapshotMark,
): number {
  const { metadata } = mark;
  view.setUint8(at, mark.install ? 1 : 0);
  setUint64(view, at + 1, metadata.index);
  setUint64(view, at + 9, metadata.term);
  view.setUint8(at + 17, metadata.confState.autoLeave ? 1 : 0);
  let end = at + MARK_FIXED_BYTES;
  for (const list of memberLists(metadata.confState)) {
    assert(list.length <= CONF_MEMBERS_MAX, "a member list fits its count");
    view.setUint16(end, list.length);
    end += 2;
    for (const member of list) {
      setUint64(view, end, member);
      end += 8;
    }
  }
  return end;
}

/** Reads a mark's body at `at`; `null` when it is none or cut short. */
export function readMark(
  view: DataView,
  at: number,
): { readonly mark: SnapshotMark; readonly until: number } | null {
  if (view.byteLength - at < MARK_FIXED_BYTES) return null;
  const kind = view.getUint8(at);
  const index = getUint64(view, at + 1);
  const term = getUint64(view, at + 9);
  const autoLeave = view.getUint8(at + 17);
  if (kind > 1 || autoLeave > 1 || index === null || term === null) return null;
  const lists: RaftId[][] = [];
  let end = at + MARK_FIXED_BYTES;
  while (lists.length < 4) {
    const list = readMembers(view, end);
    if (list === null) return null;
    lists.push(list);
    end += 2 + list.length * 8;
  }
  const [voters = [], votersOutgoing = [], learners = [], learnersNext = []] =
    lists;
  const confState = {
    voters,
    votersOutgoing,
    learners,
    learnersNext,
    autoLeave: autoLeave === 1,
  };
  const metadata = { confState, index, term };
  return { mark: { install: kind === 1, metadata }, until: end };
}

function readMembers(view: DataView, at: number): RaftId[] | null {
  if (view.byteLength - at < 2) return null;
  const count = view.getUint16(at);
  if (count > CONF_MEMBERS_MAX) return null;
  if (view.byteLength - at - 2 < count * 8) return null;
  const members: RaftId[] = [];
  for (let i = 0; i < count; i += 1) {
    const member = getUint64(view, at + 2 + i * 8);
    if (member === null) return null;
    members.push(member);
  }
  return members;
}

function memberLists(confState: ConfState): readonly (readonly RaftId[])[] {
  return [
    confState.voters,
    confState.votersOutgoing,
    confState.learners,
    confState.learnersNext,
  ];
}

/** Returns `entry` with data of its own, free of the buffer it was read from. */
export function ownedEntry(entry: Entry): Entry {
  const data: Bytes = entry.data.slice();
  return { type: entry.type, term: entry.term, index: entry.index, data };
}
