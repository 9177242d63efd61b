import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Bytes } from "../base/bytes.ts";
import { AdminStoppingError } from "./errors.ts";
import type { BackupResponseSchema } from "./gen/admin_pb.ts";

/** Small enough for any client, large enough to cost nothing. */
const PIECE_BYTES_MAX = 65_536;

export interface BackupStreamOptions {
  readonly copy: AsyncIterable<Bytes>;
  /** The caller is gone: ends the stream. */
  readonly gone: AbortSignal;
  /** This node stops: fails the stream, for it is not whole. */
  readonly stopping: AbortSignal;
}

/** Cuts a copy into messages. @throws {AdminStoppingError} */
export async function* backupStream(
  { copy, gone, stopping }: BackupStreamOptions,
): AsyncGenerator<MessageInitShape<typeof BackupResponseSchema>> {
  const source = copy[Symbol.asyncIterator]();
  const ends = AbortSignal.any([gone, stopping]);
  const ended = Promise.withResolvers<null>();
  const end = () => ended.resolve(null);
  ends.addEventListener("abort", end);
  try {
    while (!ends.aborted) {
      const next = await Promise.race([source.next(), ended.promise]);
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
