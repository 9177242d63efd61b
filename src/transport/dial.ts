import { ConnectError, ConnectionLostError } from "../io/errors.ts";
import { TransportFrameInvalidError } from "./errors.ts";
import { FrameConnection } from "./frame_connection.ts";
import { dialHandshake, type Outcome } from "./handshake.ts";
import type { Purpose } from "./hello.ts";
import { DIAL_MS_MAX, HELLO_MS_MAX } from "./limits.ts";
import type { TransportParts } from "./parts.ts";
import type { PeerAddress, PeerRefusal } from "./port.ts";

/** What became of one dial. */
export type Dialled =
  | {
    readonly kind: "proven";
    readonly connection: FrameConnection;
  }
  | {
    readonly kind: "refused";
    readonly refusal: PeerRefusal;
    readonly by: "us" | "them";
    readonly isProven: boolean;
  }
  | { readonly kind: "unreachable"; readonly reason: string };

/**
 * Connects to `peer` and shakes hands, within DIAL_MS_MAX and HELLO_MS_MAX.
 * `abort` gives up early; it is the dial's own.
 */
export async function dialPeer(
  peer: PeerAddress,
  purpose: Purpose,
  parts: TransportParts,
  abort: AbortController,
): Promise<Dialled> {
  const connection = await connect(peer, parts, abort);
  if (connection === null) {
    return { kind: "unreachable", reason: "no connection" };
  }
  const outcome = await shakeHands(connection, peer, purpose, parts, abort);
  if (outcome.kind === "proven" && !abort.signal.aborted) {
    parts.counters.connects += 1;
    return { kind: "proven", connection };
  }
  connection.close();
  if (outcome.kind !== "refused") {
    return { kind: "unreachable", reason: "the handshake broke off" };
  }
  parts.counters.refusals += 1;
  const { refusal, by, isProven } = outcome;
  return { kind: "refused", refusal, by, isProven };
}

/** Says in the log which side refused. */
export function writeRefusal(
  { name, hostname, port }: PeerAddress,
  { refusal, by, isProven }: Dialled & { readonly kind: "refused" },
  { strangers }: TransportParts,
): void {
  const remote = `${hostname}:${port}`;
  strangers.write(
    by === "us" ? "peer_refused" : "peer_refused_us",
    `${name} ${remote} ${refusal}`,
    { peer: name, remote, reason: refusal, isProven },
  );
}

async function connect(
  { hostname, port }: PeerAddress,
  { net, clock, dialTls, counters }: TransportParts,
  abort: AbortController,
): Promise<FrameConnection | null> {
  const late = clock.after(DIAL_MS_MAX, () => abort.abort());
  try {
    const connection = await net.connect({
      hostname,
      port,
      signal: abort.signal,
      ...(dialTls === undefined ? {} : { tls: dialTls }),
    });
    return new FrameConnection(connection, counters);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return null;
  } finally {
    late.cancel();
  }
}

/** The handshake with its deadline; what breaks it ends it. */
async function shakeHands(
  connection: FrameConnection,
  peer: PeerAddress,
  purpose: Purpose,
  parts: TransportParts,
  abort: AbortController,
): Promise<Outcome> {
  const close = () => connection.close();
  if (abort.signal.aborted) close();
  abort.signal.addEventListener("abort", close);
  const late = parts.clock.after(HELLO_MS_MAX, close);
  try {
    return await dialHandshake(connection, parts, peer, purpose);
  } catch (error) {
    if (error instanceof ConnectionLostError) return { kind: "ended" };
    if (!(error instanceof TransportFrameInvalidError)) throw error;
    return {
      kind: "refused",
      refusal: "malformed",
      by: "us",
      isProven: false,
      claim: null,
    };
  } finally {
    late.cancel();
    abort.signal.removeEventListener("abort", close);
  }
}
