import {
  type Bytes,
  EMPTY_BYTES,
  getUint64,
  setUint64,
  viewOf,
} from "../base/bytes.ts";
import { assert } from "../base/assert.ts";
import { ConfChangeMalformedError } from "./errors.ts";
import { quoteBytes } from "./quote.ts";
import { ENTRY_CONF_CHANGE_V1, type RaftId } from "./types.ts";

export const CHANGE_ADD_VOTER = 0;
export const CHANGE_REMOVE = 1;
/** Changes nothing here: carries data about a member for the application. */
export const CHANGE_UPDATE = 2;
export const CHANGE_ADD_LEARNER = 3;

/** What happens to one member. */
export type ChangeType =
  | typeof CHANGE_ADD_VOTER
  | typeof CHANGE_REMOVE
  | typeof CHANGE_UPDATE
  | typeof CHANGE_ADD_LEARNER;

/** Joint only when more than one change asks for it; left by itself. */
export const TRANSITION_AUTO = 0;
/** Joint, left by itself. */
export const TRANSITION_IMPLICIT = 1;
/** Joint until an empty change leaves it. */
export const TRANSITION_EXPLICIT = 2;

/** How the group gets from one set of voters to the next. */
export type Transition =
  | typeof TRANSITION_AUTO
  | typeof TRANSITION_IMPLICIT
  | typeof TRANSITION_EXPLICIT;

/** One step of a change; id 0 is ignored. */
export interface SingleChange {
  readonly type: ChangeType;
  readonly id: RaftId;
}

/** What an entry of type 1 or 2 asks for. */
export interface ConfChange {
  readonly transition: Transition;
  readonly changes: readonly SingleChange[];
  /** Opaque, for the application. */
  readonly context: Uint8Array;
}

/** What applying a change does to the membership. */
export type ChangeMode =
  | "none"
  | "simple"
  | "enter-joint"
  | "enter-joint-auto-leave"
  | "leave-joint";

/** Leaves the joint state; encodes to no bytes. */
export const LEAVE_JOINT: ConfChange = Object.freeze({
  transition: TRANSITION_AUTO,
  changes: [],
  context: EMPTY_BYTES,
});

/** Steps in one change; no group has nearly as many members. */
export const CHANGES_MAX = 64;
export const CHANGE_CONTEXT_BYTES_MAX = 65_536;

const FORMAT = 1;
const HEADER_BYTES = 3;
const SINGLE_BYTES = 9;

const TYPE_LETTERS = ["v", "r", "u", "l"] as const;
const TYPE_NAMES = [
  "ConfChangeAddNode",
  "ConfChangeRemoveNode",
  "ConfChangeUpdateNode",
  "ConfChangeAddLearnerNode",
] as const;
const TRANSITION_NAMES = [
  "ConfChangeTransitionAuto",
  "ConfChangeTransitionJointImplicit",
  "ConfChangeTransitionJointExplicit",
] as const;

/**
 * Tells what applying `change` does.
 *
 * An empty change that asks for a joint state is "none": entering one without
 * a change can only be a mistake, and failing on it would stop every member at
 * the same entry for ever.
 */
export function changeMode(change: ConfChange): ChangeMode {
  const { transition, changes } = change;
  if (changes.length === 0) {
    return transition === TRANSITION_AUTO ? "leave-joint" : "none";
  }
  if (transition === TRANSITION_EXPLICIT) return "enter-joint";
  return transition === TRANSITION_IMPLICIT || changes.length > 1
    ? "enter-joint-auto-leave"
    : "simple";
}

/**
 * Encodes `change` for the data of an entry.
 *
 *     0  u8   format, 1
 *     1  u8   transition
 *     2  u8   number of steps
 *     3  per step: u8 type, u64 id
 *     .. the context, up to the end
 *
 * `LEAVE_JOINT` is no bytes at all.
 */
