import { present } from "../base/assert.ts";
import type { ServerProcesses } from "../bench/servers.ts";
import { denoRandom } from "../io/deno/random.ts";
import { freeAddresses } from "./bench_address.ts";
import type { BenchCluster } from "./bench_cluster.ts";
import { processesOf, residentMib } from "./bench_process.ts";
import { ChildProgram } from "./child_program.ts";
import type { Services } from "./services.ts";

const PORTS = [2379, 2380] as const;
const READY_MS_MAX = 30_000;
const READY_PAUSE_MS = 20;

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  process: ChildProgram;
}

/** A member, or a cluster of members, of the etcd that is installed. */
export class BenchEtcd implements BenchCluster {
  readonly name = "etcd";
  readonly #services: Services;
  readonly #members: readonly Member[];
  readonly #start: (member: Omit<Member, "process">) => ChildProgram;

  private constructor(
    services: Services,
    dir: string,
    members: readonly Omit<Member, "process">[],
  ) {
    this.#services = services;
    const cluster = members.map(({ name, peer }) => `${name}=http://${peer}`)
      .join();
    this.#start = (member) =>
      ChildProgram.start(etcdCommand(dir, member, cluster));
    this.#members = members.map((member) => ({
      ...member,
      process: this.#start(member),
    }));
  }

  /**
   * Resolves when every member serves.
   *
   * @throws {ProgramMissingError} When etcd is not installed.
   * @throws {ProgramEndedError}
   */
  static async start(
    services: Services,
    dir: string,
    nodes: number,
  ): Promise<BenchEtcd> {
    const members = Array.from({ length: nodes }, (_, i) => {
      const [client = "", peer = ""] = freeAddresses(denoRandom(), PORTS);
      return { name: `e${i + 1}`, client, peer };
    });
    const cluster = new BenchEtcd(services, dir, members);
    try {
      await Promise.all(
        cluster.#members.map((member) => cluster.#ready(member)),
      );
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get addresses(): readonly string[] {
    return this.#members.map(({ client }) => client);
  }

  get processes(): ServerProcesses {
    return processesOf(this.#members.map(({ process }) => process));
  }

  /** As the members tell it: the one whose own id is the leader's. */
  async leader(): Promise<number> {
    for (const [position, { client }] of this.#members.entries()) {
      const status = await this.#ask(client, "POST", "/v3/maintenance/status");
      const { leader, header } = status as {
        readonly leader?: string;
        readonly header?: { readonly member_id?: string };
      } | null ?? {};
      if (leader !== undefined && leader === header?.member_id) return position;
    }
    throw new Error("etcd has no leader");
  }

  async version(): Promise<string> {
    const [first] = this.addresses;
    const version = await this.#ask(first ?? "", "GET", "/version");
    return String((version as { readonly etcdserver?: unknown }).etcdserver);
  }

  async kill(member: number): Promise<void> {
    await this.#member(member).process.stop("SIGKILL");
  }

  async revive(position: number): Promise<void> {
    const member = this.#member(position);
    member.process = this.#start(member);
    await this.#ready(member);
  }

  residentMib(): Promise<readonly (number | null)[]> {
    return Promise.all(
      this.#members.map(({ process }) => residentMib(process.pid)),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#members.map(({ process }) => process.stop("SIGTERM")),
    );
  }

  async #ready({ name, client, process }: Member): Promise<void> {
    const { clock } = this.#services;
    const untilMs = clock.monotonicMs() + READY_MS_MAX;
    const ended = process.untilEnd();
    ended.catch(() => {});
    for (;;) {
      const pause = new Promise<void>((done) => {
        clock.after(READY_PAUSE_MS, done);
      });
      await Promise.race([ended, pause]);
      const health = await this.#ask(client, "GET", "/health");
      if ((health as { readonly health?: unknown } | null)?.health === "true") {
        return;
      }
      if (clock.monotonicMs() > untilMs) {
        throw new Error(`etcd member ${name} did not get ready`);
      }
    }
  }

  /** The JSON answer; `null` when there is none. */
  async #ask(address: string, method: string, path: string): Promise<unknown> {
    const http = this.#services.httpClient({});
    try {
      const body = method === "POST" ? "{}" : null;
      const request = new Request(`http://${address}${path}`, { method, body });
      return await (await http.fetch(request)).json();
    } catch (error) {
      if (error instanceof TypeError) return null;
      throw error;
    } finally {
      http.close();
    }
  }

  #member(position: number): Member {
    return present(this.#members[position], "the member");
  }
}

function etcdCommand(
  dir: string,
  { name, client, peer }: Omit<Member, "process">,
  cluster: string,
) {
  const [clientUrl, peerUrl] = [`http://${client}`, `http://${peer}`];
  return {
    program: "etcd",
    args: [
      ...["--name", name, "--data-dir", `${dir}/${name}`],
      ...["--logger", "zap", "--log-level", "error"],
      ...["--listen-client-urls", clientUrl],
      ...["--advertise-client-urls", clientUrl],
      ...["--listen-peer-urls", peerUrl],
      ...["--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", cluster],
    ],
  };
}
