import type { Bytes } from "../base/bytes.ts";
import type { RemoteAddress } from "./http.ts";

/** Byte streams between members: TCP, with TLS where configured. */
export interface Net {
  /** @throws {ListenError} */
  listen(options: NetListenOptions): Promise<NetListener>;
  /** @throws {ConnectError} */
  connect(options: NetConnectOptions): Promise<NetConnection>;
}

export interface NetListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    /** PEM: only clients whose certificate it signed are let in. */
    readonly clientCa?: string;
  };
}

export interface NetConnectOptions {
  readonly hostname: string;
  readonly port: number;
  /** Gives up, also amid the handshake of TLS. */
  readonly signal?: AbortSignal;
  /**
   * All are PEM. The name of the dialled side is always verified: `serverName`
   * or else `hostname`. `cert` and `key` are for sides that demand them.
   */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
}

export interface NetListener {
  readonly address: RemoteAddress;
  /** The next connection; `null` once closed. @throws {ListenError} */
  accept(): Promise<NetConnection | null>;
  close(): void;
}

export interface NetConnection {
  readonly remote: RemoteAddress;
  /**
   * The next bytes, at least one; `null` at the end of the stream and after
   * `close`.
   *
   * @throws {ConnectionLostError}
   */
  read(): Promise<Bytes | null>;
  /**
   * Resolves when the system took all of `bytes`; do not change them until
   * then, and do not write again before.
   *
   * @throws {ConnectionLostError}
   */
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}
