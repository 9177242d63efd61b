import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../io/clock.ts";
import type { NodePort, OperatorPort } from "../node/port.ts";
import { statusReply } from "./cluster_admin.ts";
import type { WatchStatusResponseSchema } from "./gen/admin_pb.ts";

/** Four messages a second are as many as anyone can read. */
export const MESSAGE_GAP_MS = 250;
/** A caller that hears nothing for longer than this may go elsewhere. */
export const KEEPALIVE_MS = 2_000;

export interface StatusStreamOptions {
  readonly node: Pick<NodePort, "status"> & Pick<OperatorPort, "watchStatus">;
  readonly clock: Clock;
  /** Ends the stream, without an error. */
  readonly signal: AbortSignal;
}

/**
 * The status at once, after each change, and every KEEPALIVE_MS; messages are
 * at least MESSAGE_GAP_MS apart. Lets go of timer and node when it ends.
 */
export async function* statusStream(
  { node, clock, signal }: StatusStreamOptions,
): AsyncGenerator<MessageInitShape<typeof WatchStatusResponseSchema>> {
  let isStale = false;
  let look = () => {};
  const listening = node.watchStatus(() => {
    isStale = true;
    look();
  });
  const onAbort = () => look();
  signal.addEventListener("abort", onAbort);
  const rest = (ms: number, wakes: () => boolean) =>
    new Promise<void>((resolve) => {
      const done = () => {
        timer.cancel();
        look = () => {};
        resolve();
      };
      const timer = clock.after(ms, done);
      look = () => {
        if (signal.aborted || wakes()) done();
      };
      look();
    });
  try {
    while (!signal.aborted) {
      isStale = false;
      yield { status: statusReply(node.status()) };
      await rest(MESSAGE_GAP_MS, () => false);
      await rest(KEEPALIVE_MS - MESSAGE_GAP_MS, () => isStale);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    listening.cancel();
  }
}
