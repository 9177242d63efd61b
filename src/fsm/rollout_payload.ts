import { toBinary } from "@bufbuild/protobuf";
import { assert, unreachable } from "../base/assert.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/bytes.ts";
import { CommandMalformedError, CommandUnknownError } from "./errors.ts";
import {
  DwellSchema,
  ResumeRewriteSchema,
  RolloutEventSchema,
  StartRewriteSchema,
} from "./gen/command_pb.ts";
import { parseCanonical } from "./member_codec.ts";
import {
  EVENT_BYTES_MAX,
  eventFromMessage,
  eventToMessage,
} from "./rollout_codec.ts";
import { brokenRolloutRule } from "./rollout_rules.ts";
import type { RolloutChange } from "./types.ts";

type Kind = RolloutChange["kind"];

/*
 *     offset  bytes  field
 *     0       1      tag
 *     1       1      sub-tag
 *     2       ..     body
 */
export const TAG_ROLLOUT = 0x07;
const HEAD_BYTES = 2;

interface Layout {
  readonly subTag: number;
  /** Of the body; checked before anything is read. */
  readonly bytesMax: number;
}

const LAYOUTS: Readonly<Record<Kind, Layout>> = {
  "event": { subTag: 0x01, bytesMax: EVENT_BYTES_MAX },
  "start-rewrite": { subTag: 0x02, bytesMax: 9 },
  "pause-rewrite": { subTag: 0x03, bytesMax: 0 },
  "resume-rewrite": { subTag: 0x04, bytesMax: 9 },
  "dwell": { subTag: 0x05, bytesMax: 9 },
};
const KINDS = Object.keys(LAYOUTS) as readonly Kind[];

/** Encodes an entry of the rollout; asserts what the decoder refuses. */
export function encodeRollout(change: RolloutChange): Bytes {
  const rule = brokenRolloutRule(change);
  assert(rule === null, `an entry of the rollout: ${rule}`);
  const { subTag, bytesMax } = LAYOUTS[change.kind];
  const body = encodeBody(change);
  assert(body.length <= bytesMax, `a ${change.kind} fits its limit`);
  return concatBytes(Uint8Array.of(TAG_ROLLOUT, subTag), body);
}

/**
 * Decodes a payload that has TAG_ROLLOUT.
 *
 * @throws {CommandUnknownError} For a sub-tag of a later version.
 * @throws {CommandMalformedError} For anything else the encoder does not write.
 */
export function decodeRollout(payload: Uint8Array): RolloutChange {
  const kind = kindOf(payload);
  const { bytesMax } = LAYOUTS[kind];
  if (payload.length - HEAD_BYTES > bytesMax) {
    throw new CommandMalformedError(
      `its body must be at most ${bytesMax} bytes`,
      payload.length,
    );
  }
  const change = decodeBody(kind, payload.slice(HEAD_BYTES));
  const rule = brokenRolloutRule(change);
  if (rule !== null) throw new CommandMalformedError(rule, HEAD_BYTES);
  return change;
}

function kindOf([tag, subTag]: Uint8Array): Kind {
  assert(tag === TAG_ROLLOUT, "the tag has been read");
  if (subTag === undefined) {
    throw new CommandMalformedError("it must have a sub-tag", 1);
  }
  const kind = KINDS.find((one) => LAYOUTS[one].subTag === subTag);
  if (kind === undefined) throw new CommandUnknownError(tag, subTag);
  return kind;
}

function encodeBody(change: RolloutChange): Bytes {
  switch (change.kind) {
    case "event":
      return toBinary(
        RolloutEventSchema,
        eventToMessage({ ...change.event, index: 0 }),
      );
    case "start-rewrite":
      return toBinary(StartRewriteSchema, {
        $typeName: "sealkv.fsm.v1.StartRewrite",
        bytesPerSecond: BigInt(change.bytesPerSecond),
      });
    case "pause-rewrite":
      return EMPTY_BYTES;
    case "resume-rewrite": {
      const { bytesPerSecond } = change;
      return toBinary(ResumeRewriteSchema, {
        $typeName: "sealkv.fsm.v1.ResumeRewrite",
        ...(bytesPerSecond === null
          ? {}
          : { bytesPerSecond: BigInt(bytesPerSecond) }),
      });
    }
    case "dwell":
      return toBinary(DwellSchema, {
        $typeName: "sealkv.fsm.v1.Dwell",
        untilMs: BigInt(change.untilMs),
      });
    default:
      return unreachable(change);
  }
}

/** Reads values that are yet to be checked. */
function decodeBody(kind: Kind, body: Uint8Array): RolloutChange {
  switch (kind) {
    case "event": {
      const message = parseCanonical(RolloutEventSchema, body, HEAD_BYTES);
      const { index, ...event } = eventFromMessage(message);
      if (index !== 0) {
        throw new CommandMalformedError(
          "an event must not name its own entry",
          HEAD_BYTES,
        );
      }
      return { kind, event };
    }
    case "start-rewrite": {
      const message = parseCanonical(StartRewriteSchema, body, HEAD_BYTES);
      return { kind, bytesPerSecond: Number(message.bytesPerSecond) };
    }
    case "pause-rewrite":
      return { kind };
    case "resume-rewrite": {
      const { bytesPerSecond } = parseCanonical(
        ResumeRewriteSchema,
        body,
        HEAD_BYTES,
      );
      return {
        kind,
        bytesPerSecond: bytesPerSecond === undefined
          ? null
          : Number(bytesPerSecond),
      };
    }
    case "dwell": {
      const { untilMs } = parseCanonical(DwellSchema, body, HEAD_BYTES);
      return { kind, untilMs: Number(untilMs) };
    }
    default:
      return unreachable(kind);
  }
}
