import { EtcdSystem } from "../bench/etcd_system.ts";
import { type FailoverCluster, measureFailover } from "../bench/failover.ts";
import type { BenchPorts } from "../bench/kv_target.ts";
import { LocalSystem } from "../bench/local_system.ts";
import { measureLoad, measureReads, measureWrites } from "../bench/question.ts";
import { RECORDS } from "../bench/records.ts";
import type { BenchReport } from "../bench/report.ts";
import type { SelfMeter } from "../bench/rounds.ts";
import { SealkvSystem } from "../bench/sealkv_system.ts";
import type { ClusterSystem, System } from "../bench/system.ts";
import { openDenoKv } from "../io/deno/kv.ts";
import { denoNet } from "../io/deno/net.ts";
import { denoRandom } from "../io/deno/random.ts";
import type { BenchCluster } from "./bench_cluster.ts";
import { BenchEtcd } from "./bench_etcd.ts";
import { carriesEtcd3, loadByEtcd3 } from "./bench_etcd3.ts";
import { machineName } from "./bench_machine.ts";
import { cpuMs } from "./bench_process.ts";
import type { BenchRequest } from "./bench_request.ts";
import { BenchSealkv } from "./bench_sealkv.ts";
import { UsageError } from "./errors.ts";
import type { Services } from "./services.ts";

const WARM_UP_MS = 1_000;

/**
 * Starts what `request` asks for, measures, and ends all of it; `null` when
 * `stopped` came first.
 *
 * @throws {UsageError} In a build that may not start programs.
 * @throws {ProgramMissingError} When etcd is not installed.
 */
