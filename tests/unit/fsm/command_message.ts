import { create } from "@bufbuild/protobuf";
import {
  ChangeKind,
  type CommandBatch as BatchMessage,
  CommandBatchSchema,
} from "../../../src/fsm/gen/command_pb.ts";
import type { CommandBatch } from "../../../src/fsm/batch_codec.ts";
import type { Change, KvValue } from "../../../src/fsm/types.ts";

const KINDS = {
  "set": ChangeKind.SET,
  "delete": ChangeKind.DELETE,
  "sum": ChangeKind.SUM,
  "max": ChangeKind.MAX,
  "min": ChangeKind.MIN,
  "set-suffix": ChangeKind.SET_SUFFIX,
} as const;

/** The batch as protobuf-es holds it. */
export function toMessage(batch: CommandBatch): BatchMessage {
  return create(CommandBatchSchema, {
    nowMs: BigInt(batch.nowMs),
    writes: batch.writes.map(({ database, checks, changes }) => ({
      database,
      checks: checks.map(({ key, versionstamp }) => ({
        key,
        ...(versionstamp === null ? {} : { versionstamp }),
      })),
      changes: changes.map(toChange),
    })),
  });
}

function toChange(change: Change) {
  const kind = KINDS[change.kind];
  const { key } = change;
  if (change.kind === "delete") return { kind, key };
  const { value } = change;
  switch (change.kind) {
    case "set":
    case "set-suffix":
      return { kind, key, value, expireAtMs: BigInt(change.expireAtMs) };
    case "sum":
      return {
        kind,
        key,
        value,
        sumMin: change.min,
        sumMax: change.max,
        sumClamp: change.clamp,
      };
    default:
      return { kind, key, value };
  }
}

/** The batch that a decoded message stands for. */
export function fromMessage(message: BatchMessage): CommandBatch {
  return {
    nowMs: Number(message.nowMs),
    writes: message.writes.map(({ database, checks, changes }) => ({
      database,
      checks: checks.map(({ key, versionstamp }) => ({
        key,
        versionstamp: versionstamp.length === 0 ? null : versionstamp,
      })),
      changes: changes.map(({ kind, key, value, ...rest }): Change => {
        if (value === undefined) return { kind: "delete", key };
        const plain: KvValue = {
          data: value.data,
          encoding: value.encoding as KvValue["encoding"],
        };
        switch (kind) {
          case ChangeKind.SET:
          case ChangeKind.SET_SUFFIX:
            return {
              kind: kind === ChangeKind.SET ? "set" : "set-suffix",
              key,
              value: plain,
              expireAtMs: Number(rest.expireAtMs),
            };
          case ChangeKind.SUM:
            return {
              kind: "sum",
              key,
              value: plain,
              min: rest.sumMin,
              max: rest.sumMax,
              clamp: rest.sumClamp,
            };
          default:
            return {
              kind: kind === ChangeKind.MAX ? "max" : "min",
              key,
              value: plain,
            };
        }
      }),
    })),
  };
}
