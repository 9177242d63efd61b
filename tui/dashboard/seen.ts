import type {
  ClusterChangeUnderWay,
  ClusterEncryption,
  ClusterEvent,
  ClusterRewriteProgress,
  ClusterStatus,
  MemberEncryption,
} from "../../src/admin/client.ts";
import { type History, NO_HISTORY } from "./history.ts";

/**
 * All that a dashboard knows. What could not be asked again stays as it was:
 * `atMs` tells how old the status is, and `silence` why.
 */
export interface Seen {
  /** Unix ms: now. */
  readonly nowMs: number;
  readonly status: ClusterStatus;
  /** Unix ms of the last word of the cluster. */
  readonly atMs: number;
  /** Why nobody answers; "" while someone does. */
  readonly silence: string;
  readonly history: History;
  /** In the order of the status; empty before they were asked. */
  readonly encryption: readonly MemberEncryption[];
  /** `null` while no leader has said it. */
  readonly rewrite: ClusterRewriteProgress | null;
  readonly underWay: ClusterChangeUnderWay | null;
  /** Oldest first. */
  readonly events: readonly ClusterEvent[];
}

/** What a first look shows. */
export function seenFirst(status: ClusterStatus, nowMs: number): Seen {
  return {
    nowMs,
    status,
    atMs: nowMs,
    silence: "",
    history: NO_HISTORY,
    encryption: [],
    rewrite: null,
    underWay: null,
    events: [],
  };
}

/** Encryption as the member that has applied most of it says. */
export function latestEncryption(
  members: readonly MemberEncryption[],
): ClusterEncryption | null {
  let latest: ClusterEncryption | null = null;
  for (const { encryption } of members) {
    if (encryption === null) continue;
    if (latest === null || encryption.stateIndex > latest.stateIndex) {
      latest = encryption;
    }
  }
  return latest;
}
