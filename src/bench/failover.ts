import type { Clock, Timer } from "../io/clock.ts";
import type { Client } from "./load.ts";
import { median } from "./median.ts";
import type { BenchReport } from "./report.ts";

/** A cluster whose leader can be killed. */
export interface FailoverCluster {
  readonly name: string;
  readonly members: number;
  leader(): Promise<number>;
  /** `kill -9`; the signal is sent before this returns its promise. */
  kill(member: number): Promise<void>;
  /** Resolves when the member takes part again. */
  revive(member: number): Promise<void>;
  /** A connection that writes one record per request. */
  writer(member: number): Promise<Client>;
}

export interface FailoverOptions {
  readonly clusters: readonly FailoverCluster[];
  readonly clock: Clock;
  /** Closed loops that write all the time, at the members that survive. */
  readonly clients: number;
  readonly rounds: number;
  readonly machine: string;
}

/** Counted from the first answer. */
const SETTLE_MS = 1_000;
/** A new caller comes this often, as the callers of before may hang. */
const CALLER_EVERY_MS = 10;
/** New callers give up after this, or they would crowd out what they wait for. */
const CALLER_MS_MAX = 1_000;
const RETRY_AFTER_MS = 5;
const SILENCE_MS_MAX = 60_000;

/** How long after `kill -9` of the leader until the next write is answered? */
export async function measureFailover(
  options: FailoverOptions,
): Promise<BenchReport> {
  const { clusters, rounds, machine } = options;
  const samples = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const cluster of clusters) {
      const ms = await failOver(cluster, options);
      samples.set(cluster.name, [...samples.get(cluster.name) ?? [], ms]);
    }
  }
  const notes = [...samples].flatMap(([name, values]) => [
    [`${name}, median ms until the next answered write`, median(values)],
    [`${name}, worst ms`, Math.max(...values)],
  ]);
  return {
    bench: "failover",
    machine,
    rows: [],
    notes: Object.fromEntries(notes),
    samples: Object.fromEntries(
      [...samples].map(([name, values]) => [`${name}, ms of rounds`, values]),
    ),
    remarks: [
      `from the signal to the first answer to a write sent after it, at a ` +
      `surviving member, ${options.clients} callers`,
    ],
  };
}

/** One round: ms from the signal to the first answer to a later write. */
async function failOver(
  cluster: FailoverCluster,
  { clock, clients }: FailoverOptions,
): Promise<number> {
  const leader = await cluster.leader();
  const survivors = Array.from({ length: cluster.members }, (_, i) => i)
    .filter((member) => member !== leader);
  const callers = new Callers(cluster, clock);
  const at = (caller: number) => survivors[caller % survivors.length] as number;
  try {
    for (let i = 0; i < clients; i += 1) callers.keepWriting(at(i));
    const startMs = clock.monotonicMs();
    while (callers.answers === 0) {
      if (clock.monotonicMs() - startMs > SILENCE_MS_MAX) {
        throw new Error("no write was answered before the kill");
      }
      await pause(clock, CALLER_EVERY_MS);
    }
    await pause(clock, SETTLE_MS);
    const killedMs = clock.monotonicMs();
    callers.killedMs = killedMs;
    const gone = cluster.kill(leader);
    for (let caller = 0; callers.answeredMs === null; caller += 1) {
      if (clock.monotonicMs() - killedMs > SILENCE_MS_MAX) {
        throw new Error("no write was answered after the kill");
      }
      callers.writeOnce(at(caller));
      await pause(clock, CALLER_EVERY_MS);
    }
    await gone;
    return callers.answeredMs - killedMs;
  } finally {
    await callers.stop();
    await cluster.revive(leader);
  }
}

/** Writers that go on whatever happens, and note the answer that counts. */
class Callers {
  /** When the signal was sent; `null` before. */
  killedMs: number | null = null;
  /** The first answer to a write that was sent after `killedMs`. */
  answeredMs: number | null = null;
  answers = 0;
  readonly #cluster: FailoverCluster;
  readonly #clock: Clock;
  readonly #running = new Set<Promise<void>>();
  readonly #open = new Set<Client>();
  #isStopped = false;

  constructor(cluster: FailoverCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  keepWriting(member: number): void {
    this.#run(async () => {
      while (!this.#isStopped) {
        const isDone = await this.#session(member, {
          writes: Infinity,
          msMax: null,
        });
        if (!isDone) await pause(this.#clock, RETRY_AFTER_MS);
      }
    });
  }

  writeOnce(member: number): void {
    this.#run(async () => {
      await this.#session(member, { writes: 1, msMax: CALLER_MS_MAX });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const client of this.#open) client.close();
    await Promise.all(this.#running);
  }

  #run(work: () => Promise<void>): void {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Up to `writes` over one connection; false when it or a write failed. */
  async #session(
    member: number,
    { writes, msMax }: {
      readonly writes: number;
      readonly msMax: number | null;
    },
  ): Promise<boolean> {
    let client: Client | null = null;
    let timer: Timer | null = null;
    try {
      client = await this.#cluster.writer(member);
      this.#open.add(client);
      const opened = client;
      if (msMax !== null) {
        timer = this.#clock.after(msMax, () => opened.close());
      }
      for (let i = 0; i < writes && !this.#isStopped; i += 1) {
        const sentMs = this.#clock.monotonicMs();
        await client.send(i);
        this.#onAnswer(sentMs);
      }
      return true;
    } catch {
      // Refused or cut off: what a failover does to its clients.
      return false;
    } finally {
      timer?.cancel();
      client?.close();
      if (client !== null) this.#open.delete(client);
    }
  }

  #onAnswer(sentMs: number): void {
    this.answers += 1;
    if (this.killedMs === null || sentMs < this.killedMs) return;
    this.answeredMs ??= this.#clock.monotonicMs();
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((done) => clock.after(ms, done));
}
