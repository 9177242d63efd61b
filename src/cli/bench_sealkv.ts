import { present } from "../base/assert.ts";
import type { ServerProcesses } from "../bench/servers.ts";
import { toHex } from "../base/bytes.ts";
import { denoRandom } from "../io/deno/random.ts";
import { freeAddresses } from "./bench_address.ts";
import type { BenchCluster } from "./bench_cluster.ts";
import { processesOf, residentMib } from "./bench_process.ts";
import { ChildProgram } from "./child_program.ts";
import type { AdminClient, Services } from "./services.ts";
import { thisProgram } from "./this_program.ts";

const PORTS = [4512, 4513, 4514] as const;
const READY = /^ready \{.*\}$/m;
const STATUS_MS_MAX = 5_000;
const CATCH_UP_MS_MAX = 60_000;
const CATCH_UP_PAUSE_MS = 50;
const TOKEN_BYTES = 16;

export interface SealkvClusterOptions {
  readonly dir: string;
  readonly nodes: number;
  /** Flags of Deno's for the node at a position, for profilers. */
  readonly denoFlags?: (position: number) => readonly string[];
  /** Of `serve`, for each node, beside those that every bench gives. */
  readonly serveFlags?: readonly string[];
}

interface Member {
  readonly position: number;
  readonly name: string;
  readonly listen: string;
  readonly peer: string;
  readonly admin: string;
  process: ChildProgram;
}

/** A node, or a cluster of nodes, of this very program. */
export class BenchSealkv implements BenchCluster {
  readonly name = "sealkv";
  readonly accessToken: string;
  readonly #services: Services;
  readonly #members: readonly Member[];
  readonly #start: (member: Omit<Member, "process">) => ChildProgram;

  private constructor(
    services: Services,
    members: readonly Omit<Member, "process">[],
    options: SealkvClusterOptions,
  ) {
    this.#services = services;
    this.accessToken = toHex(denoRandom().bytes(TOKEN_BYTES));
    const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join();
    this.#start = (member) =>
      ChildProgram.start({
        ...nodeCommand(options, member, members.length > 1 ? cluster : null),
        env: {
          SEALKV_ACCESS_TOKEN: this.accessToken,
          SEALKV_ADMIN_TOKEN: this.accessToken,
          SEALKV_PEER_TOKEN: this.accessToken,
        },
      });
    this.#members = members.map((member) => ({
      ...member,
      process: this.#start(member),
    }));
  }

  /** Resolves when every node is ready. @throws {ProgramEndedError} When one ends before. */
  static async start(
    services: Services,
    options: SealkvClusterOptions,
  ): Promise<BenchSealkv> {
    const members = Array.from({ length: options.nodes }, (_, i) => {
      const [listen = "", peer = "", admin = ""] = freeAddresses(
        denoRandom(),
        PORTS,
      );
      return { position: i, name: `n${i + 1}`, listen, peer, admin };
    });
    const cluster = new BenchSealkv(services, members, options);
    try {
      await Promise.all(
        cluster.#members.map(({ process }) => process.output(READY)),
      );
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get addresses(): readonly string[] {
    return this.#members.map(({ listen }) => listen);
  }

  get pids(): readonly number[] {
    return this.#members.map(({ process }) => process.pid);
  }

  get processes(): ServerProcesses {
    return processesOf(this.#members.map(({ process }) => process));
  }

  /** The end of what each member logged so far. */
  get logs(): readonly string[] {
    return this.#members.map(({ process }) => process.complaint);
  }

  async leader(): Promise<number> {
    if (this.#members.length === 1) return 0;
    const { leader } = await this.ask((client) => client.getStatus());
    const position = this.#members.findIndex(({ name }) => name === leader);
    if (position === -1) throw new Error("the cluster has no leader");
    return position;
  }

  async kill(member: number): Promise<void> {
    await this.#member(member).process.stop("SIGKILL");
  }

  async revive(position: number): Promise<void> {
    const { clock } = this.#services;
    const member = this.#member(position);
    member.process = this.#start(member);
    await member.process.output(READY);
    const untilMs = clock.monotonicMs() + CATCH_UP_MS_MAX;
    for (;;) {
      const { members } = await this.ask((client) => client.getStatus());
      const isWhole = members.length === this.#members.length &&
        members.every(({ up, ready, lag }) => up && ready && lag < 1_000n);
      if (isWhole) return;
      if (clock.monotonicMs() > untilMs) {
        throw new Error(`${member.name} did not catch up`);
      }
      await new Promise<void>((done) => clock.after(CATCH_UP_PAUSE_MS, done));
    }
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

  /** Lets `use` ask the members as an operator. */
  async ask<T>(
    use: (client: AdminClient) => Promise<T>,
    timeoutMs = STATUS_MS_MAX,
  ): Promise<T> {
    const client = this.#services.adminClient({
      admin: this.#members.map(({ admin }) => admin).join(),
      token: this.accessToken,
      actor: this.#services.actor(),
      isTls: false,
      timeoutMs,
      http: this.#services.httpClient({}),
      clock: this.#services.clock,
    });
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }

  #member(position: number): Member {
    return present(this.#members[position], "the member");
  }
}

function nodeCommand(
  { dir, denoFlags, serveFlags = [] }: SealkvClusterOptions,
  { position, name, listen, peer, admin }: Omit<Member, "process">,
  cluster: string | null,
) {
  const [program, ...self] = thisProgram(denoFlags?.(position));
  return {
    program,
    args: [
      ...self,
      ...["serve", "--data-dir", `${dir}/${name}`, "--log-level", "warn"],
      ...["--listen", listen, "--peer-listen", peer, "--admin-listen", admin],
      ...cluster === null ? [] : ["--node", name, "--initial-cluster", cluster],
      ...serveFlags,
    ],
  };
}
