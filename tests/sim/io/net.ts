import type { Bytes } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/io/clock.ts";
import {
  ConnectError,
  ConnectionLostError,
  ListenError,
} from "../../../src/io/errors.ts";
import type { RemoteAddress } from "../../../src/io/http.ts";
import type {
  Net,
  NetConnection,
  NetConnectOptions,
  NetListener,
  NetListenOptions,
} from "../../../src/io/net.ts";

const EPHEMERAL_PORT_FROM = 40_000;
/** How long a dial into a partition takes to fail. */
const CONNECT_MS_MAX = 3_000;

/** One direction between two hosts. */
interface Link {
  isCut: boolean;
  /** Waiting until the link heals, in order. */
  readonly held: (() => void)[];
}

/**
 * An in-memory network of hosts.
 *
 * Bytes of one connection arrive in order and whole, as TCP's do; a cut link
 * holds them until it heals, `reset` breaks connections instead. Links are
 * directed, so a partition can be one-way.
 */
export class SimNet {
  readonly #clock: Clock;
  readonly #delayMs: (from: string, to: string) => number;
  readonly #listeners = new Map<string, SimListener>();
  readonly #links = new Map<string, Link>();
  readonly #pipes = new Set<SimConnection>();
  readonly #windowBytes: number;
  #port = EPHEMERAL_PORT_FROM;

  /**
   * `delayMs` is asked for each delivery; without it bytes arrive at once.
   * `write` waits while `windowBytes` are on their way or unread.
   */
  constructor(
    clock: Clock,
    delayMs: (from: string, to: string) => number = () => 0,
    windowBytes = Infinity,
  ) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#windowBytes = windowBytes;
  }

  /** The network as `hostname` sees it. */
  host(hostname: string): Net {
    return {
      listen: async (options) => this.#listen(options),
      connect: (options) => this.#connect(hostname, options),
    };
  }

  /** Cuts the way `from` → `to`; bytes wait. */
  cut(from: string, to: string): void {
    this.#link(from, to).isCut = true;
  }

  /** Opens the way again; what waited arrives. */
  heal(from: string, to: string): void {
    const link = this.#link(from, to);
    link.isCut = false;
    for (const deliver of link.held.splice(0)) deliver();
  }

  /** Breaks every connection of `hostname`, both ways, as a crash does. */
  reset(hostname: string): void {
    for (const pipe of [...this.#pipes]) {
      if (pipe.local.hostname === hostname) {
        pipe.breakOff();
        pipe.peer?.breakOff();
      }
    }
    for (const [key, listener] of this.#listeners) {
      if (key.startsWith(`${hostname}:`)) listener.close();
    }
  }

  #listen({ hostname, port }: NetListenOptions): NetListener {
    const address = { hostname, port: port === 0 ? this.#nextPort() : port };
    const key = textOf(address);
    if (this.#listeners.has(key)) throw new ListenError(key);
    const listener = new SimListener(
      address,
      () => this.#listeners.delete(key),
    );
    this.#listeners.set(key, listener);
    return listener;
  }

  async #connect(
    from: string,
    { hostname, port, signal }: NetConnectOptions,
  ): Promise<NetConnection> {
    const remote = { hostname, port };
    const local = { hostname: from, port: this.#nextPort() };
    if (this.#link(from, hostname).isCut || this.#link(hostname, from).isCut) {
      await this.#pass(CONNECT_MS_MAX, signal);
      throw new ConnectError(textOf(remote));
    }
    const delayMs = this.#delayMs(from, hostname);
    if (delayMs > 0) await this.#pass(delayMs, signal);
    const listener = this.#listeners.get(textOf(remote));
    if (listener === undefined || signal?.aborted) {
      throw new ConnectError(textOf(remote));
    }
    const dialled = this.#pipe(local, remote);
    const accepted = this.#pipe(remote, local);
    dialled.peer = accepted;
    accepted.peer = dialled;
    listener.offer(accepted);
    return dialled;
  }

  #pipe(local: RemoteAddress, remote: RemoteAddress): SimConnection {
    const pipe: SimConnection = new SimConnection(
      local,
      remote,
      (deliver) => this.#send(local.hostname, remote.hostname, pipe, deliver),
      () => this.#pipes.delete(pipe),
      this.#windowBytes,
    );
    this.#pipes.add(pipe);
    return pipe;
  }

  /** Runs `deliver` when the bytes arrive, never before earlier ones. */
  #send(
    from: string,
    to: string,
    pipe: SimConnection,
    deliver: () => void,
  ): void {
    const arrive = () => {
      const link = this.#link(from, to);
      if (link.isCut) link.held.push(deliver);
      else deliver();
    };
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.max(pipe.lastAtMs, nowMs + this.#delayMs(from, to));
    pipe.lastAtMs = atMs;
    if (atMs <= nowMs) arrive();
    else this.#clock.after(atMs - nowMs, arrive);
  }

  #link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    const link = this.#links.get(key) ?? { isCut: false, held: [] };
    this.#links.set(key, link);
    return link;
  }

  #nextPort(): number {
    this.#port += 1;
    return this.#port;
  }

  /** Ends after `ms`, or with `signal`. */
  #pass(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        timer.cancel();
        resolve();
      });
    });
  }
}

