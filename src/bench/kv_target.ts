import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { Clock } from "../io/clock.ts";
import type { HttpClientPort } from "../io/http.ts";
import type { Net } from "../io/net.ts";
import type { Random } from "../io/random.ts";
import {
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
export const BENCH_VALUE_BYTES = 256;

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
}

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
  readonly #requests: {
    readonly read: RawRequests;
    readonly write: RawRequests;
  };
  readonly #address: { readonly hostname: string; readonly port: number };

  private constructor(ports: BenchPorts, endpoint: URL, headers: Headers) {
    this.#ports = ports;
    this.#address = {
      hostname: endpoint.hostname,
      port: Number(endpoint.port || 80),
    };
    const base = endpoint.pathname;
    const given = Object.fromEntries(headers);
    const requests = (method: string) =>
      new RawRequests({ path: `${base}/${method}`, headers: given });
    this.#requests = {
      read: requests("snapshot_read"),
      write: requests("atomic_write"),
    };
  }

  /** @throws {NodeError} What the metadata exchange refuses. */
  static async open(ports: BenchPorts, target: BenchTarget): Promise<KvTarget> {
    const client = new KvConnectClient({ ...target, ...ports });
    const { endpoint, token, databaseId } = await client.metadata();
    const headers = new Headers({
      authorization: `Bearer ${token}`,
      "content-type": "application/x-protobuf",
      "x-denokv-version": "3",
      "x-denokv-database-id": databaseId,
    });
    return new KvTarget(ports, new URL(endpoint), headers);
  }

  /** Each request sets one random record to fresh bytes. */
  writer(): Promise<Client> {
    const { random } = this.#ports;
    const data = random.bytes(BENCH_VALUE_BYTES);
    return this.#client(this.#requests.write, () => {
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
  reader(records: number): Promise<Client> {
    const { random } = this.#ports;
    return this.#client(this.#requests.read, () => {
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
    const data = random.bytes(BENCH_VALUE_BYTES);
    const value = { data, encoding: 3 } as const;
    const http = await RawHttp.connect({ ...this.#ports, ...this.#address });
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
        await http.exchange(this.#requests.write.prepare(body));
        latencies.add(clock.monotonicMs() - sentMs);
      }
    } finally {
      http.close();
    }
    return latencies;
  }

  async #client(
    requests: RawRequests,
    body: () => Bytes,
    check: (body: Bytes) => void,
  ): Promise<Client> {
    const http = await RawHttp.connect({ ...this.#ports, ...this.#address });
    return {
      send: async () => check(await http.exchange(requests.prepare(body()))),
      close: () => http.close(),
    };
  }
}
