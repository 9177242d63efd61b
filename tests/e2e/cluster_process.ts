import { loopbackAddress } from "../loopback.ts";
import { type SeenStatus, statusAt } from "./cluster_status.ts";
import { NodeProcess } from "./node_process.ts";
import { until } from "./until.ts";

/** A token for tests; members prove to each other that they know it. */
export const PEER_TOKEN = "peer-token-of-the-tests";

/** Clusters need addresses of their own: all of 127.0.0.0/8 is this machine. */
export const HAS_CLUSTERS = Deno.build.os === "linux";

const LEADER_MS_MAX = 15_000;
const SETTLED_MS_MAX = 30_000;
const LOG_LINES_SHOWN = 60;

/** Where one member runs. */
export interface MemberPlace {
  /** Of all three listeners. */
  readonly hostname: string;
  /** Of the peer listener, if another one. */
  readonly peerHostname?: string;
  readonly dataDir: string;
  /** Words before its command. */
  readonly wrap?: readonly string[];
  readonly args?: readonly string[];
}

export interface ClusterOptions {
  /** 3 when left out. */
  readonly size?: number;
  /** Further flags of every member. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is special about a member, counted from 0. */
  readonly place?: (index: number) => Partial<MemberPlace>;
}

/** How one start of a member differs from the others. */
export interface StartOptions {
  /** Besides its own flags; later ones win. */
  readonly args?: readonly string[];
  /** False leaves `--initial-cluster` out. */
  readonly isFounding?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Real members of one cluster, each a process with an address of its own. */
export class ClusterProcess implements AsyncDisposable {
  /** The founding members. */
  readonly names: readonly string[];
  readonly #options: ClusterOptions;
  readonly #home: string;
  readonly #places = new Map<string, MemberPlace>();
  readonly #running = new Map<string, NodeProcess>();
  /** Output of processes that ended, oldest first. */
  readonly #past: { readonly name: string; readonly output: string }[] = [];

  private constructor(options: ClusterOptions, home: string) {
    const { size = 3, place } = options;
    this.#options = options;
    this.#home = home;
    for (let index = 0; index < size; index += 1) {
      const name = `n${index + 1}`;
      this.#places.set(name, {
        hostname: loopbackAddress(),
        dataDir: `${home}/${name}`,
        ...place?.(index),
      });
    }
    this.names = [...this.#places.keys()];
  }

  /** Starts all members and waits until each serves. */
  static async start(options: ClusterOptions = {}): Promise<ClusterProcess> {
    const home = await Deno.makeTempDir({ prefix: "sealkv-cluster-" });
    const cluster = new ClusterProcess(options, home);
    try {
      await cluster.startAll();
      return cluster;
    } catch (error) {
      const explained = cluster.explain(error);
      await cluster[Symbol.asyncDispose]();
      throw explained;
    }
  }

  /** Adds a place for a further member; starts nothing. */
  addPlace(name: string, place: Partial<MemberPlace> = {}): void {
    const dataDir = `${this.#home}/${name}`;
    this.#places.set(name, { hostname: loopbackAddress(), dataDir, ...place });
  }

  /** Its own flags from its next start on. */
  setArgs(name: string, args: readonly string[]): void {
    this.#places.set(name, { ...this.place(name), args });
  }

  place(name: string): MemberPlace {
    const place = this.#places.get(name);
    if (place === undefined) throw new Error(`no member "${name}"`);
    return place;
  }

  /** The process of a member that was started and not ended from here. */
  node(name: string): NodeProcess {
    const node = this.#running.get(name);
    if (node === undefined) throw new Error(`"${name}" does not run`);
    return node;
  }

