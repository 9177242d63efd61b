import type { GivenBackup, Vitals } from "../admin/vitals.ts";
import type { KeyId } from "../base/data_key.ts";
import type { MetricRegistry } from "../base/metrics.ts";
import type { Clock } from "../io/clock.ts";
import type { ProcessPort } from "../io/process.ts";
import type { BytesOf, SpaceOf } from "../io/space.ts";
import { replyLatency } from "../kvconnect/request_metrics.ts";
import type { RaftCounters } from "./node_metrics.ts";

/** Where vitals come from. Read at each question: cheap. */
export interface NodeVitalsSource {
  readonly node: string;
  readonly dataDir: string;
  /** The data plane counts in it. */
  readonly metrics: MetricRegistry;
  readonly process: Pick<ProcessPort, "residentBytes">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly spaceOf: SpaceOf;
  readonly bytesOf: BytesOf;
  counters(): {
    readonly raft: Pick<RaftCounters, "proposals" | "elections"> & {
      readonly leaderMs: number;
    };
    readonly wal: { readonly syncs: number; readonly bytesWritten: number };
  };
  /** Of about the last five minutes. */
  recentLatency(): ReturnType<typeof replyLatency>;
  /** Whole backups that it gave. */
  backups(): readonly GivenBackup[];
  /** File of the store in use. */
  storePath(): string;
  /** Envelopes sealed here since the start, by key. */
  seals(): ReadonlyMap<KeyId, number>;
}

/** Tells how this node does; its uptime is from this call on. */
export function nodeVitals(source: NodeVitalsSource): () => Promise<Vitals> {
  const startMs = source.clock.monotonicMs();
  return async () => {
    const { freeBytes, totalBytes } = await source.spaceOf(source.dataDir);
    const upMs = source.clock.monotonicMs() - startMs;
    const { raft, wal } = source.counters();
    const latency = replyLatency(source.metrics).map(exactly);
    return {
      node: source.node,
      uptimeMs: BigInt(Math.floor(upMs)),
      requests: latency.at(-1)?.count ?? 0n,
      latency,
      recentLatency: source.recentLatency().map(exactly),
      proposals: BigInt(raft.proposals),
      elections: BigInt(raft.elections),
      leaderMs: BigInt(Math.floor(raft.leaderMs)),
      walSyncs: BigInt(wal.syncs),
      walBytes: BigInt(wal.bytesWritten),
      residentBytes: BigInt(source.process.residentBytes()),
      diskFreeBytes: freeBytes,
      diskTotalBytes: totalBytes,
      storeBytes: await source.bytesOf(source.storePath()),
      seals: [...source.seals()].sort(([a], [b]) => a - b)
        .map(([keyId, count]) => ({ keyId, count: BigInt(count) })),
      backups: source.backups(),
    };
  };
}

function exactly({ bound, count }: ReturnType<typeof replyLatency>[number]) {
  return { bound, count: BigInt(count) };
}
