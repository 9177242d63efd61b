import { equal, fail, ok } from "node:assert/strict";
import { print } from "../../tools/print.ts";
import type { ClusterProcess } from "./cluster_process.ts";
import {
  type ClientKind,
  type HistoryItem,
  isAcknowledged,
} from "./history.ts";
import { read } from "./load/workload.ts";
import { checkKeys } from "./linearizable.ts";
import { LoadProcess } from "./load_process.ts";
import { machineMs } from "./machine_clock.ts";
import { HAS_NODE } from "./npm_client.ts";
import { openKv } from "./open_kv.ts";
import { until } from "./until.ts";
import { versionOrderFaults } from "./version_order.ts";

const PROGRESS_MS_MAX = 60_000;
const FAULTS_SHOWN = 5;

export interface ClusterLoadOptions {
  /** Deno's client, and npm's where there is a Node, when left out. */
  readonly kinds?: readonly ClientKind[];
  /** Members that clients are bound to; all when left out. */
  readonly members?: readonly string[];
  /** At each member, of each kind. */
  readonly callers?: number;
  readonly keys?: number;
  readonly pauseMs?: number;
  /** See LoadOrder; none when left out. */
  readonly restlessMs?: number;
}

/** Clients of a cluster, of both kinds, and the history that they make. */
export class ClusterLoad implements AsyncDisposable {
  readonly #cluster: ClusterProcess;
  readonly #programs: readonly LoadProcess[];
  readonly #run: string;
  readonly #keys: number;

  private constructor(
    cluster: ClusterProcess,
    programs: readonly LoadProcess[],
    { run, keys }: { readonly run: string; readonly keys: number },
  ) {
    this.#cluster = cluster;
    this.#programs = programs;
    this.#run = run;
    this.#keys = keys;
  }

  /** Starts the programs and waits until each wrote something. */
  static async start(
    cluster: ClusterProcess,
    options: ClusterLoadOptions = {},
  ): Promise<ClusterLoad> {
    const kinds = options.kinds ?? (HAS_NODE ? ["deno", "npm"] : ["deno"]);
    const run = crypto.randomUUID().slice(0, 8);
    const { keys = 5, callers = 2, pauseMs = 20, restlessMs = 0 } = options;
    const urls = cluster.urls(options.members);
    const order = { urls, callers, run, keys, pauseMs, restlessMs };
    const programs: LoadProcess[] = [];
    const load = new ClusterLoad(cluster, programs, { run, keys });
    try {
      for (const kind of kinds) {
        programs.push(await LoadProcess.start(kind, order));
      }
      await load.progress(1);
      return load;
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** All calls so far. */
  get history(): readonly HistoryItem[] {
    return this.#programs.flatMap(({ history }) => history);
  }

  /** Calls that failed, or whose outcome nobody told. */
  troubles(kind: ClientKind): readonly HistoryItem[] {
    return this.#programs.filter((program) => program.kind === kind)
      .flatMap(({ history }) => history)
      .filter(({ result }) =>
        result.kind === "unknown" || result.kind === "failed"
      );
  }

  /** Resolves when clients of each kind got `count` further writes through. */
  async progress(count: number, ms = PROGRESS_MS_MAX): Promise<void> {
    await Promise.all(
      this.#programs.map((program) => program.acknowledged(count, ms)),
    );
  }

  /** Resolves when every caller got a further call answered. */
  async allGoOn(ms = PROGRESS_MS_MAX): Promise<void> {
    const sinceMs = machineMs();
    const clients = new Set(this.history.map(({ client }) => client));
    const waiting = [...clients].filter((name) => !name.includes("restless"));
    await until(`all of ${waiting} go on`, ms, () => {
      const going = new Set(
        this.history.filter(({ invokeMs, result }) =>
          invokeMs >= sinceMs && result.kind !== "unknown" &&
          result.kind !== "failed"
        ).map(({ client }) => client),
      );
      return waiting.every((client) => going.has(client));
    });
  }

  /**
   * The longest time within [`fromMs`, `untilMs`) in which no write was
   * acknowledged to clients of these members.
   */
  longestGap(
    [fromMs, untilMs]: readonly [number, number],
    members: readonly string[],
  ): number {
    const times = this.history.filter(isAcknowledged)
      .filter(({ client }) =>
        members.some((name) => client.includes(`@${name}#`))
      )
      .map(({ returnMs }) => returnMs ?? 0)
      .filter((at) => at >= fromMs && at < untilMs)
      .sort((a, b) => a - b);
    const edges = [fromMs, ...times, untilMs];
    return Math.max(...edges.slice(1).map((at, i) => at - edges[i]!));
  }

  /**
   * Milliseconds from `sinceMs` (`machineMs()`) until a write that began after
   * it is acknowledged to a client of any kind.
   */
  async nextAcknowledged(sinceMs: number): Promise<number> {
    const returns = await until(
      "a write is acknowledged",
      PROGRESS_MS_MAX,
      () => {
        const found = this.#programs
          .map((program) =>
            program.firstAcknowledged(sinceMs)?.returnMs ?? null
          )
          .filter((returnMs) => returnMs !== null);
        return found.length === 0 ? null : found;
      },
    );
    return Math.min(...returns) - sinceMs;
  }

  /**
   * Ends the clients, reads what is there through every member that runs, and
   * checks the whole history: linearizable, nothing acknowledged is lost,
   * nothing counted twice.
   */
  async verify(): Promise<void> {
    for (const program of this.#programs) await program.stop();
    const history = [...this.history];
    await this.#cluster.settled();
    for (const name of this.#cluster.running) {
      history.push(...await this.#finalReads(name));
      await this.#verifyTallies(name);
    }
    const { faults: unexplained, undecided } = checkKeys(history);
    const faults = [...versionOrderFaults(history), ...unexplained];
    if (faults.length > 0) fail(faults.slice(0, FAULTS_SHOWN).join("\n"));
    if (undecided.length > 0) print(`undecided histories: ${undecided}`);
  }

  async #finalReads(name: string): Promise<HistoryItem[]> {
    using kv = await openKv(this.#cluster.url(name));
    const items: HistoryItem[] = [];
    for (let i = 0; i < this.#keys; i += 1) {
      const key = `k${i}`;
      const invokeMs = machineMs();
      const result = read(await kv.get([this.#run, "key", key]));
      items.push({
        client: `deno@${name}#final`,
        op: { kind: "get", key },
        invokeMs,
        returnMs: machineMs(),
        result,
      });
    }
    return items;
  }

  /** Every acknowledged tally is there, and the sum counted each one once. */
  async #verifyTallies(name: string): Promise<void> {
    using kv = await openKv(this.#cluster.url(name));
    const present = new Set<unknown>();
    for await (const { key } of kv.list({ prefix: [this.#run, "tally"] })) {
      present.add(key.at(-1));
    }
    const tallies = this.history.filter(isAcknowledged)
      .map(({ op }) => op).filter(({ kind }) => kind === "tally");
    for (const tally of tallies) {
      const value = tally.kind === "tally" ? tally.value : "";
      ok(present.has(value), `"${value}" is lost on "${name}"`);
    }
    const sum = await kv.get<Deno.KvU64>([this.#run, "sum"]);
    equal(sum.value?.value ?? 0n, BigInt(present.size), `the sum on "${name}"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
  }
}
