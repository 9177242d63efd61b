import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import { AdminStoppingError } from "./errors.ts";
import type { BackupResponseSchema } from "./gen/admin_pb.ts";

/** Small enough for any client, large enough to cost nothing. */
const PIECE_BYTES_MAX = 65_536;

/**
 * How often a copy that is being made says so, with a piece of no bytes: all of
 * it is made before any of it is sent, and callers wait 10 s for an answer.
 */
const SILENCE_MS_MAX = 2_000;

export interface BackupStreamOptions {
  readonly copy: AsyncIterable<Bytes>;
  readonly clock: Clock;
  /** The caller is gone: ends the stream. */
  readonly gone: AbortSignal;
  /** This node stops: fails the stream, for it is not whole. */
  readonly stopping: AbortSignal;
}

/** Cuts a copy into messages. @throws {AdminStoppingError} */
export async function* backupStream(
  { copy, clock, gone, stopping }: BackupStreamOptions,
): AsyncGenerator<MessageInitShape<typeof BackupResponseSchema>> {
  const source = copy[Symbol.asyncIterator]();
  const ends = AbortSignal.any([gone, stopping]);
  const ended = Promise.withResolvers<null>();
  const end = () => ended.resolve(null);
  ends.addEventListener("abort", end);
  try {
    while (!ends.aborted) {
      const coming = source.next();
      let next = await orSilence(clock, [coming, ended.promise]);
      while (next === SILENCE) {
        yield { piece: EMPTY_BYTES };
        next = await orSilence(clock, [coming, ended.promise]);
      }
      if (next === null) break;
      if (next.done) return;
      const bytes = next.value;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES_MAX) {
        yield { piece: bytes.subarray(at, at + PIECE_BYTES_MAX) };
        if (ends.aborted) break;
      }
    }
    if (stopping.aborted) throw new AdminStoppingError();
  } finally {
    ends.removeEventListener("abort", end);
    // Not waited for: a copy that is stuck must not hold up the end.
    source.return?.().catch(() => {});
  }
}

const SILENCE = Symbol("silence");

/** The first of these, or SILENCE when none comes in time. */
async function orSilence<T>(
  clock: Clock,
  awaited: readonly Promise<T>[],
): Promise<T | typeof SILENCE> {
  const { promise, resolve } = Promise.withResolvers<typeof SILENCE>();
  const timer = clock.after(SILENCE_MS_MAX, () => resolve(SILENCE));
  try {
    return await Promise.race([...awaited, promise]);
  } finally {
    timer.cancel();
  }
}
