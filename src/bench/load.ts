import type { Clock } from "../io/clock.ts";
import { Latencies, type LatencyFigures } from "./latency.ts";

/** One closed loop: sends a request and resolves with its answer. */
export interface Client {
  send(sequence: number): Promise<void>;
  close(): void;
}

export interface LoadOptions {
  readonly clock: Clock;
  readonly clients: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly connect: (client: number) => Promise<Client>;
}

/** What a run showed. */
export interface LoadRun {
  /** Of the requests after the warm-up. */
  readonly figures: LatencyFigures;
  /** Requests answered, those of the warm-up included. */
  readonly answered: number;
}

/**
 * Drives `clients` closed loops for `warmUpMs + measureMs` and measures the
 * requests that began after the warm-up.
 *
 * Closed loops understate latency under overload (coordinated omission); the
 * question asked is "how fast with N callers", and that they answer.
 *
 * @throws What a client throws: a failed request ends the run.
 */
export async function runLoad(options: LoadOptions): Promise<LoadRun> {
  const { clock, clients, warmUpMs, measureMs, connect } = options;
  const loops = await Promise.all(
    Array.from({ length: clients }, (_, i) => connect(i)),
  );
  const latencies = new Latencies();
  const from = clock.monotonicMs() + warmUpMs;
  const until = from + measureMs;
  let sequence = 0;
  let last = from;
  const drive = async (client: Client) => {
    for (;;) {
      const sent = clock.monotonicMs();
      if (sent >= until) return;
      sequence += 1;
      await client.send(sequence);
      const answered = clock.monotonicMs();
      if (sent < from) continue;
      latencies.add(answered - sent);
      last = Math.max(last, answered);
    }
  };
  try {
    await Promise.all(loops.map(drive));
  } finally {
    for (const client of loops) client.close();
  }
  return { figures: latencies.figures(last - from), answered: sequence };
}