export function encodeConfChange(change: ConfChange): Bytes {
  const { transition, changes, context } = change;
  assert(changes.length <= CHANGES_MAX, "a change has few steps");
  assert(
    context.length <= CHANGE_CONTEXT_BYTES_MAX,
    "the context of a change is small",
  );
  if (isLeaveJoint(change)) return EMPTY_BYTES;
  const contextAt = HEADER_BYTES + SINGLE_BYTES * changes.length;
  const bytes = new Uint8Array(contextAt + context.length);
  const view = viewOf(bytes);
  bytes[0] = FORMAT;
  bytes[1] = transition;
  bytes[2] = changes.length;
  for (const [nth, { type, id }] of changes.entries()) {
    const at = HEADER_BYTES + SINGLE_BYTES * nth;
    bytes[at] = type;
    setUint64(view, at + 1, id);
  }
  bytes.set(context, contextAt);
  return bytes;
}

/**
 * Reads what `encodeConfChange` wrote into an entry of `entryType`; the
 * context is a view on `bytes`.
 *
 * @throws {ConfChangeMalformedError} For anything else, and for an entry of
 * the first type that is not exactly one step without a joint state.
 */
export function decodeConfChange(
  entryType: number,
  bytes: Uint8Array,
): ConfChange {
  const change = decodeAny(bytes);
  if (
    entryType === ENTRY_CONF_CHANGE_V1 &&
    (change.changes.length !== 1 || change.transition !== TRANSITION_AUTO)
  ) {
    throw new ConfChangeMalformedError(
      "a single change",
      `${change.changes.length} steps`,
    );
  }
  return change;
}

function decodeAny(bytes: Uint8Array): ConfChange {
  if (bytes.length === 0) return LEAVE_JOINT;
  const [format, transition, count] = bytes;
  if (format !== FORMAT || count === undefined) {
    throw new ConfChangeMalformedError("format 1", `format ${format}`);
  }
  if (!isTransition(transition)) {
    throw new ConfChangeMalformedError("a transition", `${transition}`);
  }
  const contextAt = HEADER_BYTES + SINGLE_BYTES * count;
  if (count > CHANGES_MAX || contextAt > bytes.length) {
    throw new ConfChangeMalformedError(
      `at most ${CHANGES_MAX} steps that fit in ${bytes.length} bytes`,
      `${count} steps`,
    );
  }
  const context = bytes.subarray(contextAt);
  if (context.length > CHANGE_CONTEXT_BYTES_MAX) {
    throw new ConfChangeMalformedError(
      `a context of at most ${CHANGE_CONTEXT_BYTES_MAX} bytes`,
      `${context.length} bytes`,
    );
  }
  const change = { transition, changes: decodeSteps(bytes, count), context };
  if (isLeaveJoint(change)) {
    throw new ConfChangeMalformedError("no bytes for no change", "3 bytes");
  }
  return change;
}

function decodeSteps(bytes: Uint8Array, count: number): SingleChange[] {
  const view = viewOf(bytes);
  const changes: SingleChange[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const at = HEADER_BYTES + SINGLE_BYTES * nth;
    const type = view.getUint8(at);
    if (!isChangeType(type)) {
      throw new ConfChangeMalformedError("a type of step", `${type}`);
    }
    const id = getUint64(view, at + 1);
    if (id === null) {
      throw new ConfChangeMalformedError("an id below 2^53", "a larger one");
    }
    changes.push({ type, id });
  }
  return changes;
}

/** Short form for transcripts: `v1 l2 r3 u4`. */
export function describeChanges(changes: readonly SingleChange[]): string {
  return changes.map(({ type, id }) => `${TYPE_LETTERS[type]}${id}`).join(" ");
}

/** Long form for event lines. */
export function describeConfChange(change: ConfChange): string {
  let text = `transition:${TRANSITION_NAMES[change.transition]}`;
  for (const { type, id } of change.changes) {
    text += ` changes:{type:${TYPE_NAMES[type]} node_id:${id}}`;
  }
  if (change.context.length > 0) {
    text += ` context:${quoteBytes(change.context)}`;
  }
  return text;
}

function isLeaveJoint(change: ConfChange): boolean {
  return changeMode(change) === "leave-joint" && change.context.length === 0;
}

function isTransition(value: number | undefined): value is Transition {
  return value !== undefined && value <= TRANSITION_EXPLICIT;
}

function isChangeType(value: number): value is ChangeType {
  return value <= CHANGE_ADD_LEARNER;
}
