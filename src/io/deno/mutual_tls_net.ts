import { isIP } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
  createServer,
  type Server,
  type TLSSocket,
} from "node:tls";
import { assert, present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { ConnectError, ConnectionLostError, ListenError } from "../errors.ts";
import type { RemoteAddress } from "../http.ts";
import type {
  Net,
  NetConnection,
  NetConnectOptions,
  NetListener,
  NetListenOptions,
} from "../net.ts";

/** What a client may take for its handshake. */
const HANDSHAKE_MS_MAX = 3_000;

/** Whether this Deno's `node:tls` is the one that was replaced in 2.9. */
function isBefore29(server = createServer({})): boolean {
  return server.listen.length === 2;
}

/**
 * TLS of this machine whose listeners can demand certificates of clients,
 * which Deno's own cannot. Cleartext is `denoNet()`'s.
 *
 * Only Deno 2.9 and later do: earlier ones let everyone in, so whoever relies
 * on it asks first (mutual_tls_probe.ts). A client without a certificate is
 * connected until it reads: TLS 1.3 tells it no earlier.
 */
export function mutualTlsNet(): Net {
  return { listen, connect };
}

async function listen(options: NetListenOptions): Promise<NetListener> {
  const { hostname, port } = options;
  const { cert, key, clientCa } = present(options.tls, "a certificate");
  try {
    const server = createServer({
      cert,
      key,
      handshakeTimeout: HANDSHAKE_MS_MAX,
      ...(clientCa === undefined
        ? {}
        : { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
      // Deno before 2.9 takes the address from here.
      ...{ host: hostname },
    });
    const listener = new TlsListener(server);
    await bind(server, options);
    listener.address = boundAddress(server);
    return listener;
  } catch (cause) {
    throw new ListenError(`${hostname}:${port}`, { cause });
  }
}

function bind(
  server: Server,
  { hostname, port }: NetListenOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Deno before 2.9 knows port and callback alone.
    if (isBefore29(server)) server.listen(port, resolve);
    else server.listen(port, hostname, resolve);
  });
}

function boundAddress(server: Server): RemoteAddress {
  const bound = server.address();
  assert(bound !== null && typeof bound === "object", "a listener is bound");
  return { hostname: bound.address, port: bound.port };
}

async function connect(options: NetConnectOptions): Promise<NetConnection> {
  const { hostname, port, signal } = options;
  let socket: TLSSocket | null = null;
  const giveUp = () => socket?.destroy();
  try {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", giveUp);
    const opened = connectTls(clientOptions(options));
    socket = opened;
    await new Promise<void>((resolve, reject) => {
      opened.once("secureConnect", resolve);
      opened.once("error", reject);
      opened.once("close", () => reject(new Error("Closed")));
    });
    return new TlsConnection(opened, { hostname, port });
  } catch (cause) {
    socket?.destroy();
    throw new ConnectError(`${hostname}:${port}`, { cause });
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

function clientOptions(options: NetConnectOptions): ConnectionOptions {
  const { hostname, port } = options;
  const { ca, cert, key, serverName } = present(options.tls, "TLS");
  const name = serverName ?? hostname;
  return {
    host: hostname,
    port,
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // An address is no name that TLS may ask for, but can be verified: by
    // Deno before 2.9 only if given here, where it does no harm.
    ...(isIP(name) === 0 || isBefore29() ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) =>
      checkServerIdentity(name, certificate),
  };
}

class TlsListener implements NetListener {
  address: RemoteAddress = { hostname: "", port: 0 };
  readonly #server: Server;
  readonly #offered: TlsConnection[] = [];
  #waiting: ((connection: NetConnection | null) => void)[] = [];
  #isClosed = false;

  constructor(server: Server) {
    this.#server = server;
    server.on("secureConnection", (socket) => this.#offer(socket));
    // A client that failed its handshake; its socket is destroyed.
    server.on("tlsClientError", () => {});
  }

  accept(): Promise<NetConnection | null> {
    const offered = this.#offered.shift();
    if (offered !== undefined) return Promise.resolve(offered);
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server.close();
    for (const connection of this.#offered.splice(0)) connection.close();
    for (const waiting of this.#waiting.splice(0)) waiting(null);
  }

  #offer(socket: TLSSocket): void {
    const connection = new TlsConnection(socket, {
      hostname: socket.remoteAddress ?? "",
      port: socket.remotePort ?? 0,
    });
    if (this.#isClosed) return connection.close();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#offered.push(connection);
    else waiting(connection);
  }
}

class TlsConnection implements NetConnection {
  readonly remote: RemoteAddress;
  readonly #socket: TLSSocket;
  #isClosed = false;
  #hasEnded = false;
  #error: unknown = null;
  /** Wakes who waits for the socket. */
  #wake: () => void = () => {};

  constructor(socket: TLSSocket, remote: RemoteAddress) {
    this.remote = remote;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("readable", () => this.#wake());
    socket.on("end", () => this.#onEnd());
    socket.on("close", () => this.#onEnd());
    socket.on("error", (error) => {
      this.#error ??= error;
      this.#wake();
    });
  }

  async read(): Promise<Bytes | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) return new Uint8Array(chunk);
      if (this.#error !== null) throw this.#lost(this.#error);
      if (this.#hasEnded) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) throw this.#lost("Closed");
    try {
      await new Promise<void>((resolve, reject) => {
        const onClose = () => reject(new Error("Closed"));
        this.#socket.once("close", onClose);
        this.#socket.write(bytes, (error) => {
          this.#socket.off("close", onClose);
          if (error) reject(error);
          else resolve();
        });
      });
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wake();
    // Tells the other side that this is the end, and not a cut.
    this.#socket.destroySoon();
  }

  #onEnd(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #lost(cause: unknown): ConnectionLostError {
    const { hostname, port } = this.remote;
    return new ConnectionLostError(`${hostname}:${port}`, { cause });
  }
}
