import { present } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { HttpClientPort } from "../io/http.ts";
import type { Net } from "../io/net.ts";
import type { Random } from "../io/random.ts";
import {
  type ClientMetadata,
  decodeReadReply,
  decodeWriteReply,
  encodeReadRequest,
  encodeWriteRequest,
  KvConnectClient,
} from "../kvconnect/client.ts";
import { Latencies } from "./latency.ts";
import type { Client } from "./load.ts";
import { RawHttp, RawRequests } from "./raw_http.ts";

/** Keys are drawn from this many: larger than any cache of the store. */
export const BENCH_KEYS = 1_000_000;

/** The world as a bench needs it. */
export interface BenchPorts {
  readonly net: Pick<Net, "connect">;
  readonly http: Pick<HttpClientPort, "fetch">;
  readonly clock: Clock;
  readonly random: Random;
}

/** A KV Connect server under test. */
export interface BenchTarget {
  /** As for Deno.openKv. */
  readonly url: string;
  readonly accessToken: string;
  readonly valueBytes: number;
}

export type Consistency = "strong" | "eventual";

/** Key parts of bench record `number`: `["bench", "user0000042"]`. */
export function benchKeyText(number: number): string {
  return `user${String(number).padStart(7, "0")}`;
}

const KEY_PREFIX = concatBytes(new Uint8Array([2]), utf8("bench"));
const PART_END = new Uint8Array([0]);
const STRING_TAG = new Uint8Array([2]);

/** The same as KV Connect bytes. Source: kvconnect.md §3.1. */
export function benchKey(number: number): Bytes {
  const text = utf8(benchKeyText(number));
  return concatBytes(KEY_PREFIX, PART_END, STRING_TAG, text, PART_END);
}

/** Opens connections that write or read one bench record per request. */
export class KvTarget {
  readonly #ports: BenchPorts;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #endpoint: Endpoint;
  readonly #eventual: Endpoint | null;
  readonly #valueBytes: number;

  private constructor(
    ports: BenchPorts,
    metadata: ClientMetadata,
    options: {
      readonly eventual: string | null;
      readonly valueBytes: number;
    },
  ) {
    const { eventual, valueBytes } = options;
    this.#ports = ports;
    this.#headers = {
      authorization: `Bearer ${metadata.token}`,
      "content-type": "application/x-protobuf",
      "x-denokv-version": "3",
      "x-denokv-database-id": metadata.databaseId,
    };
    this.#endpoint = endpointOf(metadata.endpoint);
    this.#eventual = eventual === null ? null : endpointOf(eventual);
    this.#valueBytes = valueBytes;
  }

  /** @throws {NodeError} What the metadata exchange refuses. */
  static async open(ports: BenchPorts, target: BenchTarget): Promise<KvTarget> {
    const client = new KvConnectClient({ ...target, ...ports });
    const metadata = await client.metadata();
    const eventual = await eventualEndpoint(ports.http, target);
    const { valueBytes } = target;
    return new KvTarget(ports, metadata, { eventual, valueBytes });
  }

  /** Whether the server tells clients where to read eventually. */
  get hasEventualReads(): boolean {
    return this.#eventual !== null;
  }

  /** Each request sets one random record to the same bytes. */
  writer(): Promise<Client> {
    const { random } = this.#ports;
    const data = random.bytes(this.#valueBytes);
    return this.#client(this.#endpoint, "atomic_write", () => {
      const key = benchKey(random.below(BENCH_KEYS));
      const value = { data, encoding: 3 } as const;
      const change = { kind: "set", key, value, expireAtMs: 0 } as const;
      return encodeWriteRequest({ checks: [], changes: [change] });
    }, (body) => {
      if (decodeWriteReply(body).kind !== "committed") {
        throw new Error("a plain set did not commit");
      }
    });
  }

  /** Each request reads one random record of the first `records`. */
  reader(records: number, consistency: Consistency): Promise<Client> {
    const { random } = this.#ports;
    const endpoint = consistency === "strong"
      ? this.#endpoint
      : present(this.#eventual, "an endpoint for eventual reads");
    return this.#client(endpoint, "snapshot_read", () => {
      const start = benchKey(random.below(records));
      const end = concatBytes(start, PART_END);
      return encodeReadRequest([{ start, end, limit: 1, reverse: false }]);
    }, (body) => {
      if (decodeReadReply(body)[0]?.length !== 1) {
        throw new Error("a loaded record was not found");
      }
    });
  }

  /** Sets records 0 until `records`, a hundred to a write; times each write. */
  async load(records: number): Promise<Latencies> {
    const { clock, random } = this.#ports;
    const latencies = new Latencies();
    const data = random.bytes(this.#valueBytes);
    const value = { data, encoding: 3 } as const;
    const requests = this.#requests(this.#endpoint, "atomic_write");
    const http = await this.#connect(this.#endpoint);
    try {
      for (let from = 0; from < records; from += 100) {
        const numbers = Math.min(100, records - from);
        const changes = Array.from({ length: numbers }, (_, i) => ({
          kind: "set" as const,
          key: benchKey(from + i),
          value,
          expireAtMs: 0,
        }));
        const body = encodeWriteRequest({ checks: [], changes });
        const sentMs = clock.monotonicMs();
        await http.exchange(requests.prepare(body));
        latencies.add(clock.monotonicMs() - sentMs);
      }
    } finally {
      http.close();
    }
    return latencies;
  }

  async #client(
    endpoint: Endpoint,
    method: string,
    body: () => Bytes,
    check: (body: Bytes) => void,
  ): Promise<Client> {
    const requests = this.#requests(endpoint, method);
    const http = await this.#connect(endpoint);
    return {
      send: async () => check(await http.exchange(requests.prepare(body()))),
      close: () => http.close(),
    };
  }

  #requests({ path }: Endpoint, method: string): RawRequests {
    const headers = this.#headers;
    return new RawRequests({ path: `${path}/${method}`, headers });
  }

  #connect({ hostname, port }: Endpoint): Promise<RawHttp> {
    return RawHttp.connect({ net: this.#ports.net, hostname, port });
  }
}

interface Endpoint {
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
}

function endpointOf(text: string): Endpoint {
  const { hostname, port, pathname } = new URL(text);
  return { hostname, port: Number(port || 80), path: pathname };
}

/** The endpoint that only @deno/kv looks for; `null` when there is none. */
async function eventualEndpoint(
  http: Pick<HttpClientPort, "fetch">,
  { url, accessToken }: BenchTarget,
): Promise<string | null> {
  const request = new Request(url, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
    body: '{"supportedVersions":[3]}',
  });
  const metadata: {
    readonly endpoints: readonly {
      readonly url: string;
      readonly consistency: Consistency;
    }[];
  } = await (await http.fetch(request)).json();
  const found = metadata.endpoints.find(({ consistency }) =>
    consistency === "eventual"
  );
  return found === undefined
    ? null
    : new URL(found.url, url).href.replace(/\/$/, "");
}
