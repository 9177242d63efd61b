import { assert } from "../../base/assert.ts";
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

const READ_BYTES = 65_536;

/** TCP and TLS of this machine. */
export function denoNet(): Net {
  return { listen, connect };
}

async function listen(options: NetListenOptions): Promise<NetListener> {
  const { hostname, port, tls } = options;
  assert(tls?.clientCa === undefined, "mutualTlsNet() asks for certificates");
  try {
    const listener = tls === undefined
      ? Deno.listen({ hostname, port })
      : Deno.listenTls({ hostname, port, ...tls });
    return new DenoListener(listener);
  } catch (cause) {
    throw new ListenError(`${hostname}:${port}`, { cause });
  }
}

async function connect(options: NetConnectOptions): Promise<NetConnection> {
  const { hostname, port, tls, signal } = options;
  assert(tls?.cert === undefined, "mutualTlsNet() shows a certificate");
  let conn: Deno.TcpConn | Deno.TlsConn | null = null;
  const giveUp = () => closeQuietly(conn);
  try {
    conn = await Deno.connect({
      hostname,
      port,
      ...(signal === undefined ? {} : { signal }),
    });
    conn.setNoDelay(true);
    if (tls === undefined) return new DenoConnection(conn);
    signal?.addEventListener("abort", giveUp);
    conn = await Deno.startTls(conn, {
      hostname: tls.serverName ?? hostname,
      ...(tls.ca === undefined ? {} : { caCerts: [tls.ca] }),
    });
    // Verifies the name now, and not with the first read.
    await conn.handshake();
    return new DenoConnection(conn);
  } catch (cause) {
    closeQuietly(conn);
    throw new ConnectError(`${hostname}:${port}`, { cause });
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/** `startTls` has taken the TCP connection even when it fails. */
function closeQuietly(conn: Deno.Conn | null): void {
  try {
    conn?.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

class DenoListener implements NetListener {
  readonly #listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>;
  #isClosed = false;

  constructor(listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>) {
    this.#listener = listener;
  }

  get address(): RemoteAddress {
    return tcpAddress(this.#listener.addr);
  }

  async accept(): Promise<NetConnection | null> {
    if (this.#isClosed) return null;
    try {
      const conn = await this.#listener.accept();
      if ("setNoDelay" in conn) conn.setNoDelay(true);
      return new DenoConnection(conn);
    } catch (cause) {
      if (this.#isClosed) return null;
      throw new ListenError(addressText(this.address), { cause });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }
}

class DenoConnection implements NetConnection {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #isClosed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get remote(): RemoteAddress {
    return tcpAddress(this.#conn.remoteAddr);
  }

  async read(): Promise<Bytes | null> {
    if (this.#isClosed) return null;
    try {
      const length = await this.#conn.read(this.#buffer);
      return length === null ? null : this.#buffer.slice(0, length);
    } catch (cause) {
      if (this.#isClosed) return null;
      throw new ConnectionLostError(addressText(this.remote), { cause });
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#conn.write(bytes.subarray(at));
      }
    } catch (cause) {
      throw new ConnectionLostError(addressText(this.remote), { cause });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }
}

function tcpAddress(addr: Deno.Addr): RemoteAddress {
  return "hostname" in addr
    ? { hostname: addr.hostname, port: addr.port }
    : { hostname: "", port: 0 };
}

function addressText({ hostname, port }: RemoteAddress): string {
  return `${hostname}:${port}`;
}
