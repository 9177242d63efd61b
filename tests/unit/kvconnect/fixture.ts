import { MetricRegistry } from "../../../src/base/metrics.ts";
import { AccessTokenSigner } from "../../../src/app/token_signer.ts";
import type { Clock, Timer } from "../../../src/io/clock.ts";
import type { EventLog, LogFields } from "../../../src/io/log.ts";
import {
  type KvConnectOptions,
  KvConnectServer,
} from "../../../src/kvconnect/server.ts";
import { FakeNode } from "./fake_node.ts";

export const ACCESS_TOKEN = "correct-horse-battery";
export const REMOTE = { hostname: "127.0.0.1", port: 40_000 };
export const BASE = "http://kv.test:4512";

/** Time that moves when told. */
export class ManualClock implements Clock {
  nowMs = Date.UTC(2026, 0, 1);
  readonly #startMs = this.nowMs;
  readonly #timers = new Set<{ atMs: number; task: () => void }>();

  get timers(): number {
    return this.#timers.size;
  }

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs - this.#startMs;
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  advance(byMs: number): void {
    this.nowMs += byMs;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.nowMs || !this.#timers.delete(timer)) continue;
      timer.task();
    }
  }
}

export class ListLog implements EventLog {
  readonly events: [event: string, fields: LogFields | undefined][] = [];

  write(_level: string, event: string, fields?: LogFields): void {
    this.events.push([event, fields]);
  }
}

export interface Metadata {
  readonly version: number;
  readonly databaseId: string;
  readonly endpoints: readonly { url: string; consistency: string }[];
  readonly token: string;
  readonly expiresAt: string;
}

/** A server over a fake node and what a client needs to talk to it. */
export class Fixture {
  readonly node = new FakeNode();
  readonly clock = new ManualClock();
  readonly log = new ListLog();
  readonly metrics = new MetricRegistry();
  readonly server: KvConnectServer;
  readonly faults: unknown[] = [];

  constructor(options: Partial<KvConnectOptions> = {}) {
    this.server = new KvConnectServer({
      node: this.node,
      signer: new AccessTokenSigner(ACCESS_TOKEN),
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      onFault: (error) => this.faults.push(error),
      ...options,
    });
  }

  async send(request: Request, remote = REMOTE): Promise<Response> {
    return await this.server.handle(request, remote);
  }

  async exchange(
    path = "/",
    init: {
      headers?: Record<string, string>;
      body?: string;
      remote?: { hostname: string; port: number };
    } = {},
  ): Promise<Response> {
    return await this.send(
      new Request(BASE + path, {
        method: "POST",
        headers: {
          authorization: `Bearer ${ACCESS_TOKEN}`,
          "content-type": "application/json",
          ...init.headers,
        },
        body: init.body ?? '{"supportedVersions":[1,2,3]}',
      }),
      init.remote,
    );
  }

  async metadata(path = "/"): Promise<Metadata> {
    return await (await this.exchange(path)).json();
  }

  /** A data call with fitting headers; `headers` replaces some. */
  async call(
    method: string,
    body: Uint8Array<ArrayBuffer>,
    init: {
      database?: string;
      headers?: Record<string, string>;
      remote?: { hostname: string; port: number };
      signal?: AbortSignal;
    } = {},
  ): Promise<Response> {
    const prefix = init.database === undefined ? "" : `/db/${init.database}`;
    const { token, databaseId } = await this.metadata(prefix || "/");
    return await this.send(
      new Request(`${BASE}${prefix}/v2/${method}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/x-protobuf",
          "content-length": String(body.length),
          "x-denokv-version": "3",
          "x-denokv-database-id": databaseId,
          ...init.headers,
        },
        body,
        ...(init.signal === undefined ? {} : { signal: init.signal }),
      }),
      init.remote,
    );
  }
}
