import type { HttpClientPort } from "../io/http.ts";
import { metricSum } from "./metrics_text.ts";

/** Counters of all members of a system together; `null` where nobody counts. */
export interface ServerCounters {
  readonly syncs: number | null;
  readonly logBytes: number | null;
  /** Sent from member to member. */
  readonly peerBytes: number | null;
  readonly cpuMs: number | null;
}

/** What serving one request took, on all members together. */
export interface Costs {
  readonly syncs: number | null;
  readonly logBytes: number | null;
  readonly peerBytes: number | null;
  readonly cpuMicroseconds: number | null;
}

/** Processes that serve, as the system sees them. */
export interface ServerProcesses {
  /** Processor time of all together so far; `null` where nobody tells. */
  cpuMs(): Promise<number | null>;
}

/** Names of metrics that mean the same with different makers. */
export interface MetricNames {
  readonly syncs: string;
  readonly logBytes: string;
  readonly peerBytes: string;
}

export interface MeteredServers {
  readonly http: Pick<HttpClientPort, "fetch">;
  /** Of the `/metrics` page of each member. */
  readonly pages: readonly string[];
  readonly names: MetricNames;
  readonly processes: ServerProcesses | null;
}

/** Reads the counters of all members. @throws {TypeError} As `fetch`. */
export async function readCounters(
  { http, pages, names, processes }: MeteredServers,
): Promise<ServerCounters> {
  const texts = await Promise.all(pages.map(async (page) => {
    const response = await http.fetch(new Request(page));
    return await response.text();
  }));
  const total = (name: string) =>
    texts.reduce((sum: number | null, text) => {
      const value = metricSum(text, name);
      return value === null ? sum : (sum ?? 0) + value;
    }, null);
  return {
    syncs: total(names.syncs),
    logBytes: total(names.logBytes),
    peerBytes: total(names.peerBytes),
    cpuMs: await processes?.cpuMs() ?? null,
  };
}

/** What each of `answered` requests took between two readings. */
export function costsBetween(
  before: ServerCounters,
  after: ServerCounters,
  answered: number,
): Costs {
  const each = (from: number | null, until: number | null) =>
    from === null || until === null ? null : (until - from) / answered;
  const cpuMs = each(before.cpuMs, after.cpuMs);
  return {
    syncs: each(before.syncs, after.syncs),
    logBytes: each(before.logBytes, after.logBytes),
    peerBytes: each(before.peerBytes, after.peerBytes),
    cpuMicroseconds: cpuMs === null ? null : cpuMs * 1000,
  };
}
