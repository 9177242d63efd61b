import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { unreachable } from "../base/assert.ts";
import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { AtomicWrite, Change, Versionstamp } from "../fsm/types.ts";
import {
  ENCODING_BYTES,
  ENCODING_LE64,
  ENCODING_V8,
  type KvValue,
} from "../fsm/types.ts";
import type { ReadEntry, ReadRange } from "../node/port.ts";
import { ReplyMalformedError } from "./errors.ts";
import {
  AtomicWriteOutputSchema,
  AtomicWriteSchema,
  AtomicWriteStatus,
  type KvEntry,
  MutationType,
  SnapshotReadOutputSchema,
  SnapshotReadSchema,
  SnapshotReadStatus,
  WatchOutputSchema,
  WatchSchema,
} from "./gen/datapath_pb.ts";

/** What a client is answered; a rejected write is an error instead. */
export type ClientWriteReply =
  | { readonly kind: "committed"; readonly versionstamp: Versionstamp }
  | { readonly kind: "check-failed"; readonly failedChecks: readonly number[] };

/** One key of a watch message: its entry (`null` for none) or no change. */
export type WatchedEntry = ReadEntry | null | "unchanged";

/** An AtomicWrite without its database, which the URL names. */
export type ClientWrite = Pick<AtomicWrite, "checks" | "changes">;

export function encodeReadRequest(ranges: readonly ReadRange[]): Bytes {
  return toBinary(
    SnapshotReadSchema,
    create(SnapshotReadSchema, {
      ranges: ranges.map((range) => ({ ...range })),
    }),
  );
}

export function encodeWriteRequest(write: ClientWrite): Bytes {
  return toBinary(
    AtomicWriteSchema,
    create(AtomicWriteSchema, {
      checks: write.checks.map(({ key, versionstamp }) => ({
        key,
        versionstamp: versionstamp ?? EMPTY_BYTES,
      })),
      mutations: write.changes.map(mutationOf),
    }),
  );
}

export function encodeWatchRequest(keys: readonly Uint8Array[]): Bytes {
  return toBinary(
    WatchSchema,
    create(WatchSchema, { keys: keys.map((key) => ({ key })) }),
  );
}

/** @throws {ReplyMalformedError} */
export function decodeReadReply(
  body: Uint8Array,
): readonly (readonly ReadEntry[])[] {
  const reply = parsed(() => fromBinary(SnapshotReadOutputSchema, body));
  if (reply.status !== SnapshotReadStatus.SR_SUCCESS) {
    throw new ReplyMalformedError(`a read of status ${reply.status}`);
  }
  return reply.ranges.map(({ values }) => values.map(entryOf));
}

/** @throws {ReplyMalformedError} */
export function decodeWriteReply(body: Uint8Array): ClientWriteReply {
  const reply = parsed(() => fromBinary(AtomicWriteOutputSchema, body));
  switch (reply.status) {
    case AtomicWriteStatus.AW_SUCCESS:
      return { kind: "committed", versionstamp: reply.versionstamp };
    case AtomicWriteStatus.AW_CHECK_FAILURE:
      return { kind: "check-failed", failedChecks: reply.failedChecks };
    default:
      throw new ReplyMalformedError(`a write of status ${reply.status}`);
  }
}

/** Reads one watch message, without its length. @throws {ReplyMalformedError} */
export function decodeWatchMessage(
  message: Uint8Array,
): readonly WatchedEntry[] {
  const output = parsed(() => fromBinary(WatchOutputSchema, message));
  if (output.status !== SnapshotReadStatus.SR_SUCCESS) {
    throw new ReplyMalformedError(`a watch of status ${output.status}`);
  }
  return output.keys.map(({ changed, entryIfChanged }) => {
    if (!changed) return "unchanged";
    return entryIfChanged === undefined ? null : entryOf(entryIfChanged);
  });
}

function mutationOf(change: Change) {
  const { key } = change;
  switch (change.kind) {
    case "set":
    case "set-suffix":
      return {
        key,
        value: change.value,
        mutationType: change.kind === "set"
          ? MutationType.M_SET
          : MutationType.M_SET_SUFFIX_VERSIONSTAMPED_KEY,
        expireAtMs: BigInt(change.expireAtMs),
      };
    case "delete":
      return { key, mutationType: MutationType.M_DELETE };
    case "sum":
      return {
        key,
        value: change.value,
        mutationType: MutationType.M_SUM,
        sumMin: change.min,
        sumMax: change.max,
        sumClamp: change.clamp,
      };
    case "max":
      return { key, value: change.value, mutationType: MutationType.M_MAX };
    case "min":
      return { key, value: change.value, mutationType: MutationType.M_MIN };
    default:
      unreachable(change);
  }
}

function entryOf(entry: KvEntry): ReadEntry {
  return {
    key: entry.key,
    value: valueOf(entry),
    versionstamp: entry.versionstamp,
  };
}

function valueOf({ value, encoding }: KvEntry): KvValue {
  switch (encoding as number) {
    case ENCODING_V8:
    case ENCODING_LE64:
    case ENCODING_BYTES:
      return { data: value, encoding: encoding as KvValue["encoding"] };
    default:
      throw new ReplyMalformedError(`a value of encoding ${encoding}`);
  }
}

function parsed<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ReplyMalformedError("protobuf", { cause });
  }
}
