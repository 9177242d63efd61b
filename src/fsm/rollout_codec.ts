import { toBinary } from "@bufbuild/protobuf";
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { CommandMalformedError } from "./errors.ts";
import {
  type Rollout as RolloutMessage,
  type RolloutEvent as EventMessage,
  RolloutResult as ResultMessage,
  RolloutSchema,
} from "./gen/command_pb.ts";
import {
  ROLLOUT_ACTION_BYTES_MAX,
  ROLLOUT_ACTOR_BYTES_MAX,
  ROLLOUT_DETAIL_BYTES_MAX,
  ROLLOUT_EVENTS_MAX,
} from "./limits.ts";
import { parseCanonical } from "./member_codec.ts";
import { brokenStateRule } from "./rollout_rules.ts";
import {
  ROLLOUT_RESULTS,
  type RolloutEvent,
  type RolloutResult,
  type RolloutState,
} from "./types.ts";

const RESULT_NUMBERS: Readonly<Record<RolloutResult, ResultMessage>> = {
  done: ResultMessage.DONE,
  unchanged: ResultMessage.UNCHANGED,
  refused: ResultMessage.REFUSED,
  unknown: ResultMessage.UNKNOWN,
};

/**
 * Longest encoding of an event: 9 of each number, 2 of the result, 18 of the
 * hash, and the texts with 2 of framing each.
 */
export const EVENT_BYTES_MAX = 3 * 9 + 2 + 18 + (2 + ROLLOUT_ACTOR_BYTES_MAX) +
  (2 + ROLLOUT_ACTION_BYTES_MAX) + (2 + ROLLOUT_DETAIL_BYTES_MAX);

/** A job of 20 and 2 of framing, the dwell, and events with 3 of framing. */
export const ROLLOUT_BYTES_MAX = 22 + 9 +
  ROLLOUT_EVENTS_MAX * (3 + EVENT_BYTES_MAX);

/**
 * Encodes the whole rollout, for the store's row and for checkpoints: protobuf
 * `Rollout` in its one form. NO_ROLLOUT is no bytes.
 */
export function encodeRolloutState(state: RolloutState): Bytes {
  const rule = brokenStateRule(state);
  assert(rule === null, `a rollout: ${rule}`);
  const bytes = toBinary(RolloutSchema, toMessage(state));
  assert(bytes.length <= ROLLOUT_BYTES_MAX, "its parts bound a rollout");
  return bytes;
}

/** @throws {CommandMalformedError} For anything `encodeRolloutState` never wrote. */
export function decodeRolloutState(bytes: Uint8Array): RolloutState {
  if (bytes.length > ROLLOUT_BYTES_MAX) {
    throw new CommandMalformedError(
      `a rollout must be at most ${ROLLOUT_BYTES_MAX} bytes`,
      bytes.length,
    );
  }
  const state = fromMessage(parseCanonical(RolloutSchema, bytes, 0));
  const rule = brokenStateRule(state);
  if (rule !== null) throw new CommandMalformedError(rule, 0);
  return state;
}

function toMessage({ rewrite, dwellUntilMs, events }: RolloutState) {
  return {
    $typeName: "sealkv.fsm.v1.Rollout" as const,
    ...(rewrite === null ? {} : {
      rewrite: {
        $typeName: "sealkv.fsm.v1.RewriteJob" as const,
        id: BigInt(rewrite.id),
        bytesPerSecond: BigInt(rewrite.bytesPerSecond),
        isPaused: rewrite.isPaused,
      },
    }),
    dwellUntilMs: BigInt(dwellUntilMs),
    events: events.map(eventToMessage),
  };
}

function fromMessage(message: RolloutMessage): RolloutState {
  const { rewrite, dwellUntilMs, events } = message;
  return {
    rewrite: rewrite === undefined ? null : {
      id: Number(rewrite.id),
      bytesPerSecond: Number(rewrite.bytesPerSecond),
      isPaused: rewrite.isPaused,
    },
    dwellUntilMs: Number(dwellUntilMs),
    events: events.map(eventFromMessage),
  };
}

/** `index` is 0 for an event that is not recorded yet. */
export function eventToMessage(event: RolloutEvent): EventMessage {
  const { index, atMs, result, entry, ...texts } = event;
  return {
    ...texts,
    $typeName: "sealkv.fsm.v1.RolloutEvent",
    index: BigInt(index),
    atMs: BigInt(atMs),
    result: RESULT_NUMBERS[result],
    entry: BigInt(entry),
  };
}

/**
 * Reads a message whose values are yet to be checked, but for the result.
 *
 * @throws {CommandMalformedError} For an unknown result.
 */
export function eventFromMessage(message: EventMessage): RolloutEvent {
  const result = ROLLOUT_RESULTS.find((one) =>
    RESULT_NUMBERS[one] === message.result
  );
  if (result === undefined) {
    throw new CommandMalformedError("an event's result must be known", 0);
  }
  const { actor, action, planHash, detail } = message;
  return {
    index: Number(message.index),
    atMs: Number(message.atMs),
    ...{ actor, action, planHash, result },
    entry: Number(message.entry),
    detail,
  };
}
