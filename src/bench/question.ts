import { type BenchPorts, type BenchTarget, KvTarget } from "./kv_target.ts";
import type { BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";
import { QUESTIONS_OF, type System } from "./system.ts";

export interface QuestionOptions {
  /** Ours first; asked in turn. */
  readonly systems: readonly System[];
  readonly clients: readonly number[];
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly machine: string;
}

/** How many durable atomic writes a second, and how long each takes? */
export async function measureWrites(
  options: QuestionOptions,
): Promise<BenchReport> {
  const contenders = options.systems.flatMap((system) => system.writers());
  return {
    ...await measureRounds({ ...options, contenders }),
    ...frameOf("write", options),
  };
}

/** How many reads of one record a second, and how long each takes? */
export async function measureReads(
  options: QuestionOptions,
  records: number,
): Promise<BenchReport> {
  for (const system of options.systems) await system.load(records);
  const contenders = options.systems.flatMap((system) =>
    system.readers(records)
  );
  return {
    ...await measureRounds({ ...options, contenders }),
    ...frameOf("read", options),
  };
}

function frameOf(bench: string, { machine, systems }: QuestionOptions) {
  const remarks = systems.flatMap((system) => system.remarks);
  return { bench, machine, notes: {}, remarks };
}

/** How long do `records` records take, a hundred in a write? */
export async function measureLoad(
  ports: BenchPorts,
  target: BenchTarget,
  { records, machine }: {
    readonly records: number;
    readonly machine: string;
  },
): Promise<BenchReport> {
  const kv = await KvTarget.open(ports, target);
  const startedMs = ports.clock.monotonicMs();
  const latencies = await kv.load(records);
  const elapsedMs = ports.clock.monotonicMs() - startedMs;
  return {
    bench: "load",
    machine,
    rows: [{
      question: `100 of ${QUESTIONS_OF.set(target.valueBytes)} in a write`,
      system: "sealkv",
      clients: 1,
      figures: latencies.figures(elapsedMs),
    }],
    notes: { "records loaded": records, "seconds": elapsedMs / 1000 },
  };
}