class SimListener implements NetListener {
  readonly address: RemoteAddress;
  readonly #onClose: () => void;
  readonly #offered: NetConnection[] = [];
  #waiting: ((connection: NetConnection | null) => void)[] = [];
  #isClosed = false;

  constructor(address: RemoteAddress, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  offer(connection: NetConnection): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#offered.push(connection);
    else waiting(connection);
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
    this.#onClose();
    for (const connection of this.#offered.splice(0)) connection.close();
    for (const waiting of this.#waiting.splice(0)) waiting(null);
  }
}

type Arrived = Bytes | "end";

class SimConnection implements NetConnection {
  readonly local: RemoteAddress;
  readonly remote: RemoteAddress;
  peer: SimConnection | null = null;
  /** When the last bytes sent from here arrive. */
  lastAtMs = 0;
  readonly #send: (deliver: () => void) => void;
  readonly #onClose: () => void;
  readonly #windowBytes: number;
  readonly #arrived: Arrived[] = [];
  /** Sent from here and not yet read at the other end. */
  #unreadBytes = 0;
  #wake: (() => void) | null = null;
  #wakeWriter: (() => void) | null = null;
  #state: "open" | "closed" | "broken" = "open";

  constructor(
    local: RemoteAddress,
    remote: RemoteAddress,
    send: (deliver: () => void) => void,
    onClose: () => void,
    windowBytes: number,
  ) {
    this.#windowBytes = windowBytes;
    this.local = local;
    this.remote = remote;
    this.#send = send;
    this.#onClose = onClose;
  }

  async read(): Promise<Bytes | null> {
    for (;;) {
      if (this.#state === "closed") return null;
      if (this.#state === "broken") throw this.#lost();
      const next = this.#arrived[0];
      if (next === "end") return null;
      if (next !== undefined) {
        this.#arrived.shift();
        this.peer?.onRead(next.length);
        return next;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "open") throw this.#lost();
    if (bytes.length === 0) return;
    const copy = bytes.slice();
    this.#unreadBytes += copy.length;
    this.#send(() => this.peer?.receive(copy));
    while (this.#unreadBytes > this.#windowBytes) {
      await new Promise<void>((resolve) => this.#wakeWriter = resolve);
      if (this.#state !== "open") throw this.#lost();
    }
  }

  /** The other end has read `length` bytes of what was sent from here. */
  onRead(length: number): void {
    this.#unreadBytes -= length;
    this.#wakeWriter?.();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#end("closed");
    this.#send(() => this.peer?.receive("end"));
  }

  /** Ends at once, without telling the other side. */
  breakOff(): void {
    if (this.#state === "open") this.#end("broken");
  }

  receive(arrived: Arrived | "broken"): void {
    if (this.#state !== "open") {
      // As TCP: bytes to a closed end come back as a reset.
      if (arrived !== "end" && arrived !== "broken") {
        this.#send(() => this.peer?.receive("broken"));
      }
      return;
    }
    if (arrived === "broken") return this.breakOff();
    this.#arrived.push(arrived);
    this.#wakeUp();
  }

  #end(state: "closed" | "broken"): void {
    this.#state = state;
    this.#onClose();
    this.#wakeUp();
    this.#wakeWriter?.();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #lost(): ConnectionLostError {
    return new ConnectionLostError(textOf(this.remote));
  }
}

function textOf({ hostname, port }: RemoteAddress): string {
  return `${hostname}:${port}`;
}
