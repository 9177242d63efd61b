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
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface NetConnectOptions {
  readonly hostname: string;
  readonly port: number;
  /** `ca` is PEM; the name of the dialled side is always verified. */
  readonly tls?: { readonly ca?: string };
}

export interface NetListener {
  readonly address: RemoteAddress;
  /** The next connection; `null` once closed. */
  accept(): Promise<NetConnection | null>;
  close(): void;
}

export interface NetConnection {
  readonly remote: RemoteAddress;
  /** The next bytes, at least one; `null` at the end of the stream. */
  read(): Promise<Bytes | null>;
  /** Resolves when the system took all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}
