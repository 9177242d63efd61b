import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Bytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import { endingStream, type StreamEnds } from "./ending_stream.ts";
import type { BackupResponseSchema } from "./gen/admin_pb.ts";

/** Small enough for any client, large enough to cost nothing. */
const PIECE_BYTES_MAX = 65_536;

/**
 * How often a copy that is being made says so, with a piece of no bytes: all of
 * it is made before any of it is sent, and callers wait 10 s for an answer.
 */
const SILENCE_MS_MAX = 2_000;

export interface BackupStreamOptions extends StreamEnds {
  readonly copy: AsyncIterable<Bytes>;
  readonly clock: Clock;
}

/** Cuts a copy into messages. @throws {AdminStoppingError} */
export async function* backupStream(
  { copy, clock, ...ends }: BackupStreamOptions,
): AsyncGenerator<MessageInitShape<typeof BackupResponseSchema>> {
  const source = pieces(copy, clock);
  for await (const piece of endingStream(source, ends)) yield { piece };
}

async function* pieces(
  copy: AsyncIterable<Bytes>,
  clock: Clock,
): AsyncGenerator<Bytes> {
  const source = copy[Symbol.asyncIterator]();
  try {
    for (;;) {
      const coming = source.next();
      let next = await orSilence(clock, coming);
      while (next === SILENCE) {
        yield EMPTY_BYTES;
        next = await orSilence(clock, coming);
      }
      if (next.done) return;
      const bytes = next.value;
      for (let at = 0; at < bytes.length; at += PIECE_BYTES_MAX) {
        yield bytes.subarray(at, at + PIECE_BYTES_MAX);
      }
    }
  } finally {
    // Not waited for: a copy that is stuck must not hold up the end.
    source.return?.().catch(() => {});
  }
}

const SILENCE = Symbol("silence");

/** What comes, or SILENCE when it does not come in time. */
async function orSilence<T>(
  clock: Clock,
  coming: Promise<T>,
): Promise<T | typeof SILENCE> {
  const { promise, resolve } = Promise.withResolvers<typeof SILENCE>();
  const timer = clock.after(SILENCE_MS_MAX, () => resolve(SILENCE));
  try {
    return await Promise.race([coming, promise]);
  } finally {
    timer.cancel();
  }
}
