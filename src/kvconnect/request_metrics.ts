import type { ErrorCode } from "../base/error_code.ts";
import type { Counter, Histogram, MetricRegistry } from "../base/metrics.ts";
import type { DataMethod } from "./route.ts";

/** Seconds; 20 ms is the p99 that writes are held to. */
const LATENCY_BUCKETS = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.25,
  1,
  5,
];

/** Counts requests of the data plane. Series are kept: no lookup by text. */
export class RequestMetrics {
  readonly #registry: MetricRegistry;
  readonly #seconds: Readonly<Record<DataMethod, Histogram>>;
  readonly #byStatus = new Map<DataMethod | "metadata", Map<number, Counter>>();

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
    this.#seconds = {
      snapshot_read: seconds(registry, "snapshot_read"),
      atomic_write: seconds(registry, "atomic_write"),
      watch: seconds(registry, "watch"),
    };
  }

  onReply(method: DataMethod, status: number, elapsedMs: number): void {
    this.#seconds[method].observe(elapsedMs / 1_000);
    this.#counter(method, status).add();
  }

  onExchange(status: number): void {
    this.#counter("metadata", status).add();
  }

  onError(code: ErrorCode | "fault"): void {
    this.#registry.counter({
      name: "sealkv_kvconnect_errors_total",
      help: "Requests refused, by error code",
      labels: { code },
    }).add();
  }

  #counter(method: DataMethod | "metadata", status: number): Counter {
    let counters = this.#byStatus.get(method);
    if (counters === undefined) {
      counters = new Map();
      this.#byStatus.set(method, counters);
    }
    let counter = counters.get(status);
    if (counter === undefined) {
      counter = this.#registry.counter({
        name: "sealkv_kvconnect_requests_total",
        help: "Requests by method and HTTP status",
        labels: { method, status: String(status) },
      });
      counters.set(status, counter);
    }
    return counter;
  }
}

/** Replies of the data plane by their time, watches left out: cumulative. */
export function replyLatency(
  registry: MetricRegistry,
): ReturnType<Histogram["buckets"]> {
  const reads = seconds(registry, "snapshot_read").buckets();
  const writes = seconds(registry, "atomic_write").buckets();
  return reads.map(({ bound, count }, i) => (
    { bound, count: count + (writes[i]?.count ?? 0) }
  ));
}

/** The series itself: it is one, wherever it is declared. */
function seconds(registry: MetricRegistry, method: DataMethod): Histogram {
  return registry.histogram({
    name: "sealkv_kvconnect_request_seconds",
    help: "Time to the reply, of a watch to its first message",
    labels: { method },
    buckets: LATENCY_BUCKETS,
  });
}
