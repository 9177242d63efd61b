import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Bytes } from "../base/bytes.ts";
import { endingStream, type StreamEnds } from "./ending_stream.ts";
import type { BackupResponseSchema } from "./gen/admin_pb.ts";

/** Small enough for any client, large enough to cost nothing. */
const PIECE_BYTES_MAX = 65_536;

export interface BackupStreamOptions extends StreamEnds {
  readonly copy: AsyncIterable<Bytes>;
}

/** Cuts a copy into messages. @throws {AdminStoppingError} */
export async function* backupStream(
  { copy, ...ends }: BackupStreamOptions,
): AsyncGenerator<MessageInitShape<typeof BackupResponseSchema>> {
  for await (const piece of endingStream(pieces(copy), ends)) yield { piece };
}

async function* pieces(copy: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  for await (const bytes of copy) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES_MAX) {
      yield bytes.subarray(at, at + PIECE_BYTES_MAX);
    }
  }
}
