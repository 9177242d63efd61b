import { AdminStoppingError } from "./errors.ts";

export interface StreamEnds {
  /** The caller is gone: ends the stream. */
  readonly gone: AbortSignal;
  /** This node stops: fails the stream, for it is not whole. */
  readonly stopping: AbortSignal;
}

/**
 * What `source` gives, until one of the two ends it; waits for neither the next
 * item nor the source then.
 *
 * @throws {AdminStoppingError}
 */
export async function* endingStream<T>(
  source: AsyncIterable<T>,
  { gone, stopping }: StreamEnds,
): AsyncGenerator<T> {
  const items = source[Symbol.asyncIterator]();
  const ends = AbortSignal.any([gone, stopping]);
  const ended = Promise.withResolvers<null>();
  const end = () => ended.resolve(null);
  ends.addEventListener("abort", end);
  try {
    while (!ends.aborted) {
      const next = await Promise.race([items.next(), ended.promise]);
      if (next === null) break;
      if (next.done) return;
      yield next.value;
    }
    if (stopping.aborted) throw new AdminStoppingError();
  } finally {
    ends.removeEventListener("abort", end);
    // Not waited for: a source that is stuck must not hold up the end.
    items.return?.().catch(() => {});
  }
}
