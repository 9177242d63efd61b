import { unreachable } from "../base/assert.ts";
import { NodeError } from "../base/error.ts";
import type { MetricRegistry } from "../base/metrics.ts";
import type { Clock } from "../io/clock.ts";
import type { HttpHandler, RemoteAddress } from "../io/http.ts";
import type { EventLog } from "../io/log.ts";
import type { NodePort } from "../node/port.ts";
import { Auth, type Grant } from "./auth.ts";
import { readBody } from "./body.ts";
import { Databases } from "./databases.ts";
import {
  DatabaseMismatchError,
  PathUnknownError,
  RequestInvalidError,
} from "./errors.ts";
import { healthReply, metricsReply, readyReply } from "./health.ts";
import { HTTP_STATUS } from "./http_status.ts";
import {
  BODY_BYTES_MAX,
  LONG_BOUNDS_HEADER,
  LONG_READ_KEY_BYTES_MAX,
  READ_KEY_BYTES_MAX,
} from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { parseSnapshotRead } from "./parse_read.ts";
import { parseWatch } from "./parse_watch.ts";
import { Reads } from "./read.ts";
import { textReply, watchReply } from "./replies.ts";
import { RequestMetrics } from "./request_metrics.ts";
import { pathOf, type Route, routeOf } from "./route.ts";
import type { TokenSigner } from "./token_signer.ts";
import { Watches } from "./watches.ts";
import { answerWrite } from "./write.ts";

type DataRoute = Extract<Route, { readonly kind: "data" }>;

export interface KvConnectOptions {
  readonly node: NodePort;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly metrics: MetricRegistry;
  /**
   * Precedes endpoint paths in metadata, such as "https://kv.example:4512",
   * for clients that do not resolve them; default "".
   */
  readonly endpointBase?: string;
  /** Called with what only a bug throws, after it was logged. */
  readonly onFault?: (error: unknown) => void;
}

/** The data plane over HTTP: KV Connect, health and metrics. */
export class KvConnectServer {
  readonly #node: NodePort;
  readonly #clock: Clock;
  readonly #options: KvConnectOptions;
  readonly #auth: Auth;
  readonly #metadata: Metadata;
  readonly #reads: Reads;
  readonly #watches: Watches;
  readonly #requests: RequestMetrics;
  #faults = 0;
  #stopped = false;

  constructor(options: KvConnectOptions) {
    const { node, signer, clock, metrics } = options;
    const databases = new Databases(signer, () => node.clusterId());
    this.#options = options;
    this.#node = node;
    this.#clock = clock;
    this.#auth = new Auth({ signer, databases, clock });
    this.#metadata = new Metadata({
      auth: this.#auth,
      databases,
      clock,
      endpointBase: options.endpointBase ?? "",
    });
    this.#reads = new Reads(node, clock);
    this.#watches = new Watches({
      node,
      clock,
      onFault: (error) => this.#onFault(error),
    });
    this.#requests = new RequestMetrics(metrics);
    metrics.read({
      kind: "gauge",
      name: "sealkv_kvconnect_watches",
      help: "Open watch streams",
      read: () => this.#watches.count,
    });
    metrics.read({
      kind: "gauge",
      name: "sealkv_kvconnect_read_entries",
      help: "Entries that large reads in progress may hold",
      read: () => this.#reads.entriesHeld,
    });
  }

  /** Answers one request; never rejects and never answers 500. */
  readonly handle: HttpHandler = (request, remote) => {
    const route = routeOf(pathOf(request.url));
    if (route === null) return this.#refuse(new PathUnknownError());
    const isPost = request.method === "POST";
    switch (route.kind) {
      case "data":
        if (isPost) return this.#data(request, remote, route);
        break;
      case "metadata":
        if (isPost) return this.#exchange(request, remote, route.database);
        break;
      default:
        if (request.method === "GET") return this.#health(route.kind);
    }
    return this.#refuse(new PathUnknownError());
  };

  /** Ends watches and turns unready; other calls go on until the listener ends. */
  stop(): void {
    this.#stopped = true;
    this.#watches.stop();
  }

  async #data(
    request: Request,
    remote: RemoteAddress,
    route: DataRoute,
  ): Promise<Response> {
    const startedMs = this.#clock.monotonicMs();
    let response: Response;
    try {
      const header = request.headers.get("authorization");
      const grant = this.#auth.known(header, route.database) ??
        await this.#auth.verify(header, route.database);
      checkHead(request.headers, grant);
      response = await this.#call(request, remote, route);
    } catch (error) {
      response = this.#refuse(error);
    }
    this.#requests.onReply(
      route.method,
      response.status,
      this.#clock.monotonicMs() - startedMs,
    );
    return response;
  }

  async #call(
    request: Request,
    remote: RemoteAddress,
    { database, method }: DataRoute,
  ): Promise<Response> {
    const body = await readBody(request, BODY_BYTES_MAX);
    switch (method) {
      case "atomic_write":
        return await answerWrite(this.#node, database, body);
      case "snapshot_read": {
        const ranges = parseSnapshotRead(body, readKeyBytesMax(request));
        return await this.#reads.answer(database, ranges);
      }
      case "watch": {
        const keys = parseWatch(body);
        const target = { database, keys };
        return watchReply(
          await this.#watches.open(target, remote),
        );
      }
      default:
        unreachable(method);
    }
  }

  async #exchange(
    request: Request,
    remote: RemoteAddress,
    database: string,
  ): Promise<Response> {
    let response: Response;
    try {
      response = await this.#metadata.answer(request, remote, database);
    } catch (error) {
      response = this.#refuse(error);
    }
    this.#requests.onExchange(response.status);
    return response;
  }

  #health(kind: "healthz" | "readyz" | "metrics"): Response {
    switch (kind) {
      case "healthz":
        return healthReply();
      case "readyz":
        return readyReply(!this.#stopped && this.#node.status().ready);
      case "metrics":
        return metricsReply(this.#options.metrics);
      default:
        unreachable(kind);
    }
  }

  #refuse(error: unknown): Response {
    if (error instanceof NodeError) {
      this.#requests.onError(error.code);
      return textReply(HTTP_STATUS[error.code], error.message);
    }
    const reference = this.#onFault(error);
    return textReply(
      400,
      `Internal fault: tell the operator the reference ${reference}`,
    );
  }

  /** A bug of ours: a retry meets it again, so clients must not retry. */
  #onFault(error: unknown): string {
    this.#faults += 1;
    const reference = `${this.#node.status().node}-${this.#faults}`;
    this.#requests.onError("fault");
    this.#options.log.write("error", "kvconnect_fault", {
      reference,
      error: error instanceof Error ? error.stack ?? error.message : "unknown",
    });
    this.#options.onFault?.(error);
    return reference;
  }
}

/** @throws {NodeError} RequestInvalid, DatabaseMismatch. */
function checkHead(headers: Headers, grant: Grant): void {
  const version = headers.get("x-denokv-version");
  if (version !== "3" && version !== "2") {
    throw new RequestInvalidError(
      "Invalid x-denokv-version header: this server speaks 2 and 3",
    );
  }
  if (headers.get("x-denokv-database-id") !== grant.database.uuid) {
    throw new DatabaseMismatchError();
  }
}

function readKeyBytesMax(request: Request): number {
  return request.headers.has(LONG_BOUNDS_HEADER)
    ? LONG_READ_KEY_BYTES_MAX
    : READ_KEY_BYTES_MAX;
}
