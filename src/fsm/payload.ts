import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert } from "../base/assert.ts";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  getUint64,
  setUint64,
  viewOf,
} from "../base/bytes.ts";
import {
  type CommandBatch,
  decodeBatch,
  encodeBatch as encodeBatchBody,
} from "./batch_codec.ts";
import { CommandMalformedError, CommandUnknownError } from "./errors.ts";
import { ClusterInitSchema } from "./gen/command_pb.ts";
import type { AtomicWrite } from "./types.ts";

/*
 *     offset  bytes  field
 *     0       1      tag
 *     1       ..     body: CommandBatch, u64 Unix ms, or ClusterInit
 */
const TAG_BATCH = 0x01;
const TAG_CLOCK = 0x02;
const TAG_CLUSTER_INIT = 0x06;

const BATCH_HEAD = Uint8Array.of(TAG_BATCH);
const CLOCK_BYTES = 9;
const CLUSTER_ID_BYTES = 16;

/** What one log entry tells the fsm to do. */
export type Payload =
  | { readonly kind: "batch" } & CommandBatch
  | { readonly kind: "clock"; readonly clockMs: number }
  | {
    readonly kind: "cluster-init";
    readonly clusterId: Bytes;
    readonly clusterName: string;
  };

/** Encodes one proposal's writes; at most BATCH_WRITES_MAX. */
export function encodeBatch(
  writes: readonly AtomicWrite[],
  nowMs: number,
): Bytes {
  return encodeBatchBody({ nowMs, writes }, BATCH_HEAD);
}

/** Encodes a clock lease: the replicated clock reaches at least `clockMs`. */
export function encodeClock(clockMs: number): Bytes {
  const bytes = new Uint8Array(CLOCK_BYTES);
  bytes[0] = TAG_CLOCK;
  setUint64(viewOf(bytes), 1, clockMs);
  return bytes;
}

/** Encodes the entry that founds the cluster; the id has 16 bytes. */
export function encodeClusterInit(
  clusterId: Bytes,
  clusterName: string,
): Bytes {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  assert(clusterName.isWellFormed(), "a cluster's name is Unicode");
  const body = toBinary(ClusterInitSchema, {
    $typeName: "sealkv.fsm.v1.ClusterInit",
    clusterId,
    clusterName,
  });
  return concatBytes(Uint8Array.of(TAG_CLUSTER_INIT), body);
}

/**
 * Decodes one log entry's payload.
 *
 * Keys and values are views: keep `bytes` unchanged while they are in use.
 *
 * @throws {CommandUnknownError} For a tag of a later version.
 * @throws {CommandMalformedError} For anything else the encoders do not write.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  const tag = bytes[0];
  switch (tag) {
    case undefined:
      throw new CommandMalformedError("it must not be empty", 0);
    case TAG_BATCH: {
      const { nowMs, writes } = decodeBatch(bytes, 1);
      return { kind: "batch", nowMs, writes };
    }
    case TAG_CLOCK:
      return decodeClock(bytes);
    case TAG_CLUSTER_INIT:
      return decodeClusterInit(bytes);
    default:
      throw new CommandUnknownError(tag);
  }
}

function decodeClock(bytes: Uint8Array): Payload {
  if (bytes.length !== CLOCK_BYTES) {
    throw new CommandMalformedError(
      `a clock lease must have ${CLOCK_BYTES} bytes`,
      bytes.length,
    );
  }
  const clockMs = getUint64(viewOf(bytes), 1);
  if (clockMs === null) {
    throw new CommandMalformedError("numbers must stay below 2^53", 1);
  }
  return { kind: "clock", clockMs };
}

function decodeClusterInit(bytes: Uint8Array): Payload {
  const body = bytes.slice(1);
  const init = parseClusterInit(body);
  const { clusterId, clusterName } = init;
  // protobuf-es forgives what decides nothing for it: repeated fields, their
  // order, long varints, defaults written out. Unknown fields it would keep.
  const canonical = toBinary(ClusterInitSchema, init, {
    writeUnknownFields: false,
  });
  if (!equalBytes(canonical, body)) {
    throw new CommandMalformedError("its fields must be known and in order", 1);
  }
  if (clusterId.length !== CLUSTER_ID_BYTES) {
    throw new CommandMalformedError("a cluster id must have 16 bytes", 1);
  }
  return {
    kind: "cluster-init",
    clusterId: new Uint8Array(clusterId),
    clusterName,
  };
}

function parseClusterInit(body: Uint8Array) {
  try {
    return fromBinary(ClusterInitSchema, body);
  } catch (cause) {
    throw new CommandMalformedError("it must be protobuf", 1, { cause });
  }
}
