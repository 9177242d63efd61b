import type { AdminClient, ChangeOptions } from "../../src/admin/client.ts";
import type { BenchPorts } from "../../src/bench/kv_target.ts";
import type { SelfMeter } from "../../src/bench/rounds.ts";
import { SealkvSystem } from "../../src/bench/sealkv_system.ts";
import { cpuMs } from "../../src/cli/bench_process.ts";
import { BenchSealkv } from "../../src/cli/bench_sealkv.ts";
import type { Services } from "../../src/cli/services.ts";
import { denoNet } from "../../src/io/deno/net.ts";
import { denoRandom } from "../../src/io/deno/random.ts";

const CHANGE_MS_MAX = 30_000;
const TRIES_MAX = 10;
const AGAIN_MS = 500;

type Change = (
  client: AdminClient,
  options: ChangeOptions,
) => Promise<{ readonly index: bigint }>;

/** Steps of the rollout by the names of their commands. */
export const STEPS = {
  "enable-storage-envelope": (client, options) =>
    client.enableStorageEnvelope(options),
  "seal-cleartext": (client, options) => client.sealCleartext(options),
  "enable-raft-envelope": (client, options) =>
    client.enableRaftEnvelope({ ...options, accept: ["unrewritten"] }),
  "scrub": (client, options) => client.scrub([], options),
} as const satisfies Readonly<Record<string, Change>>;
export type Step = keyof typeof STEPS;

/** Three nodes with a KEK, and a bench's ways to ask them. */
export class SealedCluster implements AsyncDisposable {
  readonly nodes: BenchSealkv;
  readonly ports: BenchPorts;
  readonly self: SelfMeter;
  readonly #dir: string;

  private constructor(
    nodes: BenchSealkv,
    { services, dir }: { readonly services: Services; readonly dir: string },
  ) {
    const { clock } = services;
    this.nodes = nodes;
    this.#dir = dir;
    const http = services.httpClient({});
    this.ports = { net: denoNet(), http, clock, random: denoRandom() };
    this.self = { clock, cpuMs: () => cpuMs("self") };
    this.#closeHttp = () => http.close();
  }

  readonly #closeHttp: () => void;

  static async start(services: Services): Promise<SealedCluster> {
    const dir = await Deno.makeTempDir({ prefix: "sealkv-bench-" });
    const kek = `${dir}/kek`;
    await services.generateKek(kek);
    const nodes = await BenchSealkv.start(services, {
      ...{ dir, nodes: 3 },
      serveFlags: [
        ...["--encryption-enabled", "--kek", `file:${kek}`],
        ...["--log-level", "info", "--log-format", "json"],
      ],
    });
    return new SealedCluster(nodes, { services, dir });
  }

  /** Clients that write, or read, values of `valueBytes`. */
  system(valueBytes: number): Promise<SealkvSystem> {
    const { accessToken, addresses, processes } = this.nodes;
    return SealkvSystem.open({
      ...{ ports: this.ports, self: this.self, processes },
      leader: () => this.nodes.leader(),
      targets: addresses.map((address) => ({
        ...{ url: `http://${address}`, accessToken, valueBytes },
      })),
    });
  }

  /** Carries out a step; tried again where a busy machine makes it refuse. */
  async take(step: Step): Promise<void> {
    await this.change(STEPS[step]);
  }

  async change(change: Change): Promise<void> {
    const { cluster } = await this.nodes.ask((client) => client.getStatus());
    // Long ones end when they end.
    const { signal } = new AbortController();
    const options = { confirm: cluster, signal };
    for (let tries = 1;; tries += 1) {
      try {
        await this.nodes.ask(
          (client) => change(client, options),
          CHANGE_MS_MAX,
        );
        return;
      } catch (error) {
        if (tries === TRIES_MAX) throw error;
        await pause(AGAIN_MS);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes.stop();
    this.#closeHttp();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
