import type { Clock } from "../../../src/io/clock.ts";
import { ListenError } from "../../../src/io/errors.ts";
import type {
  HttpClientPort,
  HttpHandler,
  HttpListener,
  HttpServeOptions,
  HttpServerPort,
  RemoteAddress,
} from "../../../src/io/http.ts";

const EPHEMERAL_PORT_FROM = 50_000;

interface Service {
  readonly handler: HttpHandler;
  /** Aborted when the listener cuts what is left. */
  readonly cut: AbortController;
  readonly running: Set<Promise<unknown>>;
}

/**
 * HTTP without sockets: a client's request becomes a call of the handler that
 * serves its address.
 */
export class SimHttp implements HttpServerPort {
  readonly #clock: Clock;
  readonly #services = new Map<string, Service>();
  readonly #cutOff = new Set<string>();
  #port = EPHEMERAL_PORT_FROM;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async serve(
    options: HttpServeOptions,
    handler: HttpHandler,
  ): Promise<HttpListener> {
    const { hostname } = options;
    const port = options.port === 0 ? this.#nextPort() : options.port;
    const key = `${hostname}:${port}`;
    if (this.#services.has(key)) throw new ListenError(key);
    const cut = new AbortController();
    const service: Service = { handler, cut, running: new Set() };
    this.#services.set(key, service);
    return {
      address: { hostname, port },
      shutdown: (graceMs) => this.#shutdown(key, service, graceMs),
    };
  }

  /** A client on `hostname`, with one connection for all its requests. */
  client(hostname: string): HttpClientPort {
    const remote = { hostname, port: this.#nextPort() };
    return {
      fetch: (request) => this.#fetch(remote, request),
      close: () => {},
    };
  }

  /** Makes requests to `hostname:port` fail until healed. */
  cut(address: string): void {
    this.#cutOff.add(address);
  }

  heal(address: string): void {
    this.#cutOff.delete(address);
  }

  #fetch(remote: RemoteAddress, request: Request): Promise<Response> {
    const host = hostOf(request);
    const service = this.#services.get(host);
    if (service === undefined || this.#cutOff.has(host)) {
      return Promise.reject(new TypeError(`no answer from ${host}`));
    }
    const answer = this.#answer(service, remote, request);
    const running = answer.then(({ ended }) => ended, () => {});
    service.running.add(running);
    void running.then(() => service.running.delete(running));
    return answer.then(({ response }) => response);
  }

  async #answer(service: Service, remote: RemoteAddress, request: Request) {
    const cut = AbortSignal.any([service.cut.signal, request.signal]);
    let response: Response;
    try {
      response = await orAborted(
        Promise.resolve(service.handler(request, remote)),
        cut,
      );
    } catch (error) {
      if (cut.aborted) throw error;
      response = new Response("Internal error", { status: 500 });
    }
    const { body, status, headers } = response;
    if (body === null) return { response, ended: Promise.resolve() };
    const { readable, writable } = new TransformStream();
    const ended = body.pipeTo(writable, { signal: cut }).catch(() => {});
    return { response: new Response(readable, { status, headers }), ended };
  }

  async #shutdown(
    key: string,
    service: Service,
    graceMs: number,
  ): Promise<void> {
    if (this.#services.get(key) === service) this.#services.delete(key);
    const lost = new TypeError("the connection was cut");
    const timer = this.#clock.after(graceMs, () => service.cut.abort(lost));
    await Promise.all(service.running);
    timer.cancel();
  }

  #nextPort(): number {
    this.#port += 1;
    return this.#port;
  }
}

function hostOf(request: Request): string {
  const { hostname, port, protocol } = new URL(request.url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", stop));
  });
}
