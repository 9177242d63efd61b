import { type Bytes, concatBytes, EMPTY_BYTES } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { HttpClientPort } from "../io/http.ts";
import type { ReadEntry, ReadRange } from "../node/port.ts";
import {
  type ClientWrite,
  type ClientWriteReply,
  decodeReadReply,
  decodeWatchMessage,
  decodeWriteReply,
  encodeReadRequest,
  encodeWatchRequest,
  encodeWriteRequest,
  type WatchedEntry,
} from "./client_codec.ts";
import {
  ReplyMalformedError,
  ServerRefusedError,
  ServerUnreachableError,
} from "./errors.ts";
import { LONG_BOUNDS_HEADER, READ_KEY_BYTES_MAX } from "./limits.ts";
import type { DataMethod } from "./route.ts";

export {
  type ClientWrite,
  type ClientWriteReply,
  decodeReadReply,
  decodeWriteReply,
  encodeReadRequest,
  encodeWriteRequest,
  type WatchedEntry,
} from "./client_codec.ts";

const FRAME_HEAD_BYTES = 4;
/** Upstream's clients give up above 16 MiB. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

export interface ClientOptions {
  /** As for Deno.openKv: `http://host:port` or with `/db/NAME`. */
  readonly url: string;
  readonly accessToken: string;
  readonly http: Pick<HttpClientPort, "fetch">;
  readonly clock: Clock;
}

/** What a metadata exchange gave. */
export interface ClientMetadata {
  readonly databaseId: string;
  /** Absolute, without a slash at the end. */
  readonly endpoint: string;
  readonly token: string;
  /** Unix ms by the server's clock. */
  readonly expiresAtMs: number;
}

/**
 * A KV Connect client for one database: keys and values stay bytes.
 *
 * It fetches metadata when it needs some, and once more after a 401 or 403;
 * nothing else is repeated: the caller knows what may be done twice.
 */
export class KvConnectClient {
  readonly #options: ClientOptions;
  #metadata: Promise<ClientMetadata> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** @throws {NodeError} ServerUnreachable, ServerRefused, ReplyMalformed. */
  async metadata(): Promise<ClientMetadata> {
    const known = await this.#metadata;
    if (known !== null && this.#options.clock.wallMs() < known.expiresAtMs) {
      return known;
    }
    return await this.#refresh();
  }

  /** Reads all ranges from one state. @throws {NodeError} As `metadata`. */
  async snapshotRead(
    ranges: readonly ReadRange[],
  ): Promise<readonly (readonly ReadEntry[])[]> {
    const isLong = ranges.some(({ start, end }) =>
      Math.max(start.length, end.length) > READ_KEY_BYTES_MAX
    );
    const headers = isLong ? { [LONG_BOUNDS_HEADER]: "1" } : {};
    return decodeReadReply(
      await this.post("snapshot_read", encodeReadRequest(ranges), headers),
    );
  }

  /** @throws {NodeError} As `metadata`; ServerRefused for a rejected write. */
  async atomicWrite(write: ClientWrite): Promise<ClientWriteReply> {
    return decodeWriteReply(
      await this.post("atomic_write", encodeWriteRequest(write)),
    );
  }

  /**
   * Yields a list of one item per key: first all, then at each change. Ends
   * when the server ends the stream or `signal` aborts.
   *
   * @throws {NodeError} As `metadata`.
   */
  async *watch(
    keys: readonly Uint8Array[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly WatchedEntry[], void> {
    const response = await this.#send(
      "watch",
      encodeWatchRequest(keys),
      {},
      signal,
    );
    if (response.body === null) return;
    try {
      for await (const message of watchMessages(response.body)) {
        yield decodeWatchMessage(message);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Sends a prepared body and returns the reply's. @throws As `metadata`. */
  async post(
    method: DataMethod,
    body: Bytes,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Bytes> {
    const response = await this.#send(method, body, headers, null);
    return new Uint8Array(await response.arrayBuffer());
  }

  async #send(
    method: DataMethod,
    body: Bytes,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | null,
  ): Promise<Response> {
    for (let attempt = 0;; attempt += 1) {
      const metadata = await this.metadata();
      const response = await this.#fetch(
        new Request(`${metadata.endpoint}/${method}`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${metadata.token}`,
            "content-type": "application/x-protobuf",
            "x-denokv-version": "3",
            "x-denokv-database-id": metadata.databaseId,
            ...headers,
          },
          body,
          signal,
        }),
      );
      if (response.status === 200) return response;
      const reason = await response.text();
      const isMoved = response.status === 401 || response.status === 403;
      if (!isMoved || attempt > 0) {
        throw new ServerRefusedError(response.status, reason);
      }
      this.#metadata = null;
    }
  }

  #refresh(): Promise<ClientMetadata> {
    const fresh = this.#exchange();
    this.#metadata = fresh;
    fresh.catch(() => {
      if (this.#metadata === fresh) this.#metadata = null;
    });
    return fresh;
  }

  async #exchange(): Promise<ClientMetadata> {
    const { url, accessToken } = this.#options;
    const response = await this.#fetch(
      new Request(url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${accessToken}`,
          "content-type": "application/json",
        },
        body: '{"supportedVersions":[3]}',
      }),
    );
    if (response.status !== 200) {
      throw new ServerRefusedError(response.status, await response.text());
    }
    return metadataOf(await response.text(), url);
  }

  async #fetch(request: Request): Promise<Response> {
    try {
      return await this.#options.http.fetch(request);
    } catch (cause) {
      throw new ServerUnreachableError(new URL(request.url).origin, { cause });
    }
  }
}

/** @throws {ReplyMalformedError} */
function metadataOf(text: string, url: string): ClientMetadata {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new ReplyMalformedError("JSON", { cause });
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new ReplyMalformedError("metadata");
  }
  const fields: Partial<Record<string, unknown>> = { ...parsed };
  const { databaseId, token, expiresAt, endpoints } = fields;
  const strong = Array.isArray(endpoints)
    ? endpoints.find((endpoint) => endpoint?.consistency === "strong")
    : undefined;
  if (
    typeof databaseId !== "string" || typeof token !== "string" ||
    typeof expiresAt !== "string" || typeof strong?.url !== "string"
  ) {
    throw new ReplyMalformedError("metadata with a strong endpoint");
  }
  return {
    databaseId,
    token,
    endpoint: new URL(strong.url, url).href.replace(/\/$/, ""),
    expiresAtMs: Date.parse(expiresAt),
  };
}

/** Cuts a stream into messages; empty ones (keep-alive) are left out. */
async function* watchMessages(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let rest: Uint8Array = EMPTY_BYTES;
  for await (const chunk of body) {
    rest = rest.length === 0 ? chunk : concatBytes(rest, chunk);
    for (;;) {
      if (rest.length < FRAME_HEAD_BYTES) break;
      const head = new DataView(rest.buffer, rest.byteOffset, rest.length);
      const length = head.getUint32(0, true);
      if (length > FRAME_BYTES_MAX) {
        throw new ReplyMalformedError("watch frames");
      }
      const until = FRAME_HEAD_BYTES + length;
      if (rest.length < until) break;
      if (length > 0) yield rest.subarray(FRAME_HEAD_BYTES, until);
      rest = rest.subarray(until);
    }
  }
}
