import type { SealkvSystem } from "../../src/bench/sealkv_system.ts";
import { Latencies, type LatencyFigures } from "../../src/bench/latency.ts";
import { pause } from "./cluster.ts";

/** What clients that write all the time saw while something was done. */
export interface Seen {
  readonly tookMs: number;
  /** The longest that one of them waited for one answer. */
  readonly longestMs: number;
  readonly figures: LatencyFigures;
}

/** Pauses may begin late: what was asked for soon after the end counts too. */
const AFTER_MS = 300;

/**
 * Closed loops that write all the time, at every member in turn. A write that
 * is refused ends the bench: none may be.
 */
export class Writers implements AsyncDisposable {
  #isStopped = false;
  /** While somebody looks: what was answered since. */
  #look: Latencies | null = null;
  readonly #loops: Promise<unknown>;
  #failure: { readonly error: unknown } | null = null;

  private constructor(
    system: SealkvSystem,
    shape: { readonly clients: number; readonly members: number },
  ) {
    const { clients, members } = shape;
    this.#loops = Promise.all(
      Array.from({ length: clients }, (_, i) => this.#run(system, i % members)),
    ).catch((error) => this.#failure = { error });
  }

  static async start(
    system: SealkvSystem,
    shape: { readonly clients: number; readonly members: number },
  ): Promise<Writers> {
    const writers = new Writers(system, shape);
    await pause(2_000);
    return writers;
  }

  /** Writes that were waited for at any time of `work` count. */
  async during(work: () => Promise<void>): Promise<Seen> {
    const fromMs = performance.now();
    const latencies = new Latencies();
    this.#look = latencies;
    await work();
    const tookMs = performance.now() - fromMs;
    await pause(AFTER_MS);
    this.#look = null;
    if (this.#failure !== null) throw this.#failure.error;
    const figures = latencies.figures(performance.now() - fromMs);
    return { tookMs, longestMs: figures.maxMs, figures };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#loops;
  }

  async #run(system: SealkvSystem, member: number): Promise<void> {
    const client = await system.writer(member);
    try {
      for (let i = 0; !this.#isStopped; i += 1) {
        const sentMs = performance.now();
        await client.send(i);
        this.#look?.add(performance.now() - sentMs);
      }
    } finally {
      client.close();
    }
  }
}
