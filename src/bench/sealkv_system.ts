import { present } from "../base/assert.ts";
import {
  type BenchPorts,
  type BenchTarget,
  type Consistency,
  KvTarget,
} from "./kv_target.ts";
import type { Client } from "./load.ts";
import { type Contender, loadHere, type SelfMeter } from "./rounds.ts";
import {
  type MetricNames,
  readCounters,
  type ServerProcesses,
} from "./servers.ts";
import { type ClusterSystem, QUESTIONS_OF } from "./system.ts";

export interface SealkvOptions {
  readonly ports: BenchPorts;
  readonly self: SelfMeter;
  /** One for each member. */
  readonly targets: readonly BenchTarget[];
  /** Position of the leader among `targets`; asked before each run. */
  readonly leader: () => Promise<number>;
  readonly processes: ServerProcesses | null;
}

const METRICS: MetricNames = {
  syncs: "sealkv_wal_syncs_total",
  logBytes: "sealkv_wal_bytes_total",
  peerBytes: "sealkv_transport_bytes_sent_total",
};

type Connect = (client: number) => Promise<Client>;

/** A node or a cluster of this program. */
export class SealkvSystem implements ClusterSystem {
  readonly remarks: readonly string[];
  readonly #options: SealkvOptions;
  readonly #members: readonly KvTarget[];

  private constructor(options: SealkvOptions, members: readonly KvTarget[]) {
    this.#options = options;
    this.#members = members;
    this.remarks = members.length > 1 && !members[0]?.hasEventualReads
      ? ["sealkv names no endpoint for eventual reads: they are left out"]
      : [];
  }

  /** @throws {NodeError} What a metadata exchange refuses. */
  static async open(options: SealkvOptions): Promise<SealkvSystem> {
    const { ports, targets } = options;
    const members = await Promise.all(
      targets.map((target) => KvTarget.open(ports, target)),
    );
    return new SealkvSystem(options, members);
  }

  async load(records: number): Promise<void> {
    await this.#member(await this.#options.leader()).load(records);
  }

  writer(member: number): Promise<Client> {
    return this.#member(member).writer();
  }

  writers(): readonly Contender[] {
    const question = QUESTIONS_OF.set(this.#valueBytes);
    const count = this.#members.length;
    if (count === 1) {
      return [
        this.#contender(question, "sealkv", async () => () => this.writer(0)),
      ];
    }
    return [
      this.#contender(question, "sealkv, leader", async () => {
        const leader = await this.#options.leader();
        return () => this.writer(leader);
      }),
      this.#contender(
        question,
        "sealkv, spread",
        async () => (client) => this.writer(client % count),
      ),
    ];
  }

  readers(records: number): readonly Contender[] {
    const at = (
      consistency: Consistency,
      system: string,
      member: (leader: number) => number,
    ) =>
      this.#contender(
        QUESTIONS_OF[consistency](this.#valueBytes),
        system,
        async () => {
          const reader = this.#member(member(await this.#options.leader()));
          return () => reader.reader(records, consistency);
        },
      );
    const count = this.#members.length;
    if (count === 1) return [at("strong", "sealkv", (leader) => leader)];
    const follower = (leader: number) => (leader + 1) % count;
    const strong = [
      at("strong", "sealkv, leader", (leader) => leader),
      at("strong", "sealkv, follower", follower),
    ];
    return this.#members[0]?.hasEventualReads
      ? [...strong, at("eventual", "sealkv, follower", follower)]
      : strong;
  }

  get #valueBytes(): number {
    return this.#options.targets[0]?.valueBytes ?? 0;
  }

  #member(position: number): KvTarget {
    return present(this.#members[position], "the member");
  }

  /** `plan` is asked before each run: leaders move. */
  #contender(
    question: string,
    system: string,
    plan: () => Promise<Connect>,
  ): Contender {
    const { ports, self, targets, processes } = this.#options;
    const pages = targets.map(({ url }) => new URL("/metrics", url).href);
    return {
      isOurs: true,
      system,
      question,
      run: async (shape) => await loadHere(self, await plan())(shape),
      counters: () =>
        readCounters({ http: ports.http, pages, names: METRICS, processes }),
    };
  }
}
