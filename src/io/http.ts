/** Where a request came from; the port tells connections of one host apart. */
export interface RemoteAddress {
  readonly hostname: string;
  readonly port: number;
}

export type HttpHandler = (
  request: Request,
  remote: RemoteAddress,
) => Response | Promise<Response>;

export interface HttpServeOptions {
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** PEM texts; without them the listener speaks cleartext. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Serves HTTP/1.1 and HTTP/2 (also cleartext, by prior knowledge) on a port. */
export interface HttpServerPort {
  /** @throws {ListenError} When the address cannot be bound. */
  serve(options: HttpServeOptions, handler: HttpHandler): Promise<HttpListener>;
}

export interface HttpListener {
  readonly address: RemoteAddress;
  /**
   * Stops accepting, lets running requests end, and cuts what is left after
   * `graceMs`.
   */
  shutdown(graceMs: number): Promise<void>;
}

/** Client side of HTTP. */
export interface HttpClientPort {
  /** @throws {TypeError} When no answer comes, as the platform's fetch. */
  fetch(request: Request): Promise<Response>;
  close(): void;
}
