import { CLUSTER_ID_BYTES } from "../../base/identity.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Bytes, equalBytes } from "../../base/bytes.ts";
import { EPOCH_MAX, type KeyId, KEYS_MAX } from "../../base/data_key.ts";
import {
  type CapabilityStatement,
  CapabilityStatementSchema,
  SidecarState,
} from "../gen/capability_pb.ts";
import { STATEMENT_BYTES_MAX } from "./capability_packet.ts";

/** The first version that applies all of encryption: cutovers and rollout. */
export const ENCRYPTION_PROTOCOL_VERSION = 3;

const TEXT_LENGTH_MAX = 1_024;

/** What a member says of itself when it is asked. */
export interface Statement {
  readonly protocolVersion: number;
  readonly build: string;
  readonly node: string;
  readonly fullNodeId: bigint;
  /** Its sessions by key id, ascending. */
  readonly epochs: ReadonlyMap<KeyId, number>;
  /** `stateIndex` of its sidecar; `null` without one. */
  readonly sidecarIndex: number | null;
  readonly isEnabled: boolean;
  readonly isFilesystemFit: boolean;
  /** Those of the challenge. */
  readonly term: number;
  readonly clusterId: Bytes;
}

export function encodeStatement(statement: Statement): Bytes {
  const { epochs, sidecarIndex, isEnabled, isFilesystemFit } = statement;
  return toBinary(
    CapabilityStatementSchema,
    create(CapabilityStatementSchema, {
      protocolVersion: statement.protocolVersion,
      build: statement.build,
      node: statement.node,
      fullNodeId: statement.fullNodeId,
      epochs: [...epochs].sort(([a], [b]) => a - b)
        .map(([keyId, epoch]) => ({ keyId, epoch })),
      sidecar: sidecarIndex === null
        ? SidecarState.ABSENT
        : SidecarState.PRESENT,
      sidecarIndex: BigInt(sidecarIndex ?? 0),
      enabled: isEnabled,
      filesystemFault: isFilesystemFit ? "" : "the filesystem probe failed",
      term: BigInt(statement.term),
      clusterId: statement.clusterId,
    }),
  );
}

/** Reads what `encodeStatement` wrote; `null` for anything else. */
export function decodeStatement(bytes: Bytes): Statement | null {
  if (bytes.length > STATEMENT_BYTES_MAX) return null;
  let message: CapabilityStatement;
  try {
    message = fromBinary(CapabilityStatementSchema, bytes);
  } catch {
    return null;
  }
  // A later program may say more: that decides nothing here.
  if (!equalBytes(toBinary(CapabilityStatementSchema, message), bytes)) {
    return null;
  }
  const { term, sidecarIndex, clusterId, build, node } = message;
  const isSafe = [term, sidecarIndex]
    .every((value) => value <= BigInt(Number.MAX_SAFE_INTEGER));
  if (!isSafe || clusterId.length !== CLUSTER_ID_BYTES) return null;
  if (build.length > TEXT_LENGTH_MAX || node.length > TEXT_LENGTH_MAX) {
    return null;
  }
  const epochs = new Map(message.epochs.map((one) => [one.keyId, one.epoch]));
  const isEpoch = (epoch: number) => epoch <= EPOCH_MAX;
  if (epochs.size !== message.epochs.length || epochs.size > KEYS_MAX) {
    return null;
  }
  if (![...epochs.values()].every(isEpoch)) return null;
  return {
    protocolVersion: message.protocolVersion,
    build,
    node,
    fullNodeId: message.fullNodeId,
    epochs,
    sidecarIndex: message.sidecar === SidecarState.PRESENT
      ? Number(sidecarIndex)
      : null,
    isEnabled: message.enabled,
    isFilesystemFit: message.filesystemFault === "",
    term: Number(term),
    clusterId: new Uint8Array(clusterId),
  };
}
