import { InvariantError } from "../../base/assert.ts";
import { ListenError } from "../errors.ts";
import type {
  HttpClientPort,
  HttpHandler,
  HttpListener,
  HttpServeOptions,
  HttpServerPort,
  RemoteAddress,
} from "../http.ts";

/** HTTP/1.1 and HTTP/2 of `Deno.serve`. */
export function denoHttpServer(): HttpServerPort {
  return { serve };
}

async function serve(
  options: HttpServeOptions,
  handler: HttpHandler,
): Promise<HttpListener> {
  const { hostname, port, tls } = options;
  try {
    return new DenoHttpListener((signal, running) =>
      Deno.serve({
        hostname,
        port,
        ...tls,
        signal,
        onListen: () => {},
        onError,
      }, (request, info) => {
        if (running.isStopping) return stopping();
        running.enter(info.completed);
        return handler(request, info.remoteAddr);
      })
    );
  } catch (cause) {
    throw new ListenError(`${hostname}:${port}`, { cause });
  }
}

/** Requests whose answers are not yet sent. */
class Running {
  isStopping = false;
  #count = 0;
  #onIdle: (() => void) | null = null;
  readonly #leave = () => {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  };

  enter(completed: Promise<void>): void {
    this.#count += 1;
    completed.then(this.#leave, this.#leave);
  }

  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle = resolve);
  }
}

class DenoHttpListener implements HttpListener {
  readonly address: RemoteAddress;
  readonly #running = new Running();
  readonly #cut = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(
    start: (
      signal: AbortSignal,
      running: Running,
    ) => Deno.HttpServer<Deno.NetAddr>,
  ) {
    this.#server = start(this.#cut.signal, this.#running);
    const { hostname, port } = this.#server.addr;
    this.address = { hostname, port };
  }

  /**
   * Deno cannot cut a connection once `HttpServer.shutdown` was called, so this
   * counts requests itself and calls it when none runs.
   */
  async shutdown(graceMs: number): Promise<void> {
    this.#running.isStopping = true;
    const { promise: grace, resolve } = Promise.withResolvers<"over">();
    const timer = setTimeout(() => resolve("over"), graceMs);
    const idle = await Promise.race([grace, this.#running.idle()]);
    if (idle === "over") {
      this.#cut.abort();
      await this.#server.finished;
    } else {
      // What may still hang here is a client amid its request's head.
      await Promise.race([grace, this.#server.shutdown()]);
    }
    clearTimeout(timer);
  }
}

function stopping(): Response {
  const headers = { connection: "close", "retry-after": "1" };
  return new Response("Stopping", { status: 503, headers });
}

/** A broken invariant ends the program; anything else ends one request. */
function onError(error: unknown): Response {
  if (error instanceof InvariantError) reportError(error);
  return new Response("Internal error", { status: 500 });
}

export interface DenoHttpClientOptions {
  /** PEM; besides the authorities this machine trusts. */
  readonly ca?: string;
  /** Speaks HTTP/2 from the first byte, also without TLS. */
  readonly isHttp2Only?: boolean;
}

/** The platform's fetch, with connections of its own. */
export function denoHttpClient(
  options: DenoHttpClientOptions = {},
): HttpClientPort {
  const client = Deno.createHttpClient({
    ...(options.ca === undefined ? {} : { caCerts: [options.ca] }),
    http1: options.isHttp2Only !== true,
    http2: true,
  });
  return {
    fetch: (request) => fetch(request, { client }),
    close: () => client.close(),
  };
}
