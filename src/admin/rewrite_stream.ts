import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../io/clock.ts";
import type { EncryptionPort } from "../node/encryption_port.ts";
import type { WatchRewriteResponseSchema } from "./gen/encryption_pb.ts";
import { pause } from "../io/pause.ts";
import { rewriteReply } from "./rollout_reply.ts";

/** Members are asked anew for each message. */
const REWRITE_GAP_MS = 1_000;

export interface RewriteStreamOptions {
  readonly encryption: Pick<
    EncryptionPort,
    "rolloutState" | "rewriteProgress"
  >;
  readonly clock: Clock;
  /** Ends the stream, without an error. */
  readonly signal: AbortSignal;
}

/** How far members are with the rewrite: at once, then REWRITE_GAP_MS apart. */
export async function* rewriteStream(
  { encryption, clock, signal }: RewriteStreamOptions,
): AsyncGenerator<MessageInitShape<typeof WatchRewriteResponseSchema>> {
  while (!signal.aborted) {
    const members = await encryption.rewriteProgress();
    yield rewriteReply(encryption.rolloutState(), members);
    await pause(REWRITE_GAP_MS, clock, signal);
  }
}
