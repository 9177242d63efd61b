import { type Bytes, equalBytes, toHex } from "../../base/bytes.ts";
import {
  type ClusterClaim,
  DataDirLockedError,
  WrongClusterError,
} from "../errors.ts";
import { WrongNodeError } from "../member_errors.ts";
import type { GuardFacts } from "./facts.ts";
import type { Guard } from "./guard.ts";
import { knownOf } from "./reading.ts";

/** Whose the data dir is. */
export const OWNERSHIP_GUARDS: readonly Guard[] = [
  {
    name: "DataDirLocked",
    reads: [],
    check: ({ isLocked, dataDir }) =>
      isLocked ? new DataDirLockedError(dataDir) : null,
  },
  {
    name: "WrongCluster",
    reads: ["log", "store", "sidecar"],
    check: checkClusters,
  },
  {
    name: "WrongNode",
    reads: ["identity", "log", "sidecar"],
    check: checkNode,
  },
];

interface Claim {
  readonly part: string;
  readonly clusterId: Bytes;
}

/** Parts that have no cluster yet agree with every cluster. */
function checkClusters(facts: GuardFacts): WrongClusterError | null {
  const claims = claimsOf(facts);
  const [first, ...others] = claims;
  if (first === undefined) return null;
  const other = others.find(({ clusterId }) =>
    !equalBytes(clusterId, first.clusterId)
  );
  if (other !== undefined) return new WrongClusterError(claims.map(shown));
  return isSidecarAlone(facts)
    ? new WrongClusterError([
      shown(first),
      { part: "the data dir", clusterId: "none" },
    ])
    : null;
}

/** Stands before the log in every start: without one it was put there. */
function isSidecarAlone({ sidecar, log, store }: GuardFacts): boolean {
  const isWithoutLog = log.kind === "known" && log.value === null;
  return isWithoutLog && knownOf(sidecar) !== null &&
    store.kind === "known" && (store.value?.appliedIndex ?? 0) === 0;
}

function claimsOf({ log, store, sidecar }: GuardFacts): readonly Claim[] {
  const parts = [
    { part: "the log", clusterId: knownOf(log)?.clusterId ?? null },
    { part: "the store", clusterId: knownOf(store)?.clusterId ?? null },
    { part: "the sidecar", clusterId: knownOf(sidecar)?.clusterId ?? null },
  ];
  return parts.flatMap(({ part, clusterId }) =>
    clusterId === null ? [] : [{ part, clusterId }]
  );
}

function shown({ part, clusterId }: Claim): ClusterClaim {
  return { part, clusterId: toHex(clusterId) };
}

function checkNode(
  { node, identity, log, sidecar }: GuardFacts,
): WrongNodeError | null {
  // A data dir of before there were identity files is its log's.
  const owner = knownOf(identity) ?? knownOf(log)?.node ?? node;
  if (owner !== node) return new WrongNodeError(node, owner);
  const sealer = knownOf(sidecar)?.node ?? node;
  return sealer === node ? null : new WrongNodeError(node, sealer, "sidecar");
}
