import type { Clock } from "../io/clock.ts";
import { ConnectError, ConnectionLostError } from "../io/errors.ts";
import type { Net, NetConnection } from "../io/net.ts";
import { MutualTlsUnsupportedError } from "./errors.ts";

const LOOPBACK = "127.0.0.1";
const PROBE_MS_MAX = 5_000;

export interface MutualTlsProbeOptions {
  readonly net: Net;
  readonly clock: Clock;
  readonly tls: {
    readonly cert: string;
    readonly key: string;
    readonly clientCa: string;
  };
  /** A name that the node's own certificate is good for. */
  readonly serverName: string;
}

/**
 * Connects to a listener of its own, on loopback, to see whether one without a
 * certificate is refused as `--peer-mtls` promises.
 *
 * One with this node's certificate is tried first: if that fails, what is
 * wrong is the certificate, and a refusal would prove nothing.
 *
 * @throws {MutualTlsUnsupportedError} When everyone is let in.
 * @throws {ConnectError} When this node's own certificate is not let in.
 * @throws {ListenError}
 */
export async function probeMutualTls(
  options: MutualTlsProbeOptions,
): Promise<void> {
  const { net, tls } = options;
  const listener = await net.listen({ hostname: LOOPBACK, port: 0, tls });
  const { port } = listener.address;
  let accepted = 0;
  const serving = (async () => {
    for (;;) {
      const connection = await listener.accept();
      if (connection === null) return;
      accepted += 1;
      await greet(connection);
    }
  })();
  try {
    const { cert, key } = tls;
    if (!await isLetIn(options, port, { cert, key })) {
      throw new ConnectError(`${LOOPBACK}:${port}`);
    }
    const before = accepted;
    const isOpen = await isLetIn(options, port, {});
    if (isOpen || accepted > before) throw new MutualTlsUnsupportedError();
  } finally {
    listener.close();
    await serving;
  }
}

/** A byte: the client knows that it is in. */
async function greet(connection: NetConnection): Promise<void> {
  try {
    await connection.write(Uint8Array.of(1));
  } catch (error) {
    if (!(error instanceof ConnectionLostError)) throw error;
  }
  connection.close();
}

/** Whether a client with `certificate` connects and is greeted. */
async function isLetIn(
  { net, clock, tls, serverName }: MutualTlsProbeOptions,
  port: number,
  certificate: { readonly cert?: string; readonly key?: string },
): Promise<boolean> {
  const abort = new AbortController();
  let connection: NetConnection | null = null;
  let isLate = false;
  const late = clock.after(PROBE_MS_MAX, () => {
    isLate = true;
    abort.abort();
    connection?.close();
  });
  try {
    connection = await net.connect({
      hostname: LOOPBACK,
      port,
      signal: abort.signal,
      tls: { ca: tls.clientCa, serverName, ...certificate },
    });
    if (await connection.read() !== null) return true;
  } catch (error) {
    const isRefused = error instanceof ConnectError ||
      error instanceof ConnectionLostError;
    if (!isRefused) throw error;
  } finally {
    late.cancel();
    connection?.close();
  }
  // No answer is no refusal.
  if (isLate) throw new ConnectError(`${LOOPBACK}:${port}`);
  return false;
}