export async function runBench(
  services: Services,
  request: BenchRequest,
  stopped: Promise<"stopped">,
): Promise<BenchReport | null> {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-bench-" });
  const site = new BenchSite(services, request, dir);
  try {
    const report = await Promise.race([site.measure(), stopped]);
    return report === "stopped" ? null : report;
  } finally {
    await site.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Everything that one bench has started and opened. */
class BenchSite {
  readonly #services: Services;
  readonly #request: BenchRequest;
  readonly #dir: string;
  readonly #ports: BenchPorts;
  readonly #self: SelfMeter;
  readonly #clusters: BenchCluster[] = [];
  readonly #closers: (() => void)[] = [];

  constructor(services: Services, request: BenchRequest, dir: string) {
    this.#services = services;
    this.#request = request;
    this.#dir = dir;
    const http = services.httpClient({});
    this.#closers.push(() => http.close());
    const { clock } = services;
    this.#ports = { net: denoNet(), http, clock, random: denoRandom() };
    this.#self = { clock, cpuMs: () => cpuMs("self") };
  }

  async measure(): Promise<BenchReport> {
    const { given, against } = this.#request;
    if (given === null || against === "etcd") await mayRunPrograms(given);
    const report = await this.#ask();
    const notes: Record<string, number> = { ...report.notes };
    for (const cluster of this.#clusters) {
      const each = await cluster.residentMib();
      for (const [i, mib] of each.entries()) {
        if (mib === null) continue;
        notes[`resident MiB of ${cluster.name}, member ${i + 1}`] = mib;
      }
    }
    return { ...report, notes };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clusters.map((cluster) => cluster.stop()));
    for (const close of this.#closers) close();
  }

  async #ask(): Promise<BenchReport> {
    const { question, clients, rounds, valueBytes, records } = this.#request;
    const machine = await machineName(this.#dir);
    switch (question) {
      case "write":
      case "read": {
        const options = {
          systems: [await this.#sealkv(), ...await this.#peers()],
          ...{ clients, rounds, machine, warmUpMs: WARM_UP_MS },
          measureMs: this.#request.measureMs,
        };
        return question === "write"
          ? await measureWrites(options)
          : await measureReads(options, records ?? RECORDS.read);
      }
      case "load": {
        const given = this.#request.given ?? await this.#startOne();
        const target = { ...given, valueBytes };
        return await measureLoad(this.#ports, target, {
          records: records ?? RECORDS.load,
          machine,
        });
      }
      case "failover":
        return await measureFailover({
          clusters: await this.#failovers(),
          clock: this.#services.clock,
          clients: clients[0] ?? 1,
          rounds,
          machine,
        });
    }
  }

  async #sealkv(): Promise<System> {
    const { given, valueBytes } = this.#request;
    if (given === null) return await this.#ours(await this.#startSealkv());
    return await SealkvSystem.open({
      ports: this.#ports,
      self: this.#self,
      targets: [{ ...given, valueBytes }],
      leader: () => Promise.resolve(0),
      processes: null,
    });
  }

  async #peers(): Promise<readonly System[]> {
    const { against, valueBytes } = this.#request;
    if (against === "none") return [];
    if (against === "etcd") return [await this.#etcd(await this.#startEtcd())];
    const kv = await openDenoKv(`${this.#dir}/local.sqlite`);
    this.#closers.push(() => kv.close());
    const { random } = this.#ports;
    return [new LocalSystem({ kv, random, self: this.#self, valueBytes })];
  }

  async #failovers(): Promise<readonly FailoverCluster[]> {
    const ours = await this.#startSealkv();
    const clusters = [failoverOf(ours, await this.#ours(ours))];
    if (this.#request.against !== "etcd") return clusters;
    const etcd = await this.#startEtcd();
    return [...clusters, failoverOf(etcd, await this.#etcd(etcd))];
  }

  async #ours(cluster: BenchSealkv): Promise<ClusterSystem> {
    const { accessToken, addresses, processes } = cluster;
    const { valueBytes } = this.#request;
    return await SealkvSystem.open({
      ports: this.#ports,
      self: this.#self,
      targets: addresses.map((address) => ({
        url: `http://${address}`,
        accessToken,
        valueBytes,
      })),
      leader: () => cluster.leader(),
      processes,
    });
  }

  async #etcd(cluster: BenchEtcd): Promise<ClusterSystem> {
    const { valueBytes } = this.#request;
    return new EtcdSystem({
      ports: this.#ports,
      self: this.#self,
      members: cluster.addresses,
      leader: () => cluster.leader(),
      processes: cluster.processes,
      valueBytes,
      version: await cluster.version(),
      etcd3: carriesEtcd3()
        ? (address, shape) => loadByEtcd3(address, shape, valueBytes)
        : null,
    });
  }

  async #startOne() {
    const cluster = await this.#startSealkv();
    const { accessToken, addresses } = cluster;
    return { url: `http://${addresses[await cluster.leader()]}`, accessToken };
  }

  async #startSealkv(): Promise<BenchSealkv> {
    const { nodes } = this.#request;
    const dir = this.#dir;
    const cluster = await BenchSealkv.start(this.#services, { dir, nodes });
    this.#clusters.push(cluster);
    return cluster;
  }

  async #startEtcd(): Promise<BenchEtcd> {
    const { nodes } = this.#request;
    const cluster = await BenchEtcd.start(this.#services, this.#dir, nodes);
    this.#clusters.push(cluster);
    return cluster;
  }
}

function failoverOf(
  cluster: BenchCluster,
  system: ClusterSystem,
): FailoverCluster {
  return {
    name: cluster.name,
    members: cluster.addresses.length,
    leader: () => cluster.leader(),
    kill: (member) => cluster.kill(member),
    revive: (member) => cluster.revive(member),
    writer: (member) => system.writer(member),
  };
}

/** @throws {UsageError} In the binary, or where nothing may be started. */
async function mayRunPrograms(given: unknown): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "run" });
  // The binary may, but for the program of a KEK alone.
  if (state === "granted" && !Deno.build.standalone) return;
  throw given === null
    ? new UsageError(
      "Cannot start a node to measure as this build may not run programs",
      "Start one with `sealkv serve` and give its address with --url, or run " +
        "`deno task start bench` in the source",
    )
    : new UsageError(
      "Cannot start etcd as this build may not run programs",
      "Run `deno task start bench` in the source, or leave --against out",
    );
}
