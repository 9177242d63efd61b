import { present } from "../base/assert.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import {
  encodePut,
  encodePutAll,
  encodeRange,
  ETCD_METHODS,
} from "./etcd_codec.ts";
import {
  BENCH_KEYS,
  benchKeyText,
  type BenchPorts,
  type Consistency,
} from "./kv_target.ts";
import type { Client } from "./load.ts";
import { RawGrpc } from "./raw_grpc.ts";
import { type Contender, loadHere, type SelfMeter } from "./rounds.ts";
import {
  type MetricNames,
  readCounters,
  type ServerProcesses,
} from "./servers.ts";
import {
  type ClusterSystem,
  type ForeignLoad,
  QUESTIONS_OF,
} from "./system.ts";

export interface EtcdOptions {
  readonly ports: BenchPorts;
  readonly self: SelfMeter;
  /** HOST:PORT of the client listener of each member. */
  readonly members: readonly string[];
  /** Position of the leader among `members`; asked before each run. */
  readonly leader: () => Promise<number>;
  readonly processes: ServerProcesses | null;
  readonly valueBytes: number;
  readonly version: string;
  /** The same puts through npm etcd3; `null` to leave them out. */
  readonly etcd3: ForeignLoad | null;
}

const METRICS: MetricNames = {
  syncs: "etcd_disk_wal_fsync_duration_seconds_count",
  logBytes: "etcd_disk_wal_write_bytes_total",
  peerBytes: "etcd_network_peer_sent_bytes_total",
};

/**
 * Calls that share a connection: etcd is fastest with few, since it answers
 * those of one connection together.
 */
const CALLS_PER_CONNECTION = 256;
/** etcd takes up to 128 operations in a transaction. */
const TXN_PUTS = 100;

type Plan = (leader: number) => {
  readonly member: (client: number) => number;
  readonly path: string;
  readonly message: () => Bytes;
  readonly replyBytesMin: number;
};

/** A member or a cluster of etcd 3.4 or later. */
export class EtcdSystem implements ClusterSystem {
  readonly remarks: readonly string[];
  readonly #options: EtcdOptions;
  readonly #value: Bytes;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#value = options.ports.random.bytes(options.valueBytes);
    const etcd3 = options.etcd3 === null
      ? "etcd3 is left out: Deno 2.9 or later carries it"
      : "etcd3: the npm client in a process of its own, at the leader";
    this.remarks = [
      `etcd ${options.version} as installed. etcd raw: gRPC from the load ` +
      `generator that asks sealkv; ${etcd3}`,
    ];
  }

  async writer(member: number): Promise<Client> {
    const grpc = await this.#connect(member, ETCD_METHODS.put);
    return {
      send: async () => {
        await grpc.call(this.#put());
      },
      close: () => grpc.close(),
    };
  }

  async load(records: number): Promise<void> {
    const member = await this.#options.leader();
    const grpc = await this.#connect(member, ETCD_METHODS.txn);
    try {
      for (let from = 0; from < records; from += TXN_PUTS) {
        const count = Math.min(TXN_PUTS, records - from);
        const puts = Array.from(
          { length: count },
          (_, i) => encodePut(keyOf(from + i), this.#value),
        );
        await grpc.call(encodePutAll(puts));
      }
    } finally {
      grpc.close();
    }
  }

  writers(): readonly Contender[] {
    const { members, etcd3 } = this.#options;
    const question = QUESTIONS_OF.set(this.#value.length);
    const put = (member: (leader: number, client: number) => number): Plan =>
    (
      leader,
    ) => ({
      member: (client) => member(leader, client),
      path: ETCD_METHODS.put,
      message: () => this.#put(),
      replyBytesMin: 1,
    });
    const raw = this.#isCluster
      ? [
        this.#raw(question, "etcd raw, leader", put((leader) => leader)),
        this.#raw(
          question,
          "etcd raw, spread",
          put((_, client) => client % members.length),
        ),
      ]
      : [this.#raw(question, "etcd raw", put((leader) => leader))];
    if (etcd3 === null) return raw;
    const run: Contender["run"] = async (shape) =>
      await etcd3(this.#address(await this.#options.leader()), shape);
    return [...raw, this.#contender(question, "etcd3", run)];
  }

  readers(records: number): readonly Contender[] {
    const { members, ports } = this.#options;
    const at = (
      consistency: Consistency,
      system: string,
      member: (leader: number) => number,
    ) =>
      this.#raw(
        QUESTIONS_OF[consistency](this.#value.length),
        system,
        (leader) => ({
          member: () => member(leader),
          path: ETCD_METHODS.range,
          message: () =>
            encodeRange(
              keyOf(ports.random.below(records)),
              consistency === "eventual",
            ),
          replyBytesMin: this.#value.length,
        }),
      );
    if (!this.#isCluster) {
      return [at("strong", "etcd raw", (leader) => leader)];
    }
    const follower = (leader: number) => (leader + 1) % members.length;
    return [
      at("strong", "etcd raw, leader", (leader) => leader),
      at("strong", "etcd raw, follower", follower),
      at("eventual", "etcd raw, follower", follower),
    ];
  }

  #put(): Bytes {
    const number = this.#options.ports.random.below(BENCH_KEYS);
    return encodePut(keyOf(number), this.#value);
  }

  get #isCluster(): boolean {
    return this.#options.members.length > 1;
  }

  #address(member: number): string {
    return present(this.#options.members[member], "the member");
  }

  #connect(member: number, path: string): Promise<RawGrpc> {
    const [hostname = "", port] = this.#address(member).split(":");
    const { net } = this.#options.ports;
    return RawGrpc.connect({ net, hostname, port: Number(port), path });
  }

  #raw(question: string, system: string, plan: Plan): Contender {
    return this.#contender(question, system, async (shape) => {
      const { member, path, message, replyBytesMin } = plan(
        await this.#options.leader(),
      );
      const pool = new ConnectionPool((to) => this.#connect(to, path));
      return await loadHere(
        this.#options.self,
        (client) => pool.client(member(client), message, replyBytesMin),
      )(shape);
    });
  }

  #contender(
    question: string,
    system: string,
    run: Contender["run"],
  ): Contender {
    const { ports, members, processes } = this.#options;
    const pages = members.map((member) => `http://${member}/metrics`);
    return {
      isOurs: false,
      system,
      question,
      run,
      counters: () =>
        readCounters({ http: ports.http, pages, names: METRICS, processes }),
    };
  }
}

/** Connections to each member, shared by CALLS_PER_CONNECTION clients. */
class ConnectionPool {
  readonly #connect: (member: number) => Promise<RawGrpc>;
  readonly #connections = new Map<string, Promise<RawGrpc>>();
  readonly #clients = new Map<number, number>();

  constructor(connect: (member: number) => Promise<RawGrpc>) {
    this.#connect = connect;
  }

  async client(
    member: number,
    message: () => Bytes,
    replyBytesMin: number,
  ): Promise<Client> {
    const position = this.#clients.get(member) ?? 0;
    this.#clients.set(member, position + 1);
    const name = `${member} ${Math.floor(position / CALLS_PER_CONNECTION)}`;
    const connecting = this.#connections.get(name) ?? this.#connect(member);
    this.#connections.set(name, connecting);
    const grpc = await connecting;
    return {
      send: async () => {
        const reply = await grpc.call(message());
        if (reply.length < replyBytesMin) {
          throw new Error("etcd reply too short");
        }
      },
      close: () => grpc.close(),
    };
  }
}

function keyOf(number: number): Bytes {
  return utf8(`bench/${benchKeyText(number)}`);
}
