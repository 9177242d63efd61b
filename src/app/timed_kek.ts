import type { Histogram, MetricRegistry } from "../base/metrics.ts";
import type { Clock } from "../io/clock.ts";
import type { Kek } from "../keys/port.ts";

/** A file's takes a millisecond, a key service's a round trip, or its retries. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10];

/** Declares how long unwraps take, also those that fail. */
export function kekUnwrapSeconds(metrics: MetricRegistry): Histogram {
  return metrics.histogram({
    name: "sealkv_encryption_kek_unwrap_seconds",
    help: "Time that a KEK took to unwrap, or to fail",
    buckets: SECONDS,
  });
}

/** `kek`, with the time of each unwrap told to `seconds`. */
export function timedKek(
  kek: Kek,
  { seconds, clock }: { readonly seconds: Histogram; readonly clock: Clock },
): Kek {
  return {
    id: kek.id,
    wrap: (secret, context) => kek.wrap(secret, context),
    async unwrap(wrapped, context) {
      const startMs = clock.monotonicMs();
      try {
        return await kek.unwrap(wrapped, context);
      } finally {
        seconds.observe((clock.monotonicMs() - startMs) / 1_000);
      }
    },
  };
}