  get running(): readonly string[] {
    return [...this.#running.keys()];
  }

  url(name: string): string {
    return `http://${this.place(name).hostname}:4512`;
  }

  /** URLs of the members named, or of all. */
  urls(names: readonly string[] = this.names): Record<string, string> {
    return Object.fromEntries(names.map((name) => [name, this.url(name)]));
  }

  peer(name: string): string {
    const { hostname, peerHostname } = this.place(name);
    return `${peerHostname ?? hostname}:4513`;
  }

  admin(name: string): string {
    return `${this.place(name).hostname}:4514`;
  }

  /** The value of `--initial-cluster`. */
  get founders(): string {
    return this.names.map((name) => `${name}=${this.peer(name)}`).join(",");
  }

  /** Starts a member without waiting. */
  async launch(name: string, options: StartOptions = {}): Promise<NodeProcess> {
    const place = this.place(name);
    if (this.#running.has(name)) throw new Error(`"${name}" runs already`);
    const node = await NodeProcess.launch({
      dataDir: place.dataDir,
      hostname: place.hostname,
      args: [
        ...["--node", name, "--peer-listen", this.peer(name)],
        ...options.isFounding === false
          ? []
          : ["--initial-cluster", this.founders],
        ...this.#options.args ?? [],
        ...place.args ?? [],
        ...options.args ?? [],
      ],
      env: {
        SEALKV_PEER_TOKEN: PEER_TOKEN,
        ...this.#options.env,
        ...options.env,
      },
      ...place.wrap === undefined ? {} : { wrap: place.wrap },
    });
    this.#running.set(name, node);
    return node;
  }

  /** Starts a member and waits until it serves. */
  async start(name: string, options: StartOptions = {}): Promise<NodeProcess> {
    const node = await this.launch(name, options);
    await node.ready();
    return node;
  }

  /** Starts every member that does not run; each waits for the others. */
  async startAll(): Promise<void> {
    const absent = this.names.filter((name) => !this.#running.has(name));
    const nodes = await Promise.all(absent.map((name) => this.launch(name)));
    await Promise.all(nodes.map((node) => node.ready()));
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(name: string): Promise<void> {
    await this.node(name).kill();
    await this.#forget(name);
  }

  /** Asks a member to stop; its exit code. */
  async stop(name: string): Promise<number> {
    const code = await this.node(name).stop();
    await this.#forget(name);
    return code;
  }

  /** Waits for a member that ends by itself; its exit code and last words. */
  async ended(
    name: string,
  ): Promise<{ readonly code: number; readonly stderr: string }> {
    const node = this.node(name);
    const code = await node.exited();
    await this.#forget(name);
    return { code, stderr: node.stderr };
  }

  pause(name: string): void {
    this.node(name).signal("SIGSTOP");
  }

  resume(name: string): void {
    this.node(name).signal("SIGCONT");
  }

  /** The cluster as that member sees it; `null` when it does not answer. */
  status(name: string): Promise<SeenStatus | null> {
    return statusAt(this.admin(name));
  }

  /** Of every member that runs. */
  statuses(): Promise<readonly (SeenStatus | null)[]> {
    return Promise.all(this.running.map((name) => this.status(name)));
  }

  /** The member that leads in its own eyes, in the latest term that one does. */
  async leaderNow(): Promise<string | null> {
    const seen = await this.statuses();
    const leaders = seen.filter((status) => status !== null)
      .filter(({ node, leader }) => node === leader)
      .toSorted((a, b) => b.term - a.term);
    return leaders[0]?.node ?? null;
  }

  /** Waits for a leader, which is none of `others`. */
  leader(others: readonly string[] = []): Promise<string> {
    return until(`a leader besides [${others}]`, LEADER_MS_MAX, async () => {
      const leader = await this.leaderNow();
      return leader !== null && !others.includes(leader) ? leader : null;
    });
  }

  /** Waits for a status of a member that `isMet` accepts. */
  statusThat(
    name: string,
    what: string,
    isMet: (status: SeenStatus) => boolean,
    ms = SETTLED_MS_MAX,
  ): Promise<SeenStatus> {
    return until(`"${name}" ${what}`, ms, async () => {
      const status = await this.status(name);
      return status !== null && isMet(status) ? status : null;
    });
  }

  /** Waits until all that run serve and follow one leader. */
  async agreed(ms = SETTLED_MS_MAX): Promise<void> {
    await this.#all(
      "are ready and follow one leader",
      ms,
      (status, first) =>
        status.ready && status.leader !== "" && status.leader === first.leader,
    );
  }

  /** As `agreed`, and all applied the same: for when nobody writes. */
  async settled(ms = SETTLED_MS_MAX): Promise<void> {
    await this.agreed(ms);
    await this.#all(
      "applied the same",
      ms,
      (status, first) => status.applied === first.applied,
    );
  }

  async #all(
    what: string,
    ms: number,
    isMet: (status: SeenStatus, first: SeenStatus) => boolean,
  ): Promise<void> {
    await until(`all members ${what}`, ms, async () => {
      const seen = await this.statuses();
      const first = seen[0] ?? null;
      return first !== null &&
        seen.every((status) => status !== null && isMet(status, first));
    });
  }

  /** `error` with what the members said, for whoever reads the failure. */
  explain(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    return new Error(`${message}\n${this.logs()}`, { cause: error });
  }

  /** All that every process wrote, ended ones first. */
  get outputs(): readonly { readonly name: string; readonly output: string }[] {
    const running = [...this.#running]
      .map(([name, { output }]) => ({ name, output }));
    return [...this.#past, ...running];
  }

  /** The last lines of every process, ended ones first. */
  logs(): string {
    return this.outputs.map(({ name, output }) =>
      output.trimEnd().split("\n").slice(-LOG_LINES_SHOWN)
        .map((line) => `${name} | ${line}`).join("\n")
    ).join("\n---\n");
  }

  async #forget(name: string): Promise<void> {
    const node = this.node(name);
    this.#running.delete(name);
    await node[Symbol.asyncDispose]();
    this.#past.push({ name, output: node.output });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = await Promise.allSettled(
      [...this.#running.keys()].map((name) => this.kill(name)),
    );
    await Deno.remove(this.#home, { recursive: true });
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/** Runs `task` on a cluster; a failure comes with the members' logs. */
export async function withCluster(
  options: ClusterOptions,
  task: (cluster: ClusterProcess) => Promise<void>,
): Promise<void> {
  await using cluster = await ClusterProcess.start(options);
  try {
    await task(cluster);
  } catch (error) {
    throw cluster.explain(error);
  }
}
